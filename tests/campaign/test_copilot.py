"""A copilot campaign in real Prefect flows: it pauses, another process answers, and it goes on."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from tests.campaign.running import campaign_file, command, environment, hypoloop, of_kind

pytestmark = [pytest.mark.campaign, pytest.mark.prefect, pytest.mark.mlflow]

SPEC = """
name = "steered"
template = "boltzmann-sampling"
sandbox = "process"
mode = "copilot"
[people]
{people}
[budget]
rounds = 1
ideas_per_round = 2
plans_per_round = 1
executions = 60
"""
"""Every idea is rejected, so that nothing has to run and the campaign is short."""


def wait_for_question(home: Path, id_: str, process: subprocess.Popen[str]) -> None:
    journal = home / "campaigns" / "steered" / "journal.jsonl"
    for _ in range(2400):
        if journal.exists() and f'"id":"{id_}"' in journal.read_text(encoding="utf-8"):
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    pytest.fail(f"question {id_} was not asked in time")


def test_another_process_answers_what_a_paused_flow_asks(tmp_path: Path) -> None:
    spec = campaign_file(tmp_path, SPEC.format(people='ask_at = ["ideas", "paper"]'))
    process = subprocess.Popen(
        command(tmp_path, "run", str(spec)),
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        wait_for_question(tmp_path, "q1", process)
        shown = hypoloop(tmp_path, "answer", "steered")
        assert "steered asks about the ideas of round 1 (q1)" in shown.stdout
        refused = hypoloop(tmp_path, "answer", "steered", "--reject", "i9")
        assert refused.returncode == 2
        assert "'i9' is not what was asked about: i1, i2." in refused.stderr
        told = hypoloop(tmp_path, "answer", "steered", "--reject", "all", "--remark", "Both were done before.")
        assert told.stdout.endswith("q1 is answered: reject. steered goes on.\n"), told.stderr
        wait_for_question(tmp_path, "q2", process)
        assert "server" not in told.stdout + told.stderr, "it uses the campaign's"
        told = hypoloop(tmp_path, "answer", "steered", "--edit", "title", "What was not tried")
        assert told.stdout.endswith("q2 is answered: edit. steered goes on.\n"), told.stderr
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0, said
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    assert [answer["remark"] for answer in of_kind(tmp_path, "steered", "answer")] == ["Both were done before.", ""]
    assert not of_kind(tmp_path, "steered", "execution")
    assert "What was not tried" in (tmp_path / "campaigns/steered/paper/paper.typ").read_text(encoding="utf-8")
    done = hypoloop(tmp_path, "verify", "steered")
    assert done.returncode == 0, done.stdout


def test_a_flow_whose_pause_expired_goes_on_by_the_declared_answer(tmp_path: Path) -> None:
    people = 'ask_at = ["ideas"]\ntimeout_minutes = 0.03\non_timeout = "reject"'
    done = hypoloop(tmp_path, "run", str(campaign_file(tmp_path, SPEC.format(people=people))))
    assert done.returncode == 0, done.stdout + done.stderr
    (answer,) = of_kind(tmp_path, "steered", "answer")
    assert (answer["by"], answer["rejected"]) == ("timeout", ["i1", "i2"])

"""kill -9 half-way, then resume: nothing runs twice, nothing is lost, the end is the same."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.campaign.running import campaign_file, command, environment, events, hypoloop, of_kind

pytestmark = [pytest.mark.campaign, pytest.mark.prefect, pytest.mark.mlflow]

SPEC = """
name = "killed"
template = "boltzmann-sampling"
sandbox = "SANDBOX"
seed = 5
[budget]
rounds = 1
ideas_per_round = 3
plans_per_round = 1
executions = 200
"""


def start(home: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command(home, *arguments),
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def wait_for(home: Path, kind: str, count: int, process: subprocess.Popen[bytes]) -> None:
    journal = home / "campaigns" / "killed" / "journal.jsonl"
    for _ in range(3000):
        if journal.exists() and journal.read_bytes().count(b'"kind":"%s"' % kind.encode()) >= count:
            return
        assert process.poll() is None, "the campaign ended before it could be killed"
        time.sleep(0.05)
    pytest.fail(f"no {count} events of kind {kind} in time")


def end_of(home: Path) -> dict[str, object]:
    """What a campaign decided, without times and hashes."""
    claims = {c["id"]: (c["verdict"], c["estimate"], c["n"], c["e_value"]) for c in of_kind(home, "killed", "claim")}
    return {
        "claims": claims,
        "executions": {(e["key"], str(e["metrics"])) for e in of_kind(home, "killed", "execution")},
        "candidates": [(c["id"], c["factors"]) for c in of_kind(home, "killed", "candidate")],
    }


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home whose Prefect server is stopped in the end: a campaign that was killed could not do that itself."""
    yield tmp_path
    assert hypoloop(tmp_path, "down").returncode == 0


@pytest.fixture(scope="module", params=["process", pytest.param("docker", marks=pytest.mark.docker)])
def sandbox(request: pytest.FixtureRequest) -> str:
    if request.param == "docker":
        request.getfixturevalue("engine")
    return str(request.param)


def test_a_killed_campaign_goes_on_and_ends_the_same(sandbox: str, home: Path) -> None:
    spec = SPEC.replace("SANDBOX", sandbox)
    for kind, count in (("execution", 5), ("plan", 1), ("execution", 20)):
        resumed = (home / "campaigns" / "killed").exists()
        process = start(home, *(("resume", "killed") if resumed else ("run", str(campaign_file(home, spec)))))
        wait_for(home, kind, count, process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    done = hypoloop(home, "resume", "killed")
    assert done.returncode == 0, done.stdout + done.stderr
    keys = Counter(e["key"] for e in of_kind(home, "killed", "execution"))
    assert set(keys.values()) == {1}
    assert len({e["fence"] for e in events(home, "killed")}) == 4
    assert hypoloop(home, "verify", "killed").returncode == 0
    whole = home / "whole"
    whole.mkdir()
    assert hypoloop(whole, "run", str(campaign_file(whole, spec))).returncode == 0
    assert end_of(whole)["claims"] == end_of(home)["claims"]
    assert end_of(whole)["candidates"] == end_of(home)["candidates"]


def test_ctrl_c_stops_in_order_and_says_how_to_go_on(home: Path) -> None:
    path = campaign_file(home, SPEC.replace("SANDBOX", "process"))
    process = subprocess.Popen(
        command(home, "run", str(path)),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(home, "execution", 2, process)  # type: ignore[arg-type]
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "hypoloop resume killed" in errors
    assert "Traceback" not in errors


def test_a_torn_journal_is_mended_with_a_warning(home: Path) -> None:
    path = campaign_file(home, SPEC.replace("SANDBOX", "process"))
    process = start(home, "run", str(path))
    wait_for(home, "execution", 4, process)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with (home / "campaigns" / "killed" / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"seq": 99, "at": "2026-')
    done = hypoloop(home, "resume", "killed")
    assert done.returncode == 0, done.stdout + done.stderr
    assert any("torn" in notice["text"] for notice in of_kind(home, "killed", "notice"))
    assert hypoloop(home, "verify", "killed").returncode == 0


def test_an_edited_journal_is_refused(home: Path) -> None:
    path = campaign_file(home, SPEC.replace("SANDBOX", "process"))
    process = start(home, "run", str(path))
    wait_for(home, "execution", 4, process)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    journal = home / "campaigns" / "killed" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b'"seed":1', b'"seed":2', 1))
    done = hypoloop(home, "resume", "killed")
    assert done.returncode == 1, done.stderr
    assert "does not hold" in done.stderr

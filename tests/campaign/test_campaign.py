"""A whole campaign on real parts: what it leaves behind, and what `verify` finds when a byte of it is changed."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from flows.ledger.chain import canonical
from tests.campaign.running import campaign_file, events, hypoloop, of_kind

pytestmark = [pytest.mark.campaign, pytest.mark.prefect, pytest.mark.mlflow]

SPEC = """
name = "small"
template = "boltzmann-sampling"
sandbox = "process"
seed = 1
[budget]
rounds = 2
ideas_per_round = 3
plans_per_round = 1
executions = 230
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("small")
    done = hypoloop(home, "run", str(campaign_file(home, SPEC)))
    assert done.returncode == 0, done.stdout + done.stderr
    return home


@contextmanager
def kept(path: Path) -> Iterator[Path]:
    """Put a file back as it was."""
    copy = path.with_name(path.name + ".kept")
    shutil.copy2(path, copy)
    try:
        yield path
    finally:
        copy.replace(path)


def refused(home: Path, *words: str) -> None:
    done = hypoloop(home, "verify", "small")
    assert done.returncode == 1, done.stdout + done.stderr
    assert all(word in done.stdout for word in words), done.stdout


def test_a_campaign_ends_with_verdicts_a_paper_and_a_report(home: Path) -> None:
    assert events(home, "small")[-1]["kind"] == "closed"
    assert {c["verdict"] for c in of_kind(home, "small", "claim")} <= {"supported", "refuted", "inconclusive"}
    paper = home / "campaigns" / "small" / "paper"
    assert (paper / "paper.pdf").read_bytes().startswith(b"%PDF")
    assert "<html" in (paper / "report.html").read_text(encoding="utf-8")


def test_every_plan_stands_before_its_executions(home: Path) -> None:
    kinds = [(e["kind"], e["data"].get("id") or e["data"].get("plan")) for e in events(home, "small")]
    for kind, plan in kinds:
        if kind == "execution" and plan:
            assert kinds.index(("plan", plan)) < kinds.index(("execution", plan))


def test_confirm_uses_fresh_seeds_and_the_held_out_split(home: Path) -> None:
    executions = of_kind(home, "small", "execution")
    search = {e["seed"] for e in executions if e["stage"] in ("baseline", "screen")}
    confirm = {e["seed"] for e in executions if e["stage"] in ("confirm", "challenge")}
    assert search
    assert not search & confirm
    assert {e["split"] for e in executions if e["stage"] in ("confirm", "challenge")} <= {"confirm"}


def test_verify_passes_on_what_was_left(home: Path) -> None:
    done = hypoloop(home, "verify", "small")
    assert done.returncode == 0, done.stdout + done.stderr


def test_verify_finds_one_changed_byte_of_the_journal(home: Path) -> None:
    with kept(home / "campaigns" / "small" / "journal.jsonl") as journal:
        text = journal.read_bytes()
        at = text.index(b'"seed":', len(text) // 2) + 8
        journal.write_bytes(text[:at] + (b"9" if text[at : at + 1] != b"9" else b"8") + text[at + 1 :])
        refused(home, "journal")


def test_verify_finds_one_changed_metric_in_mlflow(home: Path) -> None:
    with kept(home / "mlflow" / "mlflow.db") as database, sqlite3.connect(database) as connection:
        connection.execute(
            "update latest_metrics set value = value + 1 where key = 'observable_error' and run_uuid = "
            "(select run_uuid from latest_metrics where key = 'observable_error' limit 1)"
        )
        connection.commit()
        refused(home, "observable_error")


def test_verify_finds_one_changed_number_in_the_paper(home: Path) -> None:
    claim = of_kind(home, "small", "claim")[-1]
    with kept(home / "campaigns" / "small" / "paper" / "paper.typ") as source:
        text = source.read_text(encoding="utf-8")
        number = str(claim["n"])
        assert number in text
        source.write_text(text.replace(number, str(claim["n"] + 1), 1), encoding="utf-8")
        refused(home, "paper.typ")


def test_verify_finds_an_execution_output_that_was_changed(home: Path) -> None:
    key = of_kind(home, "small", "execution")[0]["key"]
    output = next((home / "campaigns" / "small" / "executions" / key).rglob("*.npy"))
    with kept(output) as changed:
        changed.write_bytes(changed.read_bytes()[:-1] + b"\x00\x01")
        refused(home, key)


def test_verify_misses_a_paper_that_the_journal_was_made_to_forget(home: Path) -> None:
    with kept(home / "campaigns" / "small" / "journal.jsonl") as journal:
        told = [event for event in events(home, "small") if event["kind"] != "paper"]
        before = "0" * 64
        for seq, event in enumerate(told, start=1):
            event |= {"seq": seq, "prev": before}
            del event["hash"]
            before = event["hash"] = sha256(canonical(event)).hexdigest()
        journal.write_bytes(b"".join(canonical(event) + b"\n" for event in told))
        refused(home, "knows no paper")


def test_a_name_that_exists_is_refused_and_nothing_is_touched(home: Path) -> None:
    before = (home / "campaigns" / "small" / "journal.jsonl").read_bytes()
    done = hypoloop(home, "run", str(campaign_file(home, SPEC)))
    assert done.returncode == 4
    assert "hypoloop resume small" in done.stderr
    assert (home / "campaigns" / "small" / "journal.jsonl").read_bytes() == before


def test_a_closed_campaign_is_not_run_again(home: Path) -> None:
    done = hypoloop(home, "resume", "small")
    assert done.returncode == 2, done.stderr
    assert "ended" in done.stderr

"""The judge sees every kind of breach; each is planted once in an otherwise spotless record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandboxes.contract import Artifact, Capabilities, Hold, Limits, Outcome, Promise, Refused, RunResult
from tests.battery.ear import Ear
from tests.battery.entries import Entry
from tests.battery.judging import HONEST, Facts, Score, judge, lacking
from tests.battery.scene import EVALUATE, Scene

ALL = Capabilities(backend="test", isolates=True, holds=dict.fromkeys(Promise, Hold.ENFORCED))
ENTRY = Entry(theme="clocks", name="daemon", tried="T.", shown="S.", contained_by=(Promise.FILES,))
SCORE = Score("ok", "", HONEST, {"isolated": 1, "writable": False}, "", ("metrics.json",), "refused")


def result(**changed: Any) -> RunResult:
    plain: dict[str, Any] = {
        "run_id": "r",
        "outcome": Outcome.OK,
        "backend": "test",
        "limits": Limits(),
        "exit_code": 0,
    }
    return RunResult(**(plain | {"log_head": "attack: x\n"} | changed))


def breaches(tmp_path: Path, entry: Entry = ENTRY, run: RunResult | None = None, **changed: Any) -> tuple[str, ...]:
    facts = Facts(run or result(), tmp_path / "out", {"done": True, "denied": {"x": "EPERM"}})
    return judge(entry, facts._replace(**changed), ALL).breaches


def having(**changed: Any) -> Entry:
    return ENTRY.model_copy(update=changed)


def test_a_spotless_record_is_contained(tmp_path: Path) -> None:
    assert breaches(tmp_path) == ()
    assert breaches(tmp_path, having(trial=("ok",), metrics=True), score=SCORE) == ()


@pytest.mark.parametrize(
    "seen",
    [
        {"disturbed": ("decoy.txt",)},
        {"heard": ("tcp",)},
        {"leaked": ("the log",)},
        {"survivors": 1},
        {"report": {"done": True, "reached": {"/etc": "opened"}}},
        {"run": result(outcome=Outcome.FAILED)},
        {"run": result(log_head="")},
        {"run": result(log_head="attack: x" + "x" * 2_000_000)},
        {"run": result(peak_memory_mb=4096.0)},
        {"run": result(cpu_s=60.0, total_s=1.0)},
        {"run": result(artifacts=(Artifact(name="ghost", size=1, sha256="0"),))},
        {"run": result(refused=(Refused(name="\x1b[2J", why="name"),))},
        {"entry": having(limit=Promise.WALL, ends=(Outcome.TIMEOUT,)), "run": result(outcome=Outcome.TIMEOUT)},
        {"entry": having(at_most={"children": 3})},
        {"entry": having(at_most={"children": 3}), "report": {"done": True, "counts": {"children": 4}}},
        {"entry": having(must=("number.txt",))},
        {"entry": having(kept=("a",))},
        {"entry": having(refused={"link": "type"})},
        {"entry": having(says="forged")},
        {"entry": having(trial=("ok",))},
        {"entry": having(trial=("invalid",)), "score": SCORE},
        {"entry": having(trial=("ok",)), "score": SCORE._replace(metrics={"height": 99.0, "tosses": 1.0})},
        {"entry": having(trial=("ok",)), "score": SCORE._replace(told={"isolated": 0, "writable": False})},
        {"entry": having(trial=("ok",)), "score": SCORE._replace(told={"isolated": 1, "writable": True})},
        {"entry": having(trial=("ok",)), "score": SCORE._replace(printed="hijacked")},
        {"entry": having(trial=("ok",)), "score": SCORE._replace(files=("metrics.json", "owned"))},
        {"entry": having(trial=("ok",), metrics=True), "score": SCORE._replace(refusal="")},
    ],
)
def test_each_breach_is_seen(tmp_path: Path, seen: dict[str, Any]) -> None:
    assert breaches(tmp_path, **seen)


def test_what_is_allowed_by_name_is_no_breach(tmp_path: Path) -> None:
    report = {"done": True, "reached": {"io": "3"}}
    assert breaches(tmp_path, having(allows={"io": "It stays inside."}), report=report) == ()


def _link(out: Path) -> None:
    (out / "x").symlink_to("/etc/passwd")


def _mode(out: Path) -> None:
    (out / "x").write_text("x")
    (out / "x").chmod(0o4755)


def _unrecorded(out: Path) -> None:
    (out / "x").write_text("x")


@pytest.mark.parametrize("spoil", [_link, _mode, _unrecorded])
def test_a_wrongly_collected_file_is_seen(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out").chmod(0o755)
    spoil(tmp_path / "out")
    assert breaches(tmp_path)


def test_too_much_collected_is_seen(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/x").write_bytes(bytes(3 << 20))
    run = result(artifacts=(Artifact(name="x", size=3 << 20, sha256="0"),), limits=Limits(out_mb=2))
    assert any("bytes were collected" in breach for breach in breaches(tmp_path, run=run))


def test_a_promise_that_is_absent_is_a_reason_to_skip() -> None:
    weak = Capabilities(backend="weak", isolates=False, holds={Promise.LOG: Hold.WATCHED})
    assert lacking(ENTRY, weak) == "the weak sandbox does not hold: files"
    assert lacking(ENTRY, ALL) == ""
    log = having(contained_by=(Promise.LOG, "scoring"))
    assert lacking(log, weak) == ""
    assert lacking(log.model_copy(update={"enforced": True}), weak) == "the weak sandbox only watches: log"


@pytest.fixture
def scene(tmp_path: Path) -> Any:
    ear = Ear(tmp_path)
    scene = Scene(tmp_path, ENTRY, ear, EVALUATE)
    yield scene
    scene.close()
    ear.close()
    assert not list(tmp_path.glob("clocks-*"))


def test_every_decoy_is_watched(scene: Scene) -> None:
    assert scene.disturbed() == ()
    (scene.root / "campaign/journal.jsonl").chmod(0o600)
    (scene.root / "home/.ssh/id_rsa").unlink()
    (scene.root / "decoy.txt").write_text("x")
    (scene.root / "more").mkdir()
    scene.shm.write_text("x")
    scene.victim.kill()
    scene.victim.wait()
    assert set(scene.disturbed()) == {
        "campaign/journal.jsonl",
        "decoy.txt",
        "home/.ssh/id_rsa",
        "more",
        "process",
        "shared file",
    }

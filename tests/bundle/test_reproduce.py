"""Reproduce: an honest claim comes out the same; an invented one verifies, and does not come out."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from agents.records import Claim, Execution, Stage, Verdict
from flows.bundle import verify_bundle
from flows.bundle.exporting import export
from flows.errors import ClaimUnknown, TemplateChanged
from flows.reproducing import How, open_subject, reproduce
from sandboxes import Outcome, RunResult, RunSpec, SandboxError
from tests.bundle.pretended import Machine, again, left
from tests.bundle.recorded import NAME, Recorded, toss


def tree(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path): sha256(path.read_bytes()).hexdigest() for path in files}


def test_an_honest_claim_comes_out_the_same_bit_for_bit(at: Recorded, machine: Machine, tmp_path: Path) -> None:
    before = tree(at.home)
    found = again(at.home, NAME)
    assert found.reproduced
    assert (found.verdict, found.verdict_now) == (Verdict.SUPPORTED, Verdict.SUPPORTED)
    plan = at.state.plans["p1"]
    assert [(row.seed, row.candidate) for row in found.rows] == [
        (seed, side) for seed in plan.seeds[: at.claim.n] for side in (plan.candidate, plan.comparator)
    ]
    assert all(row.equal and row.same_outputs and row.recorded == row.now for row in found.rows)
    assert found.says.startswith("k1 reproduces: 10 of 10 executions are equal to the last bit")
    assert tree(at.home) == before
    assert left(tmp_path) == []


def test_the_numbers_that_programs_get_are_those_of_the_journal_s_salt(at: Recorded, machine: Machine) -> None:
    again(at.home, NAME)
    now = [spec.argv for spec in machine.sandboxes[0].runs]
    then = [spec.argv for spec in at.sandbox.runs]
    assert set(now) <= set(then)


def test_challenges_are_run_again_on_request(at: Recorded, machine: Machine) -> None:
    found = again(at.home, NAME, How(challenges=True))
    assert found.reproduced
    assert {row.plan for row in found.rows} == {"p1", "p2", "p3"}
    assert [effect.plan for effect in found.effects] == ["p1", "p2", "p3"]
    assert [spec for spec in machine.sandboxes[0].runs if "weightless" in spec.argv]


def test_a_bundle_is_reproduced_without_its_campaign(bundle: Path, machine: Machine, tmp_path: Path) -> None:
    assert again(tmp_path / "nowhere", str(bundle)).reproduced
    assert left(tmp_path) == []
    assert not (tmp_path / "nowhere").exists()


def invented(execution: Execution) -> Mapping[str, float] | None:
    """What a dishonest program would record: the candidate a little better than it was."""
    if execution.stage is not Stage.CONFIRM or execution.candidate == "c0" or execution.metrics is None:
        return execution.metrics
    return {**execution.metrics, "height": execution.metrics["height"] + 0.0625}


def test_an_invented_metric_verifies_and_does_not_reproduce(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: Machine
) -> None:
    monkeypatch.chdir(tmp_path)
    liar = Recorded(tmp_path, told=invented).confirmed()
    made = export(liar.home, NAME, tmp_path / "x.zip", {})
    assert all(finding.ok for finding in verify_bundle(made.path))
    for told in (NAME, str(made.path)):
        found = again(liar.home, told)
        assert not found.reproduced
        assert [row.equal for row in found.rows] == [False, True] * 5
        assert "5 of 10 executions came out otherwise, first seed 1001 of c" in found.says
        (effect,) = found.effects
        assert effect.now is not None
        assert effect.recorded == pytest.approx(effect.now + 0.0625)
        assert found.verdict_now is found.verdict, "a small lie, and still one"


def test_an_invented_number_that_was_not_the_claim_s_is_found_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: Machine
) -> None:
    def told(execution: Execution) -> Mapping[str, float] | None:
        return {**execution.metrics, "tosses": 2.0} if execution.plan and execution.metrics else execution.metrics

    monkeypatch.chdir(tmp_path)
    found = again(Recorded(tmp_path, told=told).confirmed().home, NAME)
    assert not found.reproduced
    assert found.rows[0].differs == ("tosses 2.0 recorded, 1.0 now",)


def test_a_claim_that_was_not_what_its_executions_say_does_not_reproduce(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: Machine
) -> None:
    monkeypatch.chdir(tmp_path)
    campaign = Recorded(tmp_path).confirmed()
    lie: Claim = campaign.claim.model_copy(update={"verdict": Verdict.REFUTED})
    campaign.append("claim", lie)
    found = again(campaign.home, NAME)
    assert not found.reproduced
    assert "the executions are those recorded, but the rule says supported, the record refuted" in found.says


def test_a_workload_that_fails_now_and_did_not_then_is_named(at: Recorded, machine: Machine) -> None:
    def fails(spec: RunSpec) -> RunResult | Mapping[str, bytes]:
        made = toss(spec)
        if isinstance(made, dict) and made.get("number.txt", b"").startswith(b"2."):
            return RunResult(
                run_id=spec.run_id, outcome=Outcome.FAILED, exit_code=1, backend="fake", limits=spec.limits
            )
        return made

    machine.script = fails
    found = again(at.home, NAME)
    assert not found.reproduced
    assert found.rows[0].now == "failed"
    assert found.rows[0].differs[0] == "outcome ok recorded, failed now"
    assert "no pair gave two numbers" in found.says


def test_a_claim_that_is_not_there_is_said_to_be_none(at: Recorded, machine: Machine) -> None:
    with open_subject(at.home, NAME) as subject, pytest.raises(ClaimUnknown, match="It makes: k1"):
        subject.claim("k9")


def test_a_template_that_changed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: Machine) -> None:
    monkeypatch.chdir(tmp_path)
    campaign = Recorded(tmp_path).confirmed()
    (campaign.template.root / "README.md").write_text("Another brief.")
    with pytest.raises(TemplateChanged):
        again(campaign.home, NAME)


def test_another_sandbox_or_image_is_said(at: Recorded, machine: Machine) -> None:
    machine.image_id = "sha256:" + "a" * 64
    found = again(at.home, NAME, How(sandbox="docker"))
    assert machine.asked[0][0].sandbox == "docker"
    assert machine.asked[0][1] == ""
    assert [note for note in found.notes if "process sandbox, this in docker" in note]
    assert [note for note in found.notes if "the host's own Python then, sha256:aaaa" in note]
    assert again(at.home, NAME).reproduced
    assert machine.asked[1][1] == "process"


def test_a_platform_that_fails_twice_is_forgiven_and_a_third_time_says_nothing_of_the_claim(
    at: Recorded, machine: Machine, tmp_path: Path
) -> None:
    failures = {"left": 2}
    lock = threading.Lock()

    def flaky(spec: RunSpec) -> RunResult | Mapping[str, bytes]:
        with lock:
            if failures["left"]:
                failures["left"] -= 1
                raise SandboxError("the engine went away")
        return toss(spec)

    machine.script = flaky
    assert again(at.home, NAME).reproduced
    failures["left"] = 10_000
    with pytest.raises(SandboxError, match="went away"):
        again(at.home, NAME)
    assert left(tmp_path) == []


def test_ctrl_c_leaves_nothing(at: Recorded, machine: Machine, tmp_path: Path) -> None:
    def pressed(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with open_subject(at.home, NAME) as subject, pytest.raises(KeyboardInterrupt):
        reproduce(subject, subject.claim("k1"), How(), at.home, pressed)
    assert left(tmp_path) == []
    with pytest.raises(SandboxError):
        machine.sandboxes[0].prepare(_any(tmp_path))  # It was closed.


def _any(tmp_path: Path) -> RunSpec:
    return RunSpec(run_id="x", argv=("{python}",), code=tmp_path, out=tmp_path / "out")


def test_the_comparison_can_be_read_by_a_machine(at: Recorded, machine: Machine) -> None:
    told: dict[str, Any] = json.loads(json.dumps(asdict(again(at.home, NAME))))
    assert told["reproduced"] is True
    assert told["rows"][0].keys() == {
        "plan", "seed", "candidate", "recorded", "now", "equal", "differs", "same_outputs",
    }  # fmt: skip

"""A closed campaign spoiled on disk: results copied, code of an ablation weakened, prose and references bent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agents.records import Candidate, Edit, Patch
from flows.ledger.audit_copies import copy_faults
from flows.ledger.audit_prose import reference_faults, wording_faults
from flows.ledger.folds import reduce_events
from flows.reporting import ablation_faults, claim_faults
from flows.writing import close
from tests.played import noise
from tests.played.conftest import copied as copied_campaign
from tests.played.forging import forged, of_kind
from tests.played.playing import Played
from tests.played.test_course import Told

Pick = Callable[[dict[str, Any]], bool]


def copies(played: Played, change: Callable[[Told], None]) -> list[str]:
    state = reduce_events(forged(played.events, change))
    return list(copy_faults(played.folder, state, played.template.manifest))


def copied(source: Pick, target: Pick) -> Callable[[Told], None]:
    """Give one execution the outputs and the scores of another."""

    def change(told: Told) -> None:
        runs = of_kind(told, "execution")
        one = next(run for run in runs if source(run))
        other = next(run for run in runs if target(run) and run["seed"] != one["seed"])
        other["artifacts"], other["metrics"] = one["artifacts"], one["metrics"]

    return change


def of(candidate: str, plan: str | None = None, condition: str | None = None) -> Pick:
    return lambda run: (run["candidate"], run["plan"], run["condition"]) == (candidate, plan, condition)


def test_results_of_their_own_are_no_copies(played: Played) -> None:
    assert copies(played, lambda told: None) == []


def test_one_run_counted_twice_is_found(played: Played) -> None:
    who = played.state.plans["p1"].candidate
    (fault,) = copies(played, copied(of(who, "p1"), of(who, "p1")))
    assert fault.endswith(": one run, counted twice.")


def test_a_result_that_is_another_candidate_s_is_found(played: Played) -> None:
    (fault,) = copies(played, copied(of("c2"), of("c0", "p1")))
    assert "which is another candidate's" in fault


def test_a_result_carried_over_to_another_condition_is_found(played: Played) -> None:
    plan = played.state.plans["p1"]
    under = next(p for p in played.state.plans.values() if p.condition == "far" and p.candidate == plan.candidate)
    (fault,) = copies(played, copied(of(plan.candidate, "p1"), of(plan.candidate, under.id, "far")))
    assert "although it ran with far" in fault


def test_a_workload_that_makes_no_use_of_its_seed_copies_nothing(played: Played) -> None:
    def constant(told: Told) -> None:
        first = {run["candidate"]: run["artifacts"] for run in reversed(of_kind(told, "execution"))}
        for run in of_kind(told, "execution"):
            run["artifacts"] = first[run["candidate"]]

    assert copies(played, constant) == []


def test_results_of_a_few_bytes_may_agree(spoiled: Played) -> None:
    for walk in spoiled.folder.glob("executions/*/out/walk.txt"):
        walk.write_text("1")
    who = spoiled.state.plans["p1"].candidate
    assert copies(spoiled, copied(of(who, "p1"), of(who, "p1"))) == []


def test_an_ablation_whose_code_was_weakened_is_found(spoiled: Played) -> None:
    state = spoiled.state
    ablated = next(c for c in state.candidates.values() if c.branch.startswith("challenge/"))
    text = spoiled.template.sources()["workload/run.py"].replace("LOUD = 0", "LOUD = 1")
    patch = Patch(idea=ablated.idea or "", summary="x", edits=(Edit(path="workload/run.py", text=text),), by="me")
    sha = spoiled.workspace.commit_candidate(patch, ablated.parent or "", "challenge/x", {}, spoiled.events[-1].at)
    worse = Candidate.model_validate(ablated.model_dump() | {"commit": sha})
    changed = replace(state, candidates={**state.candidates, ablated.id: worse})
    (fault,) = ablation_faults(spoiled.folder, changed)
    assert f"the code of {ablated.id} is not that of" in fault


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("estimate", 9.0, "claim k1 says estimate is 9.0"),
        ("verdict", "inconclusive", "claim k1 says verdict is inconclusive"),
        ("exploratory", True, "claim k1 says exploratory is True"),
        ("statement", "It is good.", "claim k1 says statement is It is good."),
    ],
)
def test_a_claim_that_is_not_what_its_executions_allow_is_found(
    played: Played, field: str, value: object, says: str
) -> None:
    def claim(told: Told) -> None:
        for data in of_kind(told, "claim"):
            if data["id"] == "k1":
                data[field] = value

    assert any(says in fault for fault in claim_faults(reduce_events(forged(played.events, claim))))


def test_a_draft_that_says_more_than_its_verdicts_is_found(played: Played) -> None:
    def brag(told: Told) -> None:
        for draft in of_kind(told, "draft"):
            draft["sections"][2]["body"] += "\n\nAll in all the new source outperforms everything."

    state = reduce_events(forged(played.events, brag))
    (fault,) = wording_faults(state, played.template.manifest)
    assert "the results says 'outperforms', but is bound to no claim" in fault


@pytest.mark.parametrize(
    ("references", "says"),
    [
        (noise.REFERENCES.replace("year = {1950}", "year = {1950}, keywords = {physics, disowned}"), "is disowned"),
        (noise.REFERENCES.replace("year = {1950}", "note = {Retracted by the journal}"), "is disowned"),
        (noise.REFERENCES.replace("doe1950noise", "roe1950noise"), "is in no reference list"),
    ],
)
def test_a_reference_that_is_disowned_or_missing_is_found(spoiled: Played, references: str, says: str) -> None:
    (spoiled.folder / "paper" / "references.bib").write_text(references, encoding="utf-8")
    faults = list(reference_faults(spoiled.folder, spoiled.state, spoiled.template.manifest))
    assert len(faults) >= 3
    assert all(says in fault for fault in faults)
    assert any("the template rests on 'doe1950noise'" in fault for fault in faults)
    assert any(fault.startswith("idea ") for fault in faults)


def test_the_closing_sweeps_what_was_begun_and_never_finished(begun: Played, tmp_path: Path) -> None:
    campaign = copied_campaign(begun, tmp_path)
    left = campaign.folder / "executions" / "0123456789abcdef"
    left.mkdir()
    (left / "run.log").write_text("cut off")
    with campaign.opened(fence=2) as opened:
        close(opened, "enough")
    assert not left.exists()
    assert {path.name for path in left.parent.iterdir()} == set(campaign.state.executions)

"""The state of a campaign follows from its journal and from nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from agents.records import Candidate, Execution, Lesson, Split, Stage, Verdict
from flows.ledger.accounts import dossier
from flows.ledger.errors import EventInvalid
from flows.ledger.folds import apply, reduce_events
from flows.ledger.journal import MemoryJournal
from flows.ledger.keys import execution_key
from flows.ledger.state import CampaignState, attempts, tried
from tests.ledger.sample import claim, idea, plan
from tests.ledger.ticking import ticking

BEGIN = {
    "spec": {"name": "ising", "alpha": 0.05}, "question": "Does it help?", "template": "tiny", "digest": "d",
    "image_id": None, "backend": "process",
}  # fmt: skip
Append = Callable[[str, BaseModel | dict[str, Any]], None]


@pytest.fixture
def journal() -> MemoryJournal:
    journal = MemoryJournal(ticking())
    journal.append("campaign", BEGIN)
    journal.append("candidate", candidate("c0", None))
    journal.append("round", {"round": 1})
    journal.append("ideas", {"round": 1, "ideas": [idea(f"i{n}").model_dump(mode="json") for n in (1, 2, 3, 4)]})
    return journal


def candidate(id_: str, of: str | None, branch: str | None = None, **more: object) -> Candidate:
    values = {"id": id_, "idea": of, "commit": id_ * 20, "parent": None, "branch": branch or f"idea/{of}"} | more
    return Candidate.model_validate(values)


def execution(key: str, outcome: str = "ok", of: str = "c1") -> Execution:
    return Execution(key=key, candidate=of, stage=Stage.SCREEN, split=Split.SEARCH, seed=1, outcome=outcome)


def screened(of: str, effect: float | None, passed: bool) -> dict[str, Any]:
    return {"idea": of, "candidate": "c1", "effect": effect, "spread": 0.1, "n": 2, "passed": passed}


def test_an_empty_journal_is_an_empty_campaign() -> None:
    state = reduce_events(())
    assert state == CampaignState()
    assert (state.name, state.digest, state.backend, state.closed, state.last) == ("", "", "", None, 0)


def test_the_opening_is_told(journal: MemoryJournal) -> None:
    state = reduce_events(journal.events())
    assert (state.name, state.template, state.question) == ("ising", "tiny", "Does it help?")
    assert (state.rounds, state.proposed, list(state.ideas)) == ((1,), (1,), ["i1", "i2", "i3", "i4"])
    assert state.last == 4


def test_going_on_event_by_event_gives_what_reading_all_gives(journal: MemoryJournal) -> None:
    state = CampaignState()
    for event in journal.events():
        state = apply(state, event)
    assert state == reduce_events(journal.events())
    assert state == reduce_events(journal.events()[2:], reduce_events(journal.events()[:2]))


def test_applying_an_event_changes_no_earlier_state(journal: MemoryJournal) -> None:
    before = reduce_events(journal.events())
    copy = reduce_events(journal.events())
    apply(before, journal.append("candidate", candidate("c1", "i1")))
    assert before == copy


def test_a_repair_stands_for_its_idea_and_an_ablation_does_not(journal: MemoryJournal) -> None:
    for record in (candidate("c1", "i1"), candidate("c2", "i1", repaired=True), candidate("c3", "i1", "challenge/k1")):
        journal.append("candidate", record)
    state = reduce_events(journal.events())
    assert state.candidate_of("i1").id == "c2"
    with pytest.raises(KeyError):
        state.candidate_of("i2")


def test_a_claim_is_replaced_after_its_challenge_but_keeps_its_place(journal: MemoryJournal) -> None:
    plan_event = journal.append("plan", plan())
    first = journal.append("claim", claim(("e1",)))
    journal.append("claim", claim(("e1",), verdict=Verdict.REFUTED))
    state = reduce_events(journal.events())
    assert state.claim_of("p1") == claim(("e1",), verdict=Verdict.REFUTED)
    assert state.claim_of("p2") is None
    assert state.claim_seqs == {"k1": first.seq}
    assert state.plan_events == {"p1": (plan_event.seq, plan_event.hash)}


def test_outcomes_are_told_idea_by_idea(journal: MemoryJournal) -> None:
    journal.append("screened", screened("i1", 0.2, passed=True))
    journal.append("screened", screened("i2", 0.0, passed=False))
    journal.append("discard", {"idea": "i3", "why": "no such file"})
    assert [(t.idea.id, t.outcome, t.effect) for t in tried(reduce_events(journal.events()))] == [
        ("i1", "survived", 0.2), ("i2", "screened", 0.0), ("i3", "crashed", None)
    ]  # fmt: skip
    journal.append("screened", screened("i4", None, passed=False))
    journal.append("plan", plan())
    journal.append("claim", claim((), verdict=Verdict.INCONCLUSIVE))
    assert [t.outcome for t in tried(reduce_events(journal.events()))] == [
        "inconclusive", "screened", "crashed", "crashed"
    ]  # fmt: skip


def test_attempts_are_counted_up_to_an_event(journal: MemoryJournal) -> None:
    journal.append("candidate", candidate("c1", "i1"))
    journal.append("execution", execution("e1"))
    journal.append("plan", plan())
    upto = journal.append("claim", claim((), looks=3)).seq
    journal.append("execution", execution("e2"))
    journal.append("claim", claim((), looks=3, verdict=Verdict.REFUTED))
    state = reduce_events(journal.events())
    then, now = attempts(state, upto), attempts(state)
    assert (then.ideas, then.candidates, then.executions, then.plans, then.looks) == (4, 1, 1, 1, 3)
    assert (now.executions, now.looks) == (2, 3)


def test_a_dossier_holds_what_a_paper_may_speak_of(journal: MemoryJournal) -> None:
    lesson = Lesson(id="l1", round=1, kind="helps", statement="It helps.", factors=("wolff",), belief=0.9)
    journal.append("lessons", {"round": 1, "lessons": [lesson.model_dump(mode="json")]})
    journal.append("finalists", {"round": 1, "ideas": ["i1"]})
    state = reduce_events(journal.events())
    told = dossier(state)
    assert (told.campaign, told.question, told.alpha, told.sandbox) == ("ising", "Does it help?", 0.05, "process")
    assert told.lessons == (lesson,)
    assert (state.learned, state.finalists) == ((1,), {1: ("i1",)})


@pytest.mark.parametrize(
    ("kind", "data", "why"),
    [
        ("surprise", {}, "unknown"),
        ("campaign", BEGIN, "begun already"),
        ("round", {}, "lacks 'round'"),
        ("candidate", {"id": "c1"}, "Field required"),
        ("candidate", candidate("c0", None), "c0 is there already"),
        ("ideas", {"round": 2, "ideas": [idea().model_dump(mode="json")]}, "i1 is there already"),
        ("execution", {**execution("e1").model_dump(mode="json"), "metrics": {"error": "much"}}, "valid number"),
    ],
)
def test_an_event_that_makes_no_sense_is_refused(journal: MemoryJournal, kind: str, data: Any, why: str) -> None:
    with pytest.raises(EventInvalid, match=why):
        reduce_events([*journal.events(), journal.append(kind, data)])


def test_nothing_is_added_to_a_closed_campaign(journal: MemoryJournal) -> None:
    journal.append("closed", {"why": "every round is done"})
    journal.append("notice", {"text": "one more thing"})
    with pytest.raises(EventInvalid, match="closed before"):
        reduce_events(journal.events())


def test_a_plan_is_never_replaced(journal: MemoryJournal) -> None:
    journal.append("plan", plan())
    journal.append("plan", plan(least_effect=0.5))
    with pytest.raises(EventInvalid, match="registered stays"):
        reduce_events(journal.events())


def test_no_execution_is_finished_twice_but_a_cancelled_one_may_run_again(journal: MemoryJournal) -> None:
    journal.append("execution", execution("e1", "cancelled"))
    event = journal.append("execution", execution("e1"))
    state = reduce_events(journal.events())
    assert (state.executions["e1"].outcome, state.seqs["e1"]) == ("ok", event.seq)
    journal.append("execution", execution("e1"))
    with pytest.raises(EventInvalid, match="none runs twice"):
        reduce_events(journal.events())


def test_executions_are_found_by_candidate_stage_and_plan(journal: MemoryJournal) -> None:
    journal.append("execution", execution("e1"))
    journal.append("execution", execution("e2", of="c0"))
    state = reduce_events(journal.events())
    assert [e.key for e in state.executions_of("c1")] == ["e1"]
    assert [e.key for e in state.executions_of("c0", Stage.SCREEN)] == ["e2"]
    assert state.executions_of("c0", Stage.CONFIRM) == ()
    assert state.executions_of("c0", plan="p1") == ()


def test_every_part_of_an_execution_is_in_its_key() -> None:
    parts: dict[str, Any] = {
        "commit": "a", "template_digest": "b", "image_id": None, "stage": Stage.SCREEN, "seed": 1,
        "split": Split.SEARCH, "plan": None,
    }  # fmt: skip
    other = {"commit": "x", "template_digest": "x", "image_id": "x", "stage": Stage.CONFIRM, "seed": 2,
             "split": Split.CONFIRM, "plan": "p1"}  # fmt: skip
    keys = {execution_key(**parts)} | {execution_key(**(parts | {name: value})) for name, value in other.items()}
    assert len(keys) == 8
    assert all(len(key) == 16 for key in keys)
    assert execution_key(**parts) == execution_key(**(parts | {"stage": "screen", "split": "search"}))


DEVIATION = {"plan": "p1", "what": "a later look", "why": "the disk was full", "at": "2026-01-02T03:04:05Z"}


def test_a_deviation_changes_the_plan_and_what_was_frozen_stays_known(journal: MemoryJournal) -> None:
    frozen = journal.append("plan", plan())
    event = journal.append("deviation", DEVIATION | {"changes": {"least_effect": 0.5}})
    state = reduce_events(journal.events())
    assert state.plans["p1"].least_effect == 0.5
    (change,) = state.changed["p1"]
    assert (change.before, change.event.seq) == (plan(), event.seq)
    assert state.plan_events["p1"].seq == frozen.seq


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (DEVIATION | {"plan": "p9"}, "never registered"),
        (DEVIATION | {"changes": {"level": 0.5}}, "level of plan p1 cannot change"),
        (DEVIATION | {"why": ""}, "why"),
    ],
)
def test_a_deviation_that_may_not_be_is_refused(journal: MemoryJournal, data: dict[str, Any], why: str) -> None:
    journal.append("plan", plan())
    journal.append("deviation", data)
    with pytest.raises(EventInvalid, match=why):
        reduce_events(journal.events())

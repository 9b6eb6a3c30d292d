"""Rates of a team that thinks: how many repairs its code needed, and how often it proposed the same again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from agents.model import ModelCall
from agents.records import Candidate, Execution, Split, Stage
from flows.commands.show import _ran
from flows.ledger.accounts import dossier, ran_within, sifted
from flows.ledger.folds import reduce_events
from flows.ledger.journal import MemoryJournal
from flows.ledger.state import CampaignState
from flows.papers import ledgers
from flows.papers.binding import Bindings, bind
from flows.summary import facts
from templates.manifest import Manifest
from tests.ledger.sample import idea
from tests.ledger.ticking import ticking

SPEC = {"name": "ising", "alpha": 0.05, "budget": {"rounds": 1, "plans_per_round": 1}, "llm": {"repairs": 2}}
REJECTED = (
    {"title": "A", "statement": "A helps", "why": "duplicate-of i1"},
    {"title": "B", "statement": "B helps", "why": "duplicate-of-failed i2"},
    {"title": "C", "statement": "C helps", "why": "lost the tournament"},
    {"title": "D", "statement": "D helps, a duplicate-of nothing", "why": "too bold"},
    {"title": "", "statement": "", "why": "The ideator's answer could not be used."},
)


def state_of(outcomes: Sequence[Sequence[str]], discarded: Sequence[str] = (), unsettled: str = "") -> CampaignState:
    """Return a campaign of ideas i1, i2, ...: for each its candidates' outcomes on two seeds, repairs after crashes."""
    journal = MemoryJournal(ticking())
    journal.append(
        "campaign",
        {"spec": SPEC, "question": "?", "template": "t", "digest": "d", "image_id": None, "backend": "process"},
    )
    ideas = [idea(f"i{number}").model_dump(mode="json") for number in range(1, len(outcomes) + 1)]
    journal.append("ideas", {"round": 1, "ideas": ideas, "rejected": list(REJECTED)})
    for number, tries in enumerate(outcomes, 1):
        for count, (first, second) in enumerate(tries):
            id_ = f"c{number}{count}"
            journal.append("candidate", candidate(id_, f"i{number}", repaired=count > 0))
            for seed, outcome in enumerate((first, second)):
                journal.append("execution", execution(id_, seed, outcome))
        if f"i{number}" in discarded:
            journal.append("discard", {"idea": f"i{number}", "why": "The coder gave up."})
        elif f"i{number}" != unsettled:
            effect = 0.1 if tries and tries[-1] == "oo" else None
            seen = {"idea": f"i{number}", "candidate": id_, "effect": effect, "spread": 0.1, "n": 2, "passed": False}
            journal.append("screened", seen)
    return reduce_events(journal.events())


def candidate(id_: str, of: str, repaired: bool = False, branch: str = "") -> Candidate:
    return Candidate(id=id_, idea=of, commit=id_, parent=None, branch=branch or f"idea/{of}", repaired=repaired)


def execution(of: str, seed: int, outcome: str) -> Execution:
    return Execution(
        key=f"{of}/{seed}", candidate=of, stage=Stage.SCREEN, split=Split.SEARCH, seed=seed,
        outcome="ok" if outcome == "o" else "failed",
    )  # fmt: skip


def test_ideas_are_counted_by_the_repairs_that_their_code_needed() -> None:
    ran = ran_within(state_of([["oo"], ["ox", "oo"], ["xx", "ox", "oo"], ["oo"], ["xx", "xx", "xo"], []], ["i6"]))
    assert ran.after == (2, 1, 1)
    assert (ran.ideas, ran.at_once, ran.mended, ran.crashed, ran.unwritten, ran.repairs) == (6, 2, 2, 1, 1, 2)
    assert ran.share == pytest.approx(4 / 6)


def test_an_idea_that_is_still_under_way_is_not_counted() -> None:
    assert ran_within(state_of([["oo"], ["xx"]], unsettled="i2")).ideas == 1


def test_where_nothing_was_put_into_code_there_is_no_share() -> None:
    ran = ran_within(state_of([]))
    assert (ran.ideas, ran.after, ran.share) == (0, (), None)


def test_an_ablation_of_an_idea_is_no_try_of_its_code() -> None:
    state = state_of([["xx"]])
    ablated = candidate("c9", "i1", branch="challenge/k1")
    executions = {**state.executions, "c9/1": execution("c9", 1, "o")}
    changed = CampaignState(
        **{**vars(state), "candidates": {**state.candidates, "c9": ablated}, "executions": executions}
    )
    assert (ran_within(changed).after, ran_within(changed).crashed) == ((), 1)


def test_duplicates_are_a_share_of_all_that_was_proposed() -> None:
    made = sifted(state_of([["oo"], ["oo"]]))
    assert (made.proposals, made.duplicates, made.failed) == (6, 2, 1)
    assert made.share == pytest.approx(1 / 3)


def test_the_paper_tells_the_rates_by_bindings_where_models_were_asked() -> None:
    state = state_of([["oo"], ["ox", "oo"]])
    call = ModelCall(key="k", digest="d", role="coder", stage="code", about="i1", model="m", input=1, output=1)
    asked = CampaignState(**{**vars(state), "calls": {"k": call}})
    told, _ = bind(ledgers.thinking(dossier(asked)), Bindings(dossier(asked), Manifest.model_construct()))
    assert (
        "Of 2 ideas that were to be put into code, 1 ran at once and 1 after repairs, of which 2 were allowed each; "
        "0 crashed to the end and 0 came to no code. Of 6 proposals 2 were turned away because they said again what "
        "the campaign had, 1 of them what had failed."
    ) in told
    assert ledgers.thinking(dossier(state)) == ""


def test_status_tells_the_rates_where_models_were_asked(tmp_path: Any) -> None:
    state = state_of([["oo"], ["ox", "oo"]])
    assert facts(state, tmp_path)["thinking"] is None
    call = ModelCall(key="k", digest="d", role="coder", stage="code", about="i1", model="m", input=1, output=1)
    told = facts(CampaignState(**{**vars(state), "calls": {"k": call}}), tmp_path)["thinking"]
    assert (told["ran"]["after"], told["ran"]["share"], told["sifted"]["duplicates"]) == ([1, 1], 1.0, 2)
    assert _ran(told) == (
        "2 of 2 ideas ran within 2 repairs (1 at once, 1 after 1 repair, 0 never, 0 came to no code); "
        "2 of 6 proposals were duplicates"
    )

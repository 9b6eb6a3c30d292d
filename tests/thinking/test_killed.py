"""A campaign that is killed at every boundary goes on as if nothing had been, and buys no answer twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.errors import ModelBudgetSpent
from agents.metering import Purse
from agents.model import Call
from agents.records import Draft
from flows.ledger.audit_calls import call_faults
from flows.papers.striking import Struck
from flows.rounds import run_rounds
from tests.thinking.ending import to_the_end
from tests.thinking.killing import SMALL, Counting, Deaths, Killed, Point, campaign, killed_everywhere
from tests.thinking.playing import LlmPlayed

AT_ONCE = {
    "thoughts": 4,
    "llm": {"panel": {"reviewers": 1}, "ideas": {"tournament": {"comparisons": 4, "parallel": 4}}},
}
SAME = ("ideas", "rejected", "references", "discarded", "screened", "finalists", "lessons", "attacks", "left_out")
WRITTEN = ("draft", "drafts", "reviews", "closed")
TOUCHING = ("campaign", "candidate", "execution", "paper", "closed")
"""Kinds of events before which something outside of the journal is written."""

Survived = tuple[LlmPlayed, Counting, Deaths]


def boundary(point: Point) -> bool:
    """Choose every boundary of a call and of an event but the end; of executions, which are alike, every tenth.

    Before events of other kinds than `TOUCHING` the disk is as it was after the event or call before.
    """
    place, kind = point[0], point[-1]
    if kind == "execution":
        return int(point[1]) % 10 == 0
    return kind in TOUCHING if place == "before" else (place, kind) != ("after", "closed")


def told(played: LlmPlayed) -> dict[str, Any]:
    """Return what a campaign came to, without what bears the time: commits, and the keys of executions."""
    state = played.state
    return {
        **{name: getattr(state, name) for name in (*SAME, *WRITTEN)},
        "patches": [(c.idea, c.summary, played.workspace.sources(c.commit)) for c in state.candidates.values()],
        "plans": list(state.plans.values()),
        "claims": [claim.model_dump(exclude={"executions"}) for claim in state.claims.values()],
        "executions": [(e.candidate, e.stage, e.seed, e.plan, e.metrics) for e in state.executions.values()],
        "calls": sorted(state.calls),
        "notices": state.notices,
    }


def killed(root: Path, dies: Any, **more: Any) -> Survived:
    played, model = campaign(root, **(SMALL | more))
    return played, model, killed_everywhere(played, model, dies)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> LlmPlayed:
    return to_the_end(campaign(tmp_path_factory.mktemp("whole"), **SMALL)[0])


@pytest.fixture(scope="module")
def survived(tmp_path_factory: pytest.TempPathFactory) -> Survived:
    return killed(tmp_path_factory.mktemp("killed"), boundary)


def test_it_comes_to_what_the_uninterrupted_campaign_comes_to(whole: LlmPlayed, survived: Survived) -> None:
    one, two = told(whole), told(survived[0])
    for name, value in one.items():
        assert two[name] == value, name


def test_it_went_through_every_stage(whole: LlmPlayed) -> None:
    roles = {call.role for call in whole.state.calls.values()}
    assert roles >= {"ideator", "coder", "repairer", "analyst", "falsifier", "writer", "reviewer", "chair"}
    assert any(call.stage == "revision" for call in whole.state.calls.values())


def test_no_answer_is_bought_twice_but_one_that_was_never_stored(whole: LlmPlayed, survived: Survived) -> None:
    _, model, deaths = survived
    assert deaths.lost == dict.fromkeys(whole.state.calls, 1)
    assert model.answered == dict.fromkeys(whole.state.calls, 2)


def test_it_was_killed_at_every_boundary(whole: LlmPlayed, survived: Survived) -> None:
    _, _, deaths = survived
    kinds = {event.kind for event in whole.events}
    assert {point[-1] for point in deaths.at if point[0] == "before"} == set(TOUCHING)
    assert {point[-1] for point in deaths.at if point[0] == "after"} == kinds - {"closed"}
    for place in ("received", "stored"):
        assert {point[1] for point in deaths.at if point[0] == place} == set(whole.state.calls)


def test_every_call_is_journalled_and_lies_where_the_journal_says(survived: Survived) -> None:
    played, _, _ = survived
    assert not list(call_faults(played.folder, played.state))


def test_a_store_that_forgets_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.storing.CallFolder.get", lambda self, key: None)
    _, model, deaths = killed(tmp_path, lambda point: point[0] == "after" and point[-1] in ("ideas", "draft"))
    assert len(deaths.at) == 3
    assert max(model.answered.values()) > 1


def test_calls_that_are_made_at_once_are_not_bought_twice_either(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    chosen: dict[Point, bool] = {}

    def dies(point: Point) -> bool:
        return chosen.setdefault(point, point[0] in ("received", "stored") and rng.random() < 0.25)

    whole = to_the_end(campaign(tmp_path / "whole", **(SMALL | AT_ONCE))[0])
    played, model, deaths = killed(tmp_path / "killed", dies, **AT_ONCE)
    assert deaths.at
    assert model.answered == {key: 1 + deaths.lost[key] for key in whole.state.calls}
    assert told(played) == told(whole)


def test_a_draft_that_was_struck_is_not_reviewed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def struck(draft: Draft, *_: object) -> Struck:
        why = () if draft.title == "Struck" else ("It said more than the evidence.",)
        return Struck(draft.model_copy(update={"title": "Struck"}), why)

    monkeypatch.setattr("flows.writing.struck", struck)
    whole = to_the_end(campaign(tmp_path / "whole", **SMALL)[0])
    played, _, deaths = killed(tmp_path / "killed", lambda point: point[0] == "after" and point[-1] == "draft")
    assert len(deaths.at) == whole.state.drafts == 3
    assert told(played) == told(whole)


def test_a_call_that_was_refused_stays_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was under way when it was refused is not when the campaign goes on, so the purse would allow it then."""
    reserve = Purse.reserve

    def crowded(purse: Purse, model: str, call: Call) -> int:
        if (call.role, call.about) == ("coder", "i2") and purse not in later:
            raise ModelBudgetSpent("dollars", 1.0, 0.1, 0.2)
        return reserve(purse, model, call)

    later: list[Purse] = []
    monkeypatch.setattr(Purse, "reserve", crowded)
    whole = to_the_end(campaign(tmp_path / "whole", **SMALL)[0])
    assert whole.state.closed == "budget spent"
    assert any("The coder was not asked (stage code about i2). The budget" in text for text in whole.state.notices)

    restore = Purse.restore
    monkeypatch.setattr(
        Purse,
        "restore",
        lambda purse, calls: (restore(purse, known := list(calls)), later.extend([purse] if known else [])),
    )
    played, model, deaths = killed(
        tmp_path / "killed", lambda point: point[0] == "after" and point[-1] in ("notice", "draft", "review")
    )
    assert [point[-1] for point in deaths.at][:2] == ["notice", "notice"]
    assert told(played) == told(whole)
    assert set(model.answered.values()) == {1}


def test_nothing_is_added_once_a_paper_is_drafted(tmp_path: Path) -> None:
    played, _ = campaign(tmp_path, **SMALL)
    deaths = Deaths(lambda point: point[0] == "after" and point[-1] == "draft")
    with pytest.raises(Killed), deaths.life():
        to_the_end(played)
    with played.opened(fence=2) as opened:
        assert run_rounds(opened, lambda number: pytest.fail(f"round {number}")) == "every round is done"

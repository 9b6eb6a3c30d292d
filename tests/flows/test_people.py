"""Copilot campaigns: what people are asked, what their answers change, and what they can never change."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.answering import give, given, question_of
from flows.errors import AnswerRefused, NobodyAnswered
from flows.ledger.answers import minutes_waited
from flows.ledger.errors import EventInvalid
from flows.people import ask
from flows.rounds import _propose as propose
from tests.flows.asking import Asked, approves, bad, embedded, rejects_all, says, thinking
from tests.played.playing import Played
from tests.thinking.rule import text_of

ITEM = {"id": "paper", "title": "A title", "text": "An abstract."}
REMARK = "Look at what the antenna picks up."


def test_people_are_asked_about_ideas_plans_and_paper_each_once(steered: Played) -> None:
    questions = list(steered.state.questions.values())
    assert [(q.id, q.at, q.round) for q in questions] == [("q1", "ideas", 1), ("q2", "plans", 1), ("q3", "paper", 0)]
    assert questions[0].asked_about == ("i1", "i2", "i3")
    assert "A registered test of c" in questions[1].items[0].text
    assert steered.state.draft is not None
    assert questions[2].items[0].text == steered.state.draft.abstract


def test_an_autopilot_campaign_asks_nothing(tmp_path: Path) -> None:
    with Asked().here() as asked, Played(tmp_path).opened() as campaign:
        ask(campaign, "ideas", 1)
        assert asked.questions == []
        with pytest.raises(EventInvalid, match="asks nobody"):
            campaign.append("question", {"id": "q1", "at": "paper", "round": 0, "items": [ITEM]})


def test_a_rejected_idea_never_runs_and_no_lesson_is_drawn_from_it(steered: Played) -> None:
    state = steered.state
    assert state.discarded == {"i1": "rejected by a person"}
    assert "i1" not in {candidate.idea for candidate in state.candidates.values()}
    titles = [lesson.statement for lesson in state.lessons]
    assert not any(state.ideas["i1"].title in title for title in titles)


def test_a_rejected_plan_is_not_frozen_and_the_records_hold(steered: Played) -> None:
    state = steered.state
    (gone,) = state.turned_away("plans")
    assert gone in state.finalists[1]
    assert gone not in {plan.idea for plan in state.plans.values()}
    assert bad(steered) == {}


def test_a_rejected_paper_is_revised_once_and_published(tmp_path: Path) -> None:
    played = embedded(tmp_path, ask_at=("ideas", "paper"))
    with Asked({"ideas": rejects_all, "paper": says("reject", ("paper",), remark="Too long.")}).here() as asked:
        played.play()
    assert [q.at for q in asked.questions] == ["ideas", "paper"]
    assert played.state.turned_down is not None
    assert played.state.drafts > played.state.turned_down
    assert played.state.paper is not None
    assert bad(played) == {}


def test_a_model_hears_remarks_codes_what_was_edited_and_answers_a_rejection(tmp_path: Path) -> None:
    played = thinking(tmp_path, rounds=2)
    edited = says("edit", remark=REMARK, mechanism="Outliers weigh most where the antenna is near.")
    asked = Asked({
        "ideas": lambda question: (edited if question.round == 1 else approves)(question),
        "paper": says("reject", ("paper",), remark="The discussion never says what this costs."),
    })  # fmt: skip
    with asked.here():
        played.play()
    idea = played.state.ideas["i1"]
    assert idea.by == "llm, edited by a person"
    coded = [text_of(call) for call in played.model.calls if call.role == "coder" and call.about == "i1"]
    assert coded
    assert all("where the antenna is near" in text and REMARK in text for text in coded)
    had = [text_of(call) for call in played.model.calls if call.role == "ideator"]
    assert [REMARK in text for text in had] == sorted(REMARK in text for text in had)
    assert REMARK in had[-1]
    assert REMARK not in had[0]
    revised = [text_of(call) for call in played.model.calls if call.stage == "revision"]
    assert any("never says what this costs" in text for text in revised)
    assert bad(played) == {}


def test_what_a_person_rejected_is_not_proposed_again(tmp_path: Path) -> None:
    played = embedded(tmp_path, rounds=2, ask_at=("ideas",))
    with Asked({"ideas": rejects_all}).here() as asked:
        played.play(rounds=2)
    assert [q.at for q in asked.questions] == ["ideas", "ideas"]
    factors = [idea.factors for idea in played.state.ideas.values()]
    assert len(set(factors)) == len(factors) == len(played.state.discarded)
    assert bad(played) == {}


def test_an_answered_question_is_not_asked_again_and_an_open_one_keeps_its_id(tmp_path: Path) -> None:
    played = embedded(tmp_path)
    with Asked({"plans": lambda question: None}).here(), pytest.raises(NobodyAnswered, match="hypoloop answer played"):
        played.play()
    assert set(played.state.answers) == {"q1"}
    with Asked({"plans": rejects_all}).here() as asked:
        played.play(rounds=1, fence=2)
    assert [q.id for q in asked.questions] == ["q2"]
    assert bad(played) == {}


def test_the_time_that_people_take_is_not_the_campaigns_work(steered: Played) -> None:
    events = steered.events
    asked = {e.data["id"]: e.at for e in events if e.kind == "question"}
    waited = sum((e.at - asked[e.data["question"]]).total_seconds() for e in events if e.kind == "answer")
    assert minutes_waited(events) == pytest.approx(waited / 60)
    assert waited > 0


@pytest.mark.parametrize("default", ["approve", "reject"])
def test_after_the_time_out_the_declared_answer_holds(tmp_path: Path, default: str) -> None:
    played = embedded(tmp_path, ask_at=("ideas",), on_timeout=default)
    with Asked({"ideas": lambda question: None}).here(), played.opened() as campaign:
        propose(campaign, 1)
        ask(campaign, "ideas", 1)
    (answer,) = played.state.answers.values()
    assert (answer.by, answer.decision) == ("timeout", default)
    assert len(played.state.discarded) == (3 if default == "reject" else 0)


def test_words_of_the_paper_can_be_edited_and_a_number_typed_there_is_asked_about_again(tmp_path: Path) -> None:
    played = embedded(tmp_path, ask_at=("ideas", "paper"))
    typed, words = says("edit", abstract="The loss fell by 42 decibels."), says("edit", title="Noise and its price")
    with Asked({"ideas": rejects_all, "paper": typed}, again=words).here() as asked:
        played.play()
    assert len(asked.refusals) == 1
    assert "types '42'" in asked.refusals[0]
    assert [answer.decision for answer in played.state.answers.values()] == ["reject", "edit"]
    paper = (played.folder / "paper" / "paper.typ").read_text(encoding="utf-8")
    assert "Noise and its price" in paper
    assert "embedded (title edited by a person)" in paper
    assert bad(played) == {}


def test_where_no_process_waits_the_answer_is_kept_and_the_campaign_goes_on_from_it(tmp_path: Path) -> None:
    played = embedded(tmp_path, ask_at=("ideas",))
    with Asked({"ideas": lambda question: None}).here(), pytest.raises(NobodyAnswered):
        played.play()
    question = question_of(played.state)
    assert not give(played.home, "played", given(question, False, ("all",), (), "None is new."))
    with pytest.raises(AnswerRefused, match="asks nothing now"):
        question_of(played.state)
    with Asked().here() as asked:
        played.play(rounds=1, fence=3)
    assert asked.questions == []
    assert set(played.state.discarded) == {"i1", "i2", "i3"}
    assert played.state.remarks("coder") == ("None is new.",)
    assert bad(played) == {}

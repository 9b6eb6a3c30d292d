"""Answers that a question does not allow, and journals in which somebody did without the answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from flows.answering import given, question_of
from flows.cli import hypoloop
from flows.errors import AnswerRefused, NobodyAnswered
from flows.ledger.answers import _faulty_words
from flows.ledger.audit_attacks import attack_faults
from flows.ledger.audit_course import registration_faults
from flows.ledger.errors import EventInvalid
from flows.ledger.state import CampaignState
from flows.pausing import answer_of, filled_in, told
from flows.people import refusal
from templates.template import Template
from tests.flows.asking import Asked, says, thinking
from tests.played.forging import Change, of_kind, walked
from tests.played.playing import Played

Told = list[dict[str, Any]]


@pytest.fixture(scope="module")
def proposed(tmp_path_factory: pytest.TempPathFactory) -> tuple[CampaignState, Template]:
    """Where a campaign of the language-model team stands when it asks about its ideas, and its template."""
    played = thinking(tmp_path_factory.mktemp("proposed"))
    with Asked({"ideas": lambda question: None}).here(), pytest.raises(NobodyAnswered):
        played.play()
    return played.state, played.template


def faults(played: Played, change: Change) -> str:
    steps, manifest = walked(played.events, change), played.template.manifest
    return "\n".join([*registration_faults(steps, manifest), *attack_faults(steps, manifest)])


def _drop(kind: str, at: str) -> Change:
    def change(told: Told) -> None:
        ids = {e["data"]["id"] for e in told if e["kind"] == "question" and e["data"]["at"] == at}
        mine = {"question": "id", "answer": "question"}
        told[:] = [e for e in told if not (e["kind"] == kind and e["data"][mine[kind]] in ids)]

    return change


def _without(at: str) -> Change:
    def change(told: Told) -> None:
        _drop("answer", at)(told)
        _drop("question", at)(told)
        numbers = {e["data"]["id"]: f"q{n}" for n, e in enumerate((e for e in told if e["kind"] == "question"), 1)}
        for data in (*of_kind(told, "question"), *of_kind(told, "answer")):
            key = "id" if "id" in data else "question"
            data[key] = numbers[data[key]]

    return change


def _approved(told: Told) -> None:
    data = next(d for d in of_kind(told, "answer") if d["question"] == "q2")
    data.update(decision="approve", rejected=[])


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (_approved, "got no plan, and nothing says why"),
        (_without("plans"), "got no plan, and nothing says why"),
        (_without("plans"), "and nobody was asked"),
        (_without("paper"), "goes on with paper, and nobody was asked"),
        (_drop("answer", "paper"), "goes on with paper before question q3 was answered"),
    ],
)
def test_going_on_without_the_answer_is_found(steered: Played, change: Change, fault: str) -> None:
    assert faults(steered, lambda told: None) == ""
    assert fault in faults(steered, change)


def test_a_notice_that_excuses_a_plan_that_could_be_is_found(steered: Played) -> None:
    gone = next(iter(steered.state.turned_away("plans")))

    def change(told: Told) -> None:
        _approved(told)
        at = next(n for n, e in enumerate(told) if e["kind"] == "answer" and e["data"]["question"] == "q2")
        told.insert(at + 1, told[at] | {"kind": "notice", "data": {"text": f"No plan for idea {gone}: no budget."}})

    assert faults(steered, change).endswith(f"says that idea {gone} could have no plan; it could.")


def _lands(what: str, place: Any) -> Change:
    def change(told: Told) -> None:
        of_kind(told, "answer")[0].update({what: place})

    return change


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_lands("rejected", ["i9"]), "'i9' is not what was asked about"),
        (_lands("rejected", []), "does not fit"),
        (_lands("by", "timeout"), "After the time-out the answer is 'stop'"),
        (_lands("question", "q7"), "q7 was never asked"),
        (lambda told: of_kind(told, "question")[0].update(id="q2"), "not the next question"),
        (lambda told: of_kind(told, "question")[0]["items"].pop(), "not about all of the ideas"),
        (lambda told: of_kind(told, "campaign")[0]["spec"].update(mode="autopilot"), "asks nobody about ideas"),
    ],
)
def test_a_journal_with_an_answer_that_none_could_give_cannot_be_read(
    steered: Played, change: Change, why: str
) -> None:
    with pytest.raises(EventInvalid, match=why):
        walked(steered.events, change)


def test_an_answer_that_comes_after_the_code_counts_for_nothing(steered: Played) -> None:
    def change(told: Told) -> None:
        at = next(n for n, e in enumerate(told) if e["kind"] == "answer")
        screened = next(n for n, e in enumerate(told) if e["kind"] == "screened")
        told.insert(screened, told.pop(at))

    with pytest.raises(EventInvalid, match="It is too late"):
        walked(steered.events, change)


@pytest.mark.parametrize(
    ("approve", "reject", "edits", "why"),
    [
        (False, (), (), "Say either"),
        (True, ("i1",), (), "Say either"),
        (False, (), (("i1", "A"), ("i1.statement", "B")), "twice"),
    ],
)
def test_what_was_typed_decides_one_thing(
    steered: Played, approve: bool, reject: tuple[str, ...], edits: tuple[tuple[str, str], ...], why: str
) -> None:
    with pytest.raises(AnswerRefused, match=why):
        given(steered.state.questions["q1"], approve, reject, edits, "")


@pytest.mark.parametrize(
    ("edits", "why"),
    [
        ({"metric": "gain"}, "can be edited, not 'metric'"),
        ({"statement": "It lowers the loss by 7"}, "may hold no number"),
        ({"title": " "}, "takes 1 to 200 characters"),
        ({"least_effect": "nan"}, "can only be raised"),
        ({"least_effect": "0.29"}, "can only be raised"),
        ({"least_effect": "much"}, "is a number"),
    ],
)
def test_what_an_idea_predicts_stays_out_of_reach(
    proposed: tuple[CampaignState, Template], edits: dict[str, str], why: str
) -> None:
    state, template = proposed
    question = question_of(state)
    assert why in refusal(state, template, question, says("edit", **edits)(question))
    raised = says("edit", least_effect="0.5", statement="Damping the source lowers the loss")
    assert refusal(state, template, question, raised(question)) == ""


def test_words_about_the_templates_own_factors_stay_as_they_are(steered: Played) -> None:
    question = steered.state.questions["q1"]
    idea = steered.state.ideas["i2"]
    told = says("edit", statement="It costs nothing")(question.model_copy(update={"items": question.items[1:]}))
    assert idea.factors
    assert "is the template's own" in next(_faulty_words(idea, "statement", told.edits["i2.statement"]))


def test_a_form_that_rejects_without_naming_anything_rejects_everything(steered: Played) -> None:
    question = steered.state.questions["q1"]
    assert answer_of(question, {"decision": "reject"}).rejected == question.asked_about
    edit = {"decision": "edit", "edits": [{"what": "i2.least_effect", "text": "0.5"}], "reject": ["i1"]}
    answer = answer_of(question, edit)
    assert (answer.rejected, answer.edits) == (("i1",), {"i2.least_effect": "0.5"})
    assert answer_of(question, filled_in(answer)) == answer


@pytest.mark.parametrize("filled", [{"decision": "approve", "reject": ["i1"]}, {"decision": "edit"}])
def test_a_form_that_contradicts_itself_is_refused(steered: Played, filled: dict[str, Any]) -> None:
    with pytest.raises(AnswerRefused, match="does not fit"):
        answer_of(steered.state.questions["q1"], filled)


def test_the_form_says_what_was_wrong_with_the_last_answer(steered: Played) -> None:
    text = told(steered.state.questions["q1"], "steered", "'i9' is not what was asked about: i1.")
    assert "**The last answer could not be taken:** 'i9' is not" in text
    assert "**i1: " in text


def test_the_command_shows_a_question_and_refuses_what_decides_nothing(
    proposed: tuple[CampaignState, Template],
) -> None:
    home = str(next(proposed[1].root.parent.glob("home")))
    shown = CliRunner().invoke(hypoloop, ["--home", home, "answer", "thought"])
    assert "thought asks about the ideas of round 1 (q1):" in shown.output
    assert shown.exit_code == 0
    refused = CliRunner().invoke(hypoloop, ["--home", home, "answer", "thought", "--remark", "Well."])
    assert isinstance(refused.exception, AnswerRefused)


def test_status_shows_several_campaigns_side_by_side(steered: Played) -> None:
    shown = CliRunner().invoke(hypoloop, ["--home", str(steered.home), "status", "played", "played", "--json"])
    assert [row["name"] for row in json.loads(shown.output)] == ["played", "played"]

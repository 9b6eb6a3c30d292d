from __future__ import annotations

from collections.abc import Callable

import pytest

from agents.embedded.writer import write as write_embedded
from agents.errors import ModelBudgetSpent, ModelRefused, ModelUnavailable
from agents.llm.panel import mechanical, review
from agents.llm.settings import PanelSettings
from agents.model import Call
from agents.records import Draft, Review
from agents.scripted import Line, ScriptedModel
from agents.team import Dossier
from templates.template import Template
from tests.agents.llm.calibration.asking import ACCEPTING, FORM, asker, by_kind, obeying, ordered, outside_data
from tests.agents.llm.calibration.rules import rules
from tests.agents.llm.test_writer import EVIDENCE
from tests.agents.test_reviewer import FAULTS, added

HARSH = {**FORM, "decision": "strong reject", "soundness": "poor"}
WEAK = {"where": "Results", "grade": "minor", "text": "Say which walker it was."}


def panel(
    tiny: Template,
    draft: Draft,
    answers: Callable[[Call], Line],
    settings: PanelSettings | None = None,
    story: Dossier = EVIDENCE,
) -> tuple[Review, ScriptedModel]:
    desk, model = asker(answers)
    made = review(desk, tiny, story, draft, rules(tiny, story), settings or PanelSettings())
    return made, model


@pytest.fixture
def honest(tiny: Template) -> Draft:
    return write_embedded(tiny, EVIDENCE)


def test_an_honest_paper_that_the_panel_accepts_is_accepted(tiny: Template, honest: Draft) -> None:
    made, model = panel(tiny, honest, by_kind(ACCEPTING))
    assert (made.decision, made.findings) == ("accept", ())
    assert made.scores["contribution"] == 4
    assert [call.role for call in model.calls] == ["reviewer"] * 6 + ["chair"]


def test_reviewers_start_afresh_and_see_the_evidence(tiny: Template, honest: Draft) -> None:
    _, model = panel(tiny, honest, by_kind(ACCEPTING))
    first = [call for call in model.calls if call.role == "reviewer" and len(call.messages) == 3]
    assert len({call.sample for call in first}) == 3
    assert len({call.messages[2] for call in first}) == 3, "each looks at another thing first"
    assert len({call.messages[:2] for call in first}) == 1, "and all see the same"
    assert "Claim k2, idea i2, plan p2: refuted" in first[0].messages[1].content
    assert "0.3 {claim:k1.estimate}" in first[0].messages[1].content


def test_a_reflection_may_change_the_form_and_ends_when_nothing_changes(tiny: Template, honest: Draft) -> None:
    forms = [FORM, {**FORM, "contribution": "poor"}, {**FORM, "contribution": "poor"}]
    made, model = panel(
        tiny, honest, by_kind({"Form": forms, "Ruling": {"decision": "accept"}}),
        PanelSettings(reviewers=1, reflections=5),
    )  # fmt: skip
    assert made.scores["contribution"] == 1
    assert len(model.calls) == 4
    assert [m.role for m in model.calls[1].messages[-2:]] == ["assistant", "user"]


def test_the_chair_sees_the_forms_and_decides(tiny: Template, honest: Draft) -> None:
    ruling = {"decision": "revise", "findings": [WEAK]}
    made, model = panel(tiny, honest, by_kind({"Form": HARSH, "Ruling": ruling}))
    assert made.decision == "revise"
    assert [(f.where, f.grade, f.text) for f in made.findings] == [("results", "minor", "Say which walker it was.")]
    assert model.calls[-1].messages[-1].content.count('"strong reject"') == 3
    assert made.scores["soundness"] == 1


def test_a_major_weakness_that_the_chair_upholds_is_never_accepted(tiny: Template, honest: Draft) -> None:
    ruling = {"decision": "accept", "findings": [{**WEAK, "grade": "major", "where": "nowhere"}]}
    made, _ = panel(tiny, honest, by_kind({"Form": FORM, "Ruling": ruling}))
    assert made.decision == "revise"
    assert made.findings[0].where == "paper"
    assert made.findings[0].text == "nowhere: Say which walker it was."


@pytest.mark.parametrize(
    ("decisions", "wanted"),
    [
        (["accept", "accept", "strong reject"], "accept"),
        (["accept", "borderline", "strong reject"], "revise"),
        (["accept", "reject", "reject"], "reject"),
        (["strong accept", "borderline"], "revise"),
    ],
)
def test_without_a_chair_the_middle_of_the_forms_decides(
    tiny: Template, honest: Draft, decisions: list[str], wanted: str
) -> None:
    forms = [{**FORM, "decision": decision, "weaknesses": [WEAK]} for decision in decisions]
    made, _ = panel(
        tiny, honest, by_kind({"Form": forms, "Ruling": ModelRefused("chair", "no")}),
        PanelSettings(reviewers=len(decisions), reflections=0),
    )  # fmt: skip
    assert made.decision == wanted
    assert len(made.findings) == 1, "equal weaknesses are one"


@pytest.mark.parametrize("name", FAULTS)
def test_nobody_can_accept_what_the_checklist_finds(tiny: Template, name: str) -> None:
    story, plant, words, criterion = FAULTS[name]
    planted = plant(write_embedded(tiny, story))
    alone = mechanical(tiny, story, planted, rules(tiny, story))
    made, _ = panel(tiny, planted, by_kind(ACCEPTING), PanelSettings(reviewers=1, reflections=0), story)
    assert made.decision == alone.decision != "accept"
    assert any(words in f.text for f in made.findings)
    assert made.scores[criterion] < 4


def test_nor_what_the_rules_of_papers_object_to(tiny: Template, honest: Draft) -> None:
    planted = added("discussion", "“{idea:i1.title}” raises the distance from home by {claim:k1.estimate}.")(honest)
    made, _ = panel(tiny, planted, by_kind(ACCEPTING))
    assert made.decision == "revise"
    assert [(f.where, f.grade) for f in made.findings] == [("discussion", "major")]
    assert made.scores["soundness"] == 2


@pytest.mark.parametrize("said", [ModelRefused("reviewer", "no"), "I would rather not.", {"decision": "accept"}])
def test_without_a_form_the_checklist_decides_alone(tiny: Template, honest: Draft, said: Line) -> None:
    made, model = panel(tiny, honest, lambda call: said)
    assert made == mechanical(tiny, EVIDENCE, honest, rules(tiny, EVIDENCE))
    assert made.by == "embedded"
    assert not [call for call in model.calls if call.role == "chair"]


def test_one_reader_who_fails_does_not_stop_the_others(tiny: Template, honest: Draft) -> None:
    def answer(call: Call) -> Line:
        return ModelRefused("reviewer", "no") if call.sample == 2 else ACCEPTING[call.answer]

    made, _ = panel(tiny, honest, answer)
    assert made.by.startswith("llm: 2 of 3 reviewers")


@pytest.mark.parametrize("error", [ModelUnavailable("gone"), ModelBudgetSpent("tokens", 10, 0, 5)])
def test_an_endpoint_that_is_gone_is_the_campaigns_business(tiny: Template, honest: Draft, error: Exception) -> None:
    with pytest.raises(type(error)):
        panel(tiny, honest, lambda call: error)


def test_orders_in_the_paper_and_the_evidence_are_material(tiny: Template, honest: Draft) -> None:
    order = {**FORM, "decision": "accept", "weaknesses": [], "findings": []}
    hostile = ordered(order)
    story = EVIDENCE.model_copy(update={"lessons": (), "sandbox": hostile})
    planted = added("discussion", f"Claim {{claim:k2.estimate}} is a gain. {hostile}")(honest)
    made, model = panel(tiny, planted, obeying, story=story)
    assert made.decision == "revise"
    assert {(f.where, f.grade) for f in made.findings} == {("discussion", "major")}
    assert all("OBEY" not in outside_data(call) for call in model.calls)
    assert all("OBEY" not in call.messages[0].content for call in model.calls)

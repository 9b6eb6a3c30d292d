from __future__ import annotations

import pytest

from agents.embedded.checks import flaws, prose
from agents.embedded.writer import write as write_embedded
from agents.errors import ModelRefused
from agents.llm.drafting import AUTHOR, signed
from agents.llm.panel import mechanical
from agents.llm.reviser import respond
from agents.records import Draft, Finding, Review
from agents.scripted import Line
from templates.template import Template
from tests.agents.llm.calibration.asking import asker
from tests.agents.llm.calibration.rules import rules
from tests.agents.llm.test_writer import EVIDENCE
from tests.agents.test_reviewer import FAULTS

LINE = "Whether the walker minds is not known."


@pytest.fixture
def draft(tiny: Template) -> Draft:
    return write_embedded(tiny, EVIDENCE).model_copy(update={"by": "llm"})


def review(*findings: Finding) -> Review:
    return Review(scores={}, findings=findings, decision="revise", by="llm")


def finding(where: str, text: str = "Say more of the walker.") -> Finding:
    return Finding(where=where, grade="minor", text=text)


def answer(draft: Draft, place: str, more: str, *said: int) -> dict[str, object]:
    body = f"{prose(draft)['abstract' if place == 'opening' else place]}\n\n{more}"
    title = draft.title if place == "opening" else next(s.title for s in draft.sections if s.key == place)
    return {"title": title, "body": body, "answers": [{"finding": n, "said": f"Done, {n}."} for n in said]}


def test_findings_are_answered_one_by_one(tiny: Template, draft: Draft) -> None:
    asked = (finding("results"), finding("results", "Say less."), finding("title"), finding("heading of method"))
    lines = [
        answer(draft, "method", LINE, 1), answer(draft, "results", LINE, 1, 2), answer(draft, "opening", LINE, 1),
    ]  # fmt: skip
    desk, model = asker(lines)
    made = respond(desk, tiny, EVIDENCE, draft, review(*asked), rules(tiny, EVIDENCE))
    assert [call.about for call in model.calls] == ["method", "results", "opening"]
    assert "1. (minor) Say more of the walker.\n2. (minor) Say less." in model.calls[1].messages[-1].content
    assert {a.finding for a in made.answers} == set(asked)
    assert all(prose(made.draft)[place].endswith(LINE) for place in ("method", "results", "abstract"))
    assert made.draft.by == "llm"


def test_a_finding_without_an_answer_is_asked_for(tiny: Template, draft: Draft) -> None:
    lines = [answer(draft, "results", LINE, 1), answer(draft, "results", LINE, 1, 2)]
    desk, model = asker(lines)
    asked = review(finding("results"), finding("results", "Say less."))
    made = respond(desk, tiny, EVIDENCE, draft, asked, rules(tiny, EVIDENCE))
    assert "there is no answer to finding 2" in model.calls[1].messages[-1].content
    assert len(made.answers) == 2


def test_a_finding_of_no_place_is_answered_in_the_discussion(tiny: Template, draft: Draft) -> None:
    desk, model = asker([answer(draft, "discussion", LINE, 1)])
    respond(desk, tiny, EVIDENCE, draft, review(finding("the moon")), rules(tiny, EVIDENCE))
    assert [call.about for call in model.calls] == ["discussion"]


@pytest.mark.parametrize("said", [ModelRefused("writer", "no"), "I would rather not."])
def test_a_part_that_is_not_answered_stays(tiny: Template, draft: Draft, said: Line) -> None:
    desk, _ = asker(lambda call: said)
    made = respond(desk, tiny, EVIDENCE, draft, review(finding("results")), rules(tiny, EVIDENCE))
    assert made.draft == draft
    assert made.answers == ()


def test_a_revision_that_lies_loses_its_lies_and_hides_nothing(tiny: Template, draft: Draft) -> None:
    lie = "“{idea:i2.title}” lowers the distance from home. It gained 99 percent."
    hidden = {"title": "Failures", "body": f"Nothing of note failed, and nobody needs to look any closer. {lie}"}
    desk, _ = asker(lambda call: {**hidden, "answers": [{"finding": 1, "said": "Done."}]})
    made = respond(desk, tiny, EVIDENCE, draft, review(finding("refuted")), rules(tiny, EVIDENCE))
    assert flaws(EVIDENCE, made.draft) == ()
    assert rules(tiny, EVIDENCE)(made.draft) == ()
    assert "{claim:k2.estimate}" in prose(made.draft)["refuted"]
    assert "99" not in prose(made.draft)["refuted"]


@pytest.mark.parametrize("name", FAULTS)
def test_what_the_checklist_finds_is_mended_whatever_the_model_says(tiny: Template, name: str) -> None:
    story, plant, _, _ = FAULTS[name]
    planted = plant(signed(write_embedded(tiny, story).model_copy(update={"by": "llm"})))
    desk, _ = asker(lambda call: ModelRefused("writer", "no"))
    found = mechanical(tiny, story, planted, lambda draft: ())
    made = respond(desk, tiny, story, planted, found, lambda draft: ())
    assert flaws(story, made.draft) == ()
    assert AUTHOR in prose(made.draft)["limits"]
    assert "no language model took part" not in prose(made.draft)["limits"]

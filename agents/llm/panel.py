"""Panel: several readers and a chair. It can be stricter than the checklist, never more lenient."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median_low
from typing import Annotated

from pydantic import Field

from agents.asking import Answer, Asker
from agents.embedded.reviewer import review as review_embedded
from agents.errors import AnswerInvalid, ModelRefused
from agents.llm.drafting import OPENING, Faults, alone, prose_of
from agents.llm.evidence import legible, offers, table
from agents.llm.reviewer import DECISIONS, LEVELS, Decision, Form, Weakness, read
from agents.llm.settings import PanelSettings
from agents.model import Call
from agents.prompting import render
from agents.records import Draft, Finding, Review
from agents.team import Dossier
from templates.template import Template

STRICTNESS = ("accept", "revise", "reject")
RATED = ("soundness", "presentation", "contribution")


class Ruling(Answer):
    """What the chair answers with."""

    reasons: Annotated[str, Field(max_length=2000)] = ""
    findings: Annotated[tuple[Weakness, ...], Field(max_length=20)] = ()
    decision: Decision


def review(
    asker: Asker, template: Template, dossier: Dossier, draft: Draft, faults: Faults, settings: PanelSettings
) -> Review:
    """Return the panel's review: what the checklist and the rules of papers find, then what the chair upholds.

    Each score is the lower of the forms' median and the checklist's. The decision is the strictest of the chair's, the
    checklist's, and `revise` where a finding is major. Where no form comes, the checklist decides alone.

    Raises:
        ModelUnavailable: the endpoint failed for good.
        ModelBudgetSpent: a cap does not allow a call.
    """
    checked = mechanical(template, dossier, draft, faults)
    seen = {"template": template, "table": table(dossier), "paper": legible(draft, offers(template, dossier))}
    numbers = range(1, settings.reviewers + 1)
    forms = [form for n in numbers if (form := read(asker, seen, n, settings.reflections)) is not None]
    if not forms:
        return checked
    ruling = _ruled(asker, dossier, checked, forms) or _agreed(forms)
    findings = (*checked.findings, *_findings(draft, ruling.findings))
    major = "revise" if any(finding.grade == "major" for finding in findings) else "accept"
    return Review(
        scores=_scores(checked, forms),
        findings=tuple(dict.fromkeys(findings)),
        decision=max(ruling.decision, checked.decision, major, key=STRICTNESS.index),
        by=f"llm: {len(forms)} of {settings.reviewers} reviewers, a chair, and the checklist",
    )


def mechanical(template: Template, dossier: Dossier, draft: Draft, faults: Faults) -> Review:
    """Return the review of no model at all: the embedded checklist, and what the rules of papers object to."""
    found = review_embedded(template, dossier, draft)
    broken = tuple(dict.fromkeys(_broken(draft, faults)))
    if not broken:
        return found
    scores = {**found.scores, "soundness": min(found.scores["soundness"], 2)}
    decision = max(found.decision, "revise", key=STRICTNESS.index)
    return Review(scores=scores, findings=(*found.findings, *broken), decision=decision, by=found.by)


def _broken(draft: Draft, faults: Faults) -> Iterator[Finding]:
    for place in (OPENING, *(section.key for section in draft.sections)):
        there = prose_of(draft, place)
        for text in faults(alone(place, there)) if there else ():
            yield Finding(where="abstract" if place == OPENING else place, grade="major", text=text)


def _scores(checked: Review, forms: Sequence[Form]) -> dict[str, int]:
    rated = {name: median_low(LEVELS[getattr(form, name)] for form in forms) for name in RATED}
    best = max(LEVELS.values())
    return {**checked.scores, **{name: min(rated[name], checked.scores.get(name, best)) for name in RATED}}


def _ruled(asker: Asker, dossier: Dossier, checked: Review, forms: Sequence[Form]) -> Ruling | None:
    messages = render(
        "chair",
        table=table(dossier),
        checklist="\n".join(f"{f.where} ({f.grade}): {f.text}" for f in checked.findings),
        forms=[form.model_dump_json() for form in forms],
    )
    call = Call(role="chair", stage="review", about="decision", messages=messages)
    try:
        return asker.ask(call, Ruling)
    except (AnswerInvalid, ModelRefused):
        return None


def _agreed(forms: Sequence[Form]) -> Ruling:
    """Rule in the chair's absence: every weakness stands, and the median decision, the harsher of two."""
    harshest = list(DECISIONS)
    middle = harshest[median_low(harshest.index(form.decision) for form in forms)]
    weaknesses = tuple(dict.fromkeys(w for form in forms for w in form.weaknesses))
    return Ruling.model_construct(reasons="", findings=weaknesses, decision=DECISIONS[middle])


def _findings(draft: Draft, said: Sequence[Weakness]) -> Iterator[Finding]:
    places = {"title", "abstract", *(section.key for section in draft.sections)}
    for each in said:
        where = each.where.strip().lower()
        text = each.text if where in places else f"{each.where}: {each.text}"
        yield Finding(where=where if where in places else "paper", grade=each.grade, text=text)

"""Reviser: a model answers the findings of a review one by one; what the checklist still finds is then mended."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, NamedTuple

from pydantic import Field

from agents.asking import Answer, Asker
from agents.embedded.checks import prose
from agents.embedded.reviewer import review as review_embedded
from agents.embedded.reviser import revise as revise_embedded
from agents.llm.answers import asked
from agents.llm.drafting import OPENING, Faults, Prose, material, objections, prose_of, put, signed, tidied, told
from agents.llm.evidence import legible, offers
from agents.model import Call
from agents.prompting import render
from agents.records import Draft, Finding, Review
from agents.team import Dossier
from templates.template import Template

ELSEWHERE = "discussion"
"""Where a finding is answered that names no place of the paper."""


class Said(Answer):
    """What is said to one finding, by its number."""

    finding: int
    said: Annotated[str, Field(min_length=1, max_length=600)]


class Revised(Prose):
    """A part as revised, with an answer to every finding on it."""

    answers: Annotated[tuple[Said, ...], Field(max_length=40)] = ()


class Answered(NamedTuple):
    """A finding and what was said to it."""

    finding: Finding
    said: str


class Revision(NamedTuple):
    """A revised draft, and what was said to the findings, place by place."""

    draft: Draft
    answers: tuple[Answered, ...]


def revise(asker: Asker, template: Template, dossier: Dossier, draft: Draft, review: Review, faults: Faults) -> Draft:
    """Return the draft as revised; see `respond`."""
    return respond(asker, template, dossier, draft, review, faults).draft


def respond(
    asker: Asker, template: Template, dossier: Dossier, draft: Draft, review: Review, faults: Faults
) -> Revision:
    """Return the draft with the findings answered, part by part, and what was said to each of them.

    New words must break no rule and leave out nothing that a reviewer looks for; sentences that do so after one more
    try are taken out. A part for which no usable words come stays as it is. What the checklist finds in the end, in
    new words or in old, is mended as the embedded team does it.

    Raises:
        ModelUnavailable: the endpoint failed for good.
        ModelBudgetSpent: a cap does not allow a call.
    """
    shared = material(template, dossier, (), _cited(draft))
    known = offers(template, dossier)
    answers: list[Answered] = []
    for place, findings in _by_place(draft, review.findings).items():
        before = prose_of(draft, place)
        assert before is not None
        values = {
            "key": place,
            "paper": legible(draft, known),
            "text": f"{before.title}\n\n{before.body}",
            "findings": "\n".join(f"{n}. ({f.grade}) {f.text}" for n, f in enumerate(findings, 1)),
        }
        messages = render("writer", part="revision", **shared, **values)
        call = Call(role="writer", stage="revision", about=place, messages=messages)
        said = asked(asker, call, Revised, _check(dossier, draft, place, len(findings), faults))
        if said is not None:
            kept = tidied(place, said, before, faults)
            draft = draft if kept is None else put(draft, place, kept)
            answers += [
                Answered(findings[a.finding - 1], a.said) for a in said.answers if 0 < a.finding <= len(findings)
            ]
    return Revision(_mended(template, dossier, draft), tuple(answers))


def _check(dossier: Dossier, draft: Draft, place: str, many: int, faults: Faults) -> Callable[[Revised], str]:
    def check(said: Revised) -> str:
        missing = [str(n) for n in range(1, many + 1) if n not in {answer.finding for answer in said.answers}]
        unanswered = (f"there is no answer to finding {', '.join(missing)}",) if missing else ()
        return told((*unanswered, *objections(dossier, draft, place, said, faults)))

    return check


def _by_place(draft: Draft, findings: Sequence[Finding]) -> Mapping[str, tuple[Finding, ...]]:
    """Return the findings by the part that has to answer them, the opening last, for it tells of the others."""
    keys = [section.key for section in draft.sections]
    spare = ELSEWHERE if ELSEWHERE in keys else (keys or [OPENING])[-1]
    places: dict[str, list[Finding]] = {place: [] for place in (*keys, OPENING)}
    for finding in findings:
        where = finding.where.removeprefix("heading of ")
        places[OPENING if where in ("title", "abstract") else where if where in places else spare].append(finding)
    return {place: tuple(those) for place, those in places.items() if those}


def _cited(draft: Draft) -> tuple[str, ...]:
    return tuple(re.findall(r"\[@([^\]]+)\]", " ".join(prose(draft).values())))


def _mended(template: Template, dossier: Dossier, draft: Draft) -> Draft:
    found = review_embedded(template, dossier, draft)
    return signed(revise_embedded(template, dossier, draft, found)) if found.findings else draft

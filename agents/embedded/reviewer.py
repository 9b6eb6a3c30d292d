"""Reviewer: a checklist review of a draft. It judges whether the text says what the evidence says, nothing else."""

from __future__ import annotations

from agents.embedded.checks import Flaw, flaws
from agents.records import Draft, Finding, Review
from agents.team import Dossier
from templates.template import Template

BY = "embedded"
CRITERIA = ("soundness", "evidence", "presentation", "honesty", "reproducibility")
BEST, WORST = 4, 1
COST = {"major": 2, "minor": 1}


def review(template: Template, dossier: Dossier, draft: Draft) -> Review:
    """Return scores from 1 to 4 by criterion, the findings and a decision.

    A criterion starts at 4 and loses two for a major finding, one for a minor one. The decision is `reject` when a
    claim itself is unsound, which no wording can mend, `revise` when anything else was found, else `accept`.
    """
    found = flaws(dossier, draft)
    return Review(
        scores={criterion: _score(criterion, found) for criterion in CRITERIA},
        findings=tuple(finding(flaw) for flaw in found),
        decision=_decision(found),
        by=BY,
    )


def finding(flaw: Flaw) -> Finding:
    """Return a flaw as the review states it."""
    return Finding(where=flaw.where, grade=flaw.grade, text=flaw.text)


def _score(criterion: str, found: tuple[Flaw, ...]) -> int:
    return max(WORST, BEST - sum(COST[flaw.grade] for flaw in found if flaw.criterion == criterion))


def _decision(found: tuple[Flaw, ...]) -> str:
    if any(flaw.check == "unsound_claims" for flaw in found):
        return "reject"
    return "revise" if found else "accept"

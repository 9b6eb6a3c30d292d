"""The embedded team: searches what a template declares, writes real patches, drafts from the evidence.

It is labelled "hypoloop, embedded team" wherever its work is shown. It needs no model, no key and no network, and it
is the baseline that every language model has to beat.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from agents.embedded.analyst import interpret
from agents.embedded.patcher import patch
from agents.embedded.proposer import propose
from agents.embedded.repairer import repair
from agents.embedded.reviewer import review
from agents.embedded.reviser import revise
from agents.embedded.writer import write
from agents.records import Draft, Execution, Idea, Lesson, Patch, Review
from agents.team import Dossier, Proposals, Request, Tried
from templates.template import Template


class EmbeddedTeam:
    """A `Team` of pure functions; see the modules of the roles for what each does and what it cannot do."""

    name = "embedded"
    model_written = False
    repairs = 1
    label = "hypoloop, embedded team"

    def propose(
        self,
        template: Template,
        tried: Sequence[Tried],
        lessons: Sequence[Lesson],
        requests: Sequence[Request],
        rng: np.random.Generator,
    ) -> Proposals:
        """Propose untried factors and combinations; see `proposer.propose`."""
        return Proposals(ideas=propose(template, tried, lessons, requests, rng))

    def patch(self, template: Template, idea: Idea, sources: Mapping[str, str]) -> Patch:
        """Put the idea's factors into code; see `patcher.patch`."""
        return patch(template, idea, sources)

    def repair(
        self, template: Template, idea: Idea, sources: Mapping[str, str], failed: Execution, log: str
    ) -> Patch | None:
        """Try the one thing worth trying after a crash; see `repairer.repair`."""
        return repair(template, idea, sources, failed, log)

    def interpret(
        self, template: Template, round_: int, tried: Sequence[Tried], lessons: Sequence[Lesson]
    ) -> tuple[Lesson, ...]:
        """Draw lessons from the ideas of a round; see `analyst.interpret`."""
        return interpret(template, round_, tried)

    def write(self, template: Template, dossier: Dossier) -> Draft:
        """Draft the paper from the evidence; see `writer.write`."""
        return write(template, dossier)

    def review(self, template: Template, dossier: Dossier, draft: Draft) -> Review:
        """Review a draft against the checklist; see `reviewer.review`."""
        return review(template, dossier, draft)

    def revise(self, template: Template, dossier: Dossier, draft: Draft, review: Review) -> Draft:
        """Answer the findings in the prose; see `reviser.revise`."""
        return revise(template, dossier, draft, review)

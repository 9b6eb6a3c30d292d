"""The team that thinks by language models: it reads, has ideas, writes code, repairs, interprets, writes and reviews.

Every question goes through one `Asker`, so that each is paid for once and kept. What the models say is never run
outside a sandbox and never becomes a result: scores, verdicts and numbers come from executions alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from agents.asking import Asker
from agents.embedded import writer as embedded_writer
from agents.embedded.reviser import revise as revise_embedded
from agents.errors import ModelBudgetSpent
from agents.literature.bibtex import written
from agents.literature.entry import Entry
from agents.llm import analyst, coder, falsifier, panel, reviser, writer
from agents.llm.actions import Checked
from agents.llm.coder import Workshop
from agents.llm.constraints import violations
from agents.llm.drafting import signed
from agents.llm.ideas import Background
from agents.llm.ideator import propose
from agents.llm.settings import LlmSettings
from agents.records import Claim, Draft, Edit, Execution, Idea, Lesson, Patch, Review, Verdict
from agents.team import Dossier, Proposals, Reference, Rejected, Request, Tried
from templates.template import Template

SPENT = "The budget for models was spent, so the embedded team wrote this paper."


@dataclass(frozen=True)
class Workbench:
    """What the team works with, handed down by the campaign.

    `check` runs texts of editable files in the sandbox; `faults` says what is wrong with a draft beside its evidence;
    `near` returns at most so many works of the library about a text; `remarks` are what people said to a role;
    `rejected` are ideas that earlier rounds turned away.
    """

    asker: Asker
    check: Callable[[Mapping[str, str]], Checked]
    faults: Callable[[Template, Dossier, Draft], tuple[str, ...]]
    near: Callable[[str, int], tuple[Entry, ...]]
    remarks: Callable[[str], tuple[str, ...]]
    rejected: Callable[[], tuple[Rejected, ...]]
    settings: LlmSettings


class LlmTeam:
    """A `Team` of language models; see the modules of the roles."""

    name = "llm"
    model_written = True
    label = "hypoloop, language-model team"

    def __init__(self, bench: Workbench) -> None:
        """Work at `bench`."""
        self._bench = bench
        self.repairs = bench.settings.repairs

    def propose(
        self,
        template: Template,
        tried: Sequence[Tried],
        lessons: Sequence[Lesson],
        requests: Sequence[Request],
        rng: np.random.Generator,
    ) -> Proposals:
        """Have ideas out of brief, literature and what was tried; see `ideator.propose`."""
        bench = self._bench
        works = self._near(template)
        known = Background(
            template,
            tried,
            analyst.current(lessons),
            works,
            bench.remarks("ideator"),
            template.manifest.constraints,
            bench.rejected(),
        )
        made = propose(bench.asker, known, requests, bench.settings.ideas, rng)
        named = {name for idea in made.ideas for name in idea.inspirations}
        return Proposals(
            ideas=made.ideas,
            references=tuple(_reference(work) for work in works if work.id in named),
            rejected=made.rejected,
            tournament=made.tournament.model_dump(mode="json") if made.tournament else None,
        )

    def patch(self, template: Template, idea: Idea, sources: Mapping[str, str]) -> Patch:
        """Put the idea into code, action by action; see `coder.code`."""
        return coder.code(self._shop(template, idea, sources), template, idea, sources).patch

    def repair(
        self, template: Template, idea: Idea, sources: Mapping[str, str], failed: Execution, log: str
    ) -> Patch | None:
        """Mend what crashed, from its log and the code it runs through; see `coder.repair`."""
        return coder.repair(self._shop(template, idea, sources), template, idea, sources, failed, log).patch

    def interpret(
        self, template: Template, round_: int, tried: Sequence[Tried], lessons: Sequence[Lesson]
    ) -> tuple[Lesson, ...]:
        """Draw principles and dead ends from what was tried; see `analyst.interpret`."""
        return analyst.interpret(self._bench.asker, template, round_, tried, lessons)

    def write(self, template: Template, dossier: Dossier) -> Draft:
        """Draft the paper; where no more may be spent, the embedded team does."""
        faults = partial(self._bench.faults, template, dossier)
        supported = [claim for claim in dossier.claims if claim.verdict is Verdict.SUPPORTED]
        named = {each.key for each in dossier.references}
        works = [work for work in self._near(template) if work.id in named]
        try:
            doubts = {claim.id: self._doubts(template, dossier, claim) for claim in supported}
            doubted = dossier.model_copy(update={"doubts": doubts})
            return writer.write(self._bench.asker, template, doubted, works, faults)
        except ModelBudgetSpent:
            draft = signed(embedded_writer.write(template, dossier))
            return draft.model_copy(update={"abstract": f"{draft.abstract} {SPENT}"})

    def review(self, template: Template, dossier: Dossier, draft: Draft) -> Review:
        """Let a panel review the draft; where no more may be spent, the checklist alone decides."""
        faults = partial(self._bench.faults, template, dossier)
        try:
            return panel.review(self._bench.asker, template, dossier, draft, faults, self._bench.settings.panel)
        except ModelBudgetSpent:
            return panel.mechanical(template, dossier, draft, faults)

    def revise(self, template: Template, dossier: Dossier, draft: Draft, review: Review) -> Draft:
        """Answer the findings one by one; where no more may be spent, the embedded team does."""
        faults = partial(self._bench.faults, template, dossier)
        try:
            return reviser.revise(self._bench.asker, template, dossier, draft, review, faults)
        except ModelBudgetSpent:
            return signed(revise_embedded(template, dossier, draft, review))

    def _doubts(self, template: Template, dossier: Dossier, claim: Claim) -> tuple[str, ...]:
        """Return how a claim may be wrong all the same, in words; what is declared was tried already."""
        return tuple(doubt.why for doubt in falsifier.doubts(self._bench.asker, template, dossier, claim))

    def _near(self, template: Template) -> tuple[Entry, ...]:
        """Return the works that the campaign has at hand, the same all along."""
        about = f"{template.manifest.question} {template.manifest.method}"
        return self._bench.near(about, self._bench.settings.works)

    def _shop(self, template: Template, idea: Idea, sources: Mapping[str, str]) -> Workshop:
        def refuse(files: Mapping[str, str]) -> tuple[str, ...]:
            edits = tuple(Edit(path=path, text=text) for path, text in files.items() if sources.get(path) != text)
            patch = Patch(idea=idea.id, summary="", edits=edits, by=self.name)
            return violations(template.manifest.constraints, patch, sources)

        bench = self._bench
        return Workshop(bench.asker, bench.check, refuse, bench.settings.coder, bench.remarks("coder"))


def _reference(work: Entry) -> Reference:
    return Reference(key=work.id, title=work.title, bibtex=written([work]), status=work.status)

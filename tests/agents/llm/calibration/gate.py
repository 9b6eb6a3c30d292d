"""A gate's own error rates on papers of known quality."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from scipy.stats import binomtest

from agents.llm.panel import mechanical, review
from agents.llm.settings import PanelSettings
from agents.model import Call
from agents.records import Review
from agents.scripted import Line
from templates.template import Template
from tests.agents.llm.calibration.asking import asker
from tests.agents.llm.calibration.papers import BAD, CAMPAIGNS, HONEST, MEANING, Paper
from tests.agents.llm.calibration.rules import rules

Gate = Callable[[Paper], Review]


class Rate(NamedTuple):
    """How often something happened, with its Wilson interval of 95 %."""

    hits: int
    of: int

    @property
    def interval(self) -> tuple[float, float]:
        """The Wilson interval."""
        if not self.of:
            return 0.0, 1.0
        found = binomtest(self.hits, self.of).proportion_ci(0.95, method="wilson")
        return float(found.low), float(found.high)

    def __str__(self) -> str:
        low, high = self.interval
        share = self.hits / self.of if self.of else 0.0
        return f"{self.hits}/{self.of} = {share:.3f} [{low:.3f}, {high:.3f}]"


class Rates(NamedTuple):
    """The errors of a gate: bad papers let through, of both kinds, and honest ones held up."""

    false_accept: Rate
    false_accept_meaning: Rate
    false_reject: Rate
    through: Mapping[str, int]
    """What was done to the bad papers that were let through -> how many of them."""
    held_up: Mapping[str, int]
    """What was done to the honest papers that were held up -> how many of them."""


def rates(seen: Sequence[Paper], decisions: Iterable[str]) -> Rates:
    """Return the error rates of a gate from its decisions on papers; whatever is not `accept` holds a paper up."""
    judged = list(zip(seen, decisions, strict=True))

    def share(kind: str, *, accepted: bool) -> Rate:
        of_kind = [(d == "accept") for paper, d in judged if paper.kind == kind]
        return Rate(of_kind.count(accepted), len(of_kind))

    return Rates(
        share(BAD, accepted=True),
        share(MEANING, accepted=True),
        share(HONEST, accepted=False),
        Counter(paper.done for paper, d in judged if d == "accept" and paper.kind != HONEST),
        Counter(paper.done for paper, d in judged if d != "accept" and paper.kind == HONEST),
    )


def checklist(walks: Template) -> Gate:
    """Return the gate of no model: the checklist and the rules of papers."""
    return lambda paper: mechanical(
        walks, CAMPAIGNS[paper.campaign], paper.draft, rules(walks, CAMPAIGNS[paper.campaign])
    )


def panel(walks: Template, answers: Callable[[Call], Line], settings: PanelSettings) -> Gate:
    """Return the gate with a panel in it that answers by `answers`."""

    def gate(paper: Paper) -> Review:
        story, (desk, _) = CAMPAIGNS[paper.campaign], asker(answers)
        return review(desk, walks, story, paper.draft, rules(walks, story), settings)

    return gate

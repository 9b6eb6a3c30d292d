"""Story: what a dossier amounts to, sorted for the writer, and the bindings that stand for its numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from agents.records import Claim, Plan, Verdict
from agents.team import Dossier, Tried
from templates.template import Template

DIGIT = re.compile(r"\d")


@dataclass(frozen=True)
class Story:
    """A template and a dossier, with the claims by how they ended, the strongest evidence first."""

    template: Template
    dossier: Dossier

    @cached_property
    def supported(self) -> tuple[Claim, ...]:
        """Claims that hold, challenges included."""
        return self._ended(Verdict.SUPPORTED)

    @cached_property
    def overturned(self) -> tuple[Claim, ...]:
        """Claims that their test supported and a challenge refuted."""
        return tuple(c for c in self._ended(Verdict.REFUTED) if c.challenges)

    @cached_property
    def refuted(self) -> tuple[Claim, ...]:
        """Claims that their own test refuted."""
        return tuple(c for c in self._ended(Verdict.REFUTED) if not c.challenges)

    @cached_property
    def inconclusive(self) -> tuple[Claim, ...]:
        """Claims that could not be decided."""
        return self._ended(Verdict.INCONCLUSIVE)

    def _ended(self, verdict: Verdict) -> tuple[Claim, ...]:
        return tuple(sorted((c for c in self.dossier.claims if c.verdict is verdict), key=lambda c: -c.e_value))

    @cached_property
    def measured(self) -> tuple[Claim, ...]:
        """Claims with at least one complete pair behind them."""
        return tuple(claim for claim in self.dossier.claims if claim.n)

    @cached_property
    def exploratory(self) -> tuple[Tried, ...]:
        """Ideas that no plan registered: whatever is said of them is exploratory."""
        claimed = {claim.idea for claim in self.dossier.claims}
        return tuple(t for t in self.dossier.tried if t.idea.id not in claimed)

    @property
    def deterministic(self) -> bool:
        """Whether the metric does not depend on the seed."""
        return self.template.manifest.seeds.deterministic

    @property
    def improves(self) -> str:
        """What an improvement does to the metric, third person."""
        return "lowers" if self.template.manifest.metric.direction == "minimize" else "raises"

    @property
    def improve(self) -> str:
        """What an improvement does to the metric, infinitive."""
        return self.improves.removesuffix("s")

    @cached_property
    def metric(self) -> str:
        """The metric's title inside a sentence."""
        title = self.template.manifest.metric.title
        if DIGIT.search(title):
            return "{template:metric.title}"
        return title[:1].lower() + title[1:] if title[1:2].islower() else title

    def amount(self, binding: str) -> str:
        """Return a binding followed by the metric's unit, if it has one."""
        unit = self.template.manifest.metric.unit
        if not unit:
            return binding
        return f"{binding} {{template:metric.unit}}" if DIGIT.search(unit) else f"{binding} {unit}"

    def plan(self, claim: Claim) -> Plan | None:
        """Return the registered plan of `claim`, None when the dossier has none."""
        return next((p for p in self.dossier.plans if p.id == claim.plan), None)

    def sources(self, claim: Claim) -> str:
        """Return citations of the works that the idea behind `claim` goes back to."""
        idea = next((i for i in self.dossier.ideas if i.id == claim.idea), None)
        return cited(idea.inspirations) if idea else ""


def cited(keys: Iterable[str]) -> str:
    """Return citations of works in the template's bibliography, with the space before each."""
    return "".join(f" [@{key}]" for key in dict.fromkeys(keys))


def of(claim: Claim, path: str) -> str:
    """Return the binding of a field of `claim`."""
    return f"{{claim:{claim.id}.{path}}}"


def titled(idea: str) -> str:
    """Return the title of an idea, quoted: titles are phrases of any shape."""
    return f"\N{LEFT DOUBLE QUOTATION MARK}{{idea:{idea}.title}}\N{RIGHT DOUBLE QUOTATION MARK}"


def plural(count: int, one: str, more: str) -> str:
    """Return the form that agrees with `count`, which itself is printed by a binding."""
    return one if count == 1 else more


def listed(parts: Iterable[str]) -> str:
    """Return parts as a list in a sentence."""
    items = list(parts)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def paragraphs(*texts: str) -> str:
    """Join paragraphs, leaving out those that have nothing to say."""
    return "\n\n".join(text for text in texts if text)

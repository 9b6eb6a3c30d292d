"""Sieve: turns away, before anything runs, ideas that were had before, break a constraint or could not be wrong."""

from __future__ import annotations

from collections.abc import Sequence

from agents.literature.entry import line
from agents.llm.constraints import violations
from agents.llm.ideas import Background
from agents.llm.novelty import likeness, novelty
from agents.llm.settings import IdeaSettings
from agents.llm.thoughts import CAP, Thought, as_idea, fault
from agents.records import Idea
from agents.team import Rejected

FAILED = frozenset({"screened", "crashed", "refuted"})
"""Outcomes of ideas that showed no gain, or lost it."""
SAME = 0.95
"""Likeness to one of its own parents from which on an idea only repeats it; nearness to them is in its nature."""


class Sieve:
    """Looks at thoughts one after the other and remembers what it let through."""

    def __init__(self, known: Background, settings: IdeaSettings) -> None:
        """Begin with what the campaign has tried."""
        self._known, self._settings = known, settings
        metric = known.template.manifest.metric
        self._common = f"{known.template.manifest.question} {metric.name} {metric.title} {metric.unit}"
        self._earlier = [tried.idea for tried in known.tried]
        self._names = {t.idea.id: f"duplicate-of{'-failed' * (t.outcome in FAILED)} {t.idea.id}" for t in known.tried}
        self._works = [work.matter for work in known.works]
        self._let_through: list[Idea] = []

    def look(self, thought: Thought, bases: Sequence[Idea]) -> Idea | Rejected:
        """Return the idea of a thought, which is to be built on `bases`, or why it is turned away."""
        why = fault(thought, self._known.template.manifest.metric)
        if why:
            return _rejected(thought, why)
        parents = tuple(base.id for base in bases)
        works = [work.id for work in self._known.chain]
        idea = as_idea(thought, self._known.template.manifest.metric, self._known.round, parents, works)
        why = self._duplicate(idea) or "; ".join(violations(self._known.constraints, idea))
        if why:
            return _rejected(thought, why)
        idea = idea.model_copy(update={"scores": {**idea.scores, **self._novelty(idea)}})
        self._let_through.append(idea)
        return idea

    def _duplicate(self, idea: Idea) -> str:
        """Say what the idea says again: the nearest of those that are too near; empty when none is."""
        others = [*self._earlier, *self._let_through]
        found = likeness([_text(idea)], [_text(other) for other in others], self._common)
        limits = (self._settings.near_cosine, self._settings.near_overlap)
        near = [
            (max(cosine, overlap), number)
            for number, (cosine, overlap) in enumerate(zip(found.cosine[0], found.overlap[0], strict=True))
            if _too_near(cosine, overlap, (SAME, SAME) if others[number].id in idea.parents else limits)
        ]
        if not near:
            return ""
        nearest = others[max(near)[1]]
        return self._names.get(nearest.id) or f"duplicate-of {nearest.title!r} of this round"

    def _novelty(self, idea: Idea) -> dict[str, float]:
        """Return how far the idea is from the campaign's others, its parents apart, and from the works."""
        strangers = [_text(other) for other in self._earlier if other.id not in idea.parents]
        sides = {"novelty_campaign": strangers, "novelty_literature": self._works}
        return {name: novelty(_text(idea), texts, self._common) for name, texts in sides.items()}


def _too_near(cosine: float, overlap: float, limits: tuple[float, float]) -> bool:
    return bool(cosine >= limits[0] or overlap >= limits[1])


def _text(idea: Idea) -> str:
    return f"{idea.title}. {idea.statement}. {idea.mechanism}"


def _rejected(thought: Thought, why: str) -> Rejected:
    return Rejected(title=line(thought.title), statement=line(thought.statement, CAP), why=why)

"""Proposer: turns untried factors and combinations of factors into falsifiable ideas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import fsum

import numpy as np

from agents.records import Idea, Lesson
from agents.team import Request, Tried
from templates.factors import symbols
from templates.template import Factor, Template

BY = "embedded"
UNTRIED = 0.5
"""Belief in a factor that no lesson speaks of."""
WIDEST = 10
"""Factors a combination is drawn from at most, the most believed first: every subset of them is looked at."""

FactorSet = frozenset[str]


def propose(
    template: Template,
    tried: Sequence[Tried],
    lessons: Sequence[Lesson],
    requests: Sequence[Request],
    rng: np.random.Generator,
) -> tuple[Idea, ...]:
    """Return at most one idea per request, none of a factor set in `tried`; fewer when nothing is left.

    A `single` request gets the most believed factor that was never tried alone. A `combine` request gets the largest
    union of the factors of its bases that was never tried, whose factors do not edit the same symbol, and which
    contains nothing a lesson calls harmful. With one base the rest of the declared factors are partners for it; with
    none, every factor that lessons call helpful is. Ties are broken by one shuffle with `rng`.
    """
    desk = _Desk(template, tried, lessons, rng)
    ideas = []
    for request in requests:
        chosen = desk.single(request) if request.kind == "single" else desk.combination(request)
        if chosen is not None:
            ideas.append(desk.idea(chosen, request))
            desk.spoken_for.add(frozenset(chosen))
    return tuple(ideas)


class _Desk:
    """What the proposer has before it: the factors in order of belief, and the sets that are spoken for."""

    def __init__(
        self, template: Template, tried: Sequence[Tried], lessons: Sequence[Lesson], rng: np.random.Generator
    ) -> None:
        declared = template.manifest.factors
        self.template = template
        self.ideas = {t.idea.id: t.idea for t in tried}
        self.seen: set[FactorSet] = {frozenset(t.idea.factors) for t in tried}
        self.spoken_for = set(self.seen)
        self.latest = {frozenset(lesson.factors): lesson for lesson in lessons}
        self.barred = [s for s, lesson in self.latest.items() if lesson.kind in ("hurts", "crash")]
        self.round = 1 + max([t.idea.round for t in tried] + [lesson.round for lesson in lessons], default=0)
        shuffled = [declared[i] for i in rng.permutation(len(declared))]
        self.factors = sorted(shuffled, key=lambda f: -self.belief(f.name))
        self.symbols = {f.name: symbols(template, f) for f in declared}

    def belief(self, name: str) -> float:
        """Return what the latest lesson about the factor alone believes."""
        lesson = self.latest.get(frozenset([name]))
        return UNTRIED if lesson is None else lesson.belief

    def single(self, request: Request) -> tuple[str, ...] | None:
        """Return the most believed factor that was never tried alone."""
        free = (f.name for f in self.factors if f.name not in request.avoid)
        return next(((name,) for name in free if frozenset([name]) not in self.spoken_for), None)

    def combination(self, request: Request) -> tuple[str, ...] | None:
        """Return the largest, then most believed, new combination of what the request builds on."""
        bases = [self.ideas[base].factors for base in request.bases if base in self.ideas]
        free = [f.name for f in self.factors if f.name not in request.avoid]
        if len(bases) == 1:
            return self._extended(bases[0], free)
        if bases:
            return self._united([name for name in free if any(name in base for base in bases)])
        return self._united([name for name in free if self._helps(name)])

    def _extended(self, base: tuple[str, ...], free: Sequence[str]) -> tuple[str, ...] | None:
        # One partner at a time: what a step adds can then be told apart.
        if not set(base) <= set(free):
            return None
        partners = ((*base, name) for name in free if name not in base)
        return next((names for names in partners if self._new_and_sound(names)), None)

    def _united(self, names: Sequence[str]) -> tuple[str, ...] | None:
        pool = [name for name in names if not any(bad <= {name} for bad in self.barred)][:WIDEST]
        for size in range(len(pool), 1, -1):
            fitting = (names for names in combinations(pool, size) if self._new_and_sound(names))
            best = max(fitting, key=self.expected, default=None)
            if best is not None:
                return best
        return None

    def _helps(self, name: str) -> bool:
        lesson = self.latest.get(frozenset([name]))
        return lesson is not None and lesson.kind == "helps"

    def _new_and_sound(self, names: Sequence[str]) -> bool:
        whole = frozenset(names)
        if whole in self.spoken_for or any(bad <= whole for bad in self.barred):
            return False
        return all(self.symbols[a].isdisjoint(self.symbols[b]) for a, b in combinations(names, 2))

    def expected(self, names: Sequence[str]) -> float:
        """Return the mean belief in the factors: how promising the set looks, not a probability of success."""
        return fsum(self.belief(name) for name in names) / len(names)

    def novelty(self, names: Sequence[str]) -> float:
        """Return the Jaccard distance to the nearest factor set that was tried."""
        whole = frozenset(names)
        return min((1.0 - len(whole & other) / len(whole | other) for other in self.seen), default=1.0)

    def _parents(self, names: Sequence[str], request: Request) -> tuple[str, ...]:
        if request.kind == "single":
            return ()
        bases = (base for base in request.bases if base in self.ideas)
        return tuple(base for base in bases if not set(names).isdisjoint(self.ideas[base].factors))

    def idea(self, names: Sequence[str], request: Request) -> Idea:
        """Word the hypothesis that applying `names` to the baseline improves the metric."""
        factors = [self.template.factor(name) for name in names]
        metric = self.template.manifest.metric
        titles = [f.title for f in factors]
        verb = "lowers" if metric.direction == "minimize" else "raises"
        sources = (f.source_of_idea for f in factors if f.source_of_idea)
        return Idea(
            id="",
            round=self.round,
            title=" + ".join(titles),
            statement=f"Applying {_quoted(titles)} to the baseline {verb} the {_inside(metric.title)}",
            mechanism=" ".join(_mechanisms(factors)),
            metric=metric.name,
            least_effect=metric.least_effect,
            factors=tuple(names),
            parents=self._parents(names, request),
            inspirations=tuple(dict.fromkeys(sources)),
            scores={"novelty": round(self.novelty(names), 4), "expected": round(self.expected(names), 4)},
            by=BY,
        )


def _mechanisms(factors: Sequence[Factor]) -> Iterator[str]:
    for factor in factors:
        yield factor.mechanism.strip().rstrip(".") + "."


def _quoted(titles: Sequence[str]) -> str:
    """Titles come as phrases of any shape; quoted, they fit into every sentence."""
    marked = [f"\N{LEFT DOUBLE QUOTATION MARK}{title}\N{RIGHT DOUBLE QUOTATION MARK}" for title in titles]
    return marked[0] if len(marked) == 1 else f"{', '.join(marked[:-1])} and {marked[-1]} together"


def _inside(title: str) -> str:
    """Lower the first letter of a title inside a sentence; `IQM` and `F1` stay as they are."""
    return title[:1].lower() + title[1:] if title[1:2].islower() else title

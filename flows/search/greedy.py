"""Greedy: single changes first, then combinations of those that survived, away from what failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, islice

import numpy as np

from agents.team import Request, Tried
from flows.search.strategy import ALIVE, FAILED, State, remember


class Greedy:
    """Coordinate search: learn what each factor does alone, then stack what helps on the best that is known.

    As soon as two singles survived, half of the requests combine, the best known idea with the best single that it
    lacks first. Once a round brought fewer singles than combinations, the team has run out of new factors (a request
    it cannot meet yields nothing) and every request combines while there is something left to combine.
    """

    name = "greedy"

    def start(self) -> State:
        """Return the state before anything was tried."""
        return State()

    def tell(self, state: State, tried: Tried) -> State:
        """Return the state after one more outcome."""
        return remember(state, tried)

    def ask(self, state: State, n: int, rng: np.random.Generator) -> tuple[State, tuple[Request, ...]]:
        """Return `n` requests: combinations of what survived first, singles for the rest."""
        avoid = failed_factors(state.tried)
        room = n if _out_of_singles(state.tried) else n // 2
        bases = islice(_combinations(state.tried, rng), room)
        combined = [Request(kind="combine", bases=ids, avoid=avoid) for ids in bases]
        singles = [Request(kind="single", avoid=avoid)] * (n - len(combined))
        return state, (*combined, *singles)


def parts(tried: Tried) -> frozenset[str]:
    """Return what an idea is made of: its factors; for free text the ideas it was built on, or itself."""
    return frozenset(tried.idea.factors or tried.idea.parents or (tried.idea.id,))


def failed_factors(tried: Sequence[Tried]) -> tuple[str, ...]:
    """Return the factors that failed on their own."""
    return tuple(t.idea.factors[0] for t in tried if len(t.idea.factors) == 1 and t.outcome in FAILED)


def _combinations(tried: Sequence[Tried], rng: np.random.Generator) -> Iterator[tuple[str, ...]]:
    """Yield the idea ids of combinations not tried yet, the most promising first.

    First the best idea known plus one surviving single each, then pairs of surviving singles by the sum of their
    effects; `rng` orders ties. A set of factors that holds a combination which failed is left out.
    """
    alive = [t for t in tried if t.outcome in ALIVE and t.effect is not None]
    ranked = sorted((alive[i] for i in rng.permutation(len(alive))), key=_effect, reverse=True)
    singles = [t for t in ranked if len(parts(t)) == 1]
    grown = [(ranked[0], single) for single in singles] if ranked else []
    pairs = sorted(combinations(singles, 2), key=lambda two: _effect(two[0]) + _effect(two[1]), reverse=True)
    seen = {parts(t) for t in tried}
    dead = [parts(t) for t in tried if t.outcome in FAILED]
    for first, second in (*grown, *pairs):
        together = parts(first) | parts(second)
        if together not in seen and not any(bad <= together for bad in dead):
            seen.add(together)
            yield (first.idea.id, second.idea.id)


def _out_of_singles(tried: Sequence[Tried]) -> bool:
    """Whether the last round brought fewer singles than combinations."""
    last = max((t.idea.round for t in tried), default=0)
    sizes = [len(parts(t)) for t in tried if t.idea.round == last]
    return sum(size == 1 for size in sizes) < sum(size > 1 for size in sizes)


def _effect(tried: Tried) -> float:
    return tried.effect or 0.0

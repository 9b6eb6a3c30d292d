"""Random: singles and combinations by the toss of a coin, blind to every outcome. The baseline of the strategies."""

from __future__ import annotations

import numpy as np

from agents.team import Request, Tried
from flows.search.strategy import State, remember


class Random:
    """Uniform search: it knows what was tried, never how it went."""

    name = "random"

    def start(self) -> State:
        """Return the state before anything was tried."""
        return State()

    def tell(self, state: State, tried: Tried) -> State:
        """Return the state after one more outcome."""
        return remember(state, tried)

    def ask(self, state: State, n: int, rng: np.random.Generator) -> tuple[State, tuple[Request, ...]]:
        """Return `n` requests, each a single or, once two ideas are there, as likely a combination of any two."""
        return state, tuple(_request(state, rng) for _ in range(n))


def _request(state: State, rng: np.random.Generator) -> Request:
    combine = bool(rng.random() < 0.5)
    if not combine or len(state.tried) < 2:
        return Request(kind="single")
    two = sorted(int(i) for i in rng.choice(len(state.tried), size=2, replace=False))
    return Request(kind="combine", bases=tuple(state.tried[i].idea.id for i in two))

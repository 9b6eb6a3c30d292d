"""The Strategy protocol: what to try next, and what of it deserves a plan. Stateless, so that a replay asks the same.

A strategy holds nothing itself. Its state is what it was told, in order, and is rebuilt from the journal by telling
it again; `ask` changes nothing that a later `ask` depends on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np

from agents.records import Idea, Record
from agents.team import Request, Tried
from flows.search.errors import StrategyUnknown

ALIVE = frozenset({"survived", "supported", "inconclusive"})
"""Outcomes of ideas that are worth building on."""

FAILED = frozenset({"screened", "crashed", "refuted"})
"""Outcomes of ideas that showed no gain worth a plan, or lost it."""


class State(Record):
    """What a strategy was told: one entry an idea, in the order in which the ideas first came up."""

    tried: tuple[Tried, ...] = ()


class Strategy(Protocol):
    """What to try next: requests to the team, which turns each into at most one idea."""

    name: str

    def start(self) -> State:
        """Return the state before anything was tried."""
        ...

    def ask(self, state: State, n: int, rng: np.random.Generator) -> tuple[State, tuple[Request, ...]]:
        """Return `n` requests, the most wanted first, and the state to go on with."""
        ...

    def tell(self, state: State, tried: Tried) -> State:
        """Return the state after an outcome; a later outcome of the same idea replaces the earlier one."""
        ...


def load_strategy(name: str) -> Strategy:
    """Return the strategy `name`: `greedy` or `random`.

    Raises:
        StrategyUnknown: there is no such strategy.
    """
    from flows.search.greedy import Greedy
    from flows.search.random import Random

    strategies: dict[str, Strategy] = {strategy.name: strategy for strategy in (Greedy(), Random())}
    if name not in strategies:
        raise StrategyUnknown(name, strategies)
    return strategies[name]


def replay(strategy: Strategy, history: Iterable[Tried]) -> State:
    """Return the state of a strategy that was told `history`."""
    state = strategy.start()
    for tried in history:
        state = strategy.tell(state, tried)
    return state


def remember(state: State, tried: Tried) -> State:
    """Return `state` with the outcome of one idea put in or replaced."""
    ids = [earlier.idea.id for earlier in state.tried]
    if tried.idea.id not in ids:
        return State(tried=(*state.tried, tried))
    at = ids.index(tried.idea.id)
    return State(tried=(*state.tried[:at], tried, *state.tried[at + 1 :]))


def choose_finalists(tried: Sequence[Tried], k: int) -> tuple[Idea, ...]:
    """Return the at most `k` screened ideas that get a plan, the most promising first.

    Ideas that passed the screen come first, by effect in units of its spread. When they leave a slot, one idea that
    did not pass gets it: the one with the highest effect plus spread, which the few seeds of the screen dismissed
    with the least certainty. So the screen itself is put to the test, and what it dismissed may be refuted by
    evidence instead of by haste. The other slots stay empty: each plan takes its share of the error rate.
    """
    passed = [t for t in tried if t.outcome == "survived" and t.effect is not None]
    ranked = sorted(passed, key=lambda t: (-_promise(t), t.idea.id))[:k]
    if len(ranked) < k:
        dismissed = [t for t in tried if t.outcome == "screened" and t.effect is not None]
        ranked += sorted(dismissed, key=lambda t: (-((t.effect or 0.0) + (t.spread or 0.0)), t.idea.id))[:1]
    return tuple(t.idea for t in ranked)


def _promise(tried: Tried) -> float:
    """Effect in units of its spread; never below a twentieth of the effect, so that agreement by luck does not win."""
    effect, spread = tried.effect or 0.0, tried.spread or 0.0
    return effect / max(spread, 0.05 * abs(effect), 1e-300)

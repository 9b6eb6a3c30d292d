"""Strategies: what to try next. Pure, by ask and tell; no I/O, no clock, no randomness of their own."""

from flows.search.errors import SearchError, StrategyUnknown
from flows.search.strategy import State, Strategy, choose_finalists, load_strategy, replay

__all__ = ["SearchError", "State", "Strategy", "StrategyUnknown", "choose_finalists", "load_strategy", "replay"]

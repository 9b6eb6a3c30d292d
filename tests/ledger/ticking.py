"""A clock for tests: every look at it is one second later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count


def ticking(start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> Callable[[], datetime]:
    seconds = count()
    return lambda: start + timedelta(seconds=next(seconds))

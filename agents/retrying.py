"""When a request that failed is made again: as the endpoint says, else ever later, with jitter."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import numpy as np

_FIRST_S = 0.5
_LONGEST_S = 30.0
_FOREVER_S = 1e9
_AGAIN = frozenset({408, 409, 425, 429})


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Pace:
    """How time passes for retries: `sleep` in seconds, `clock` in seconds since any moment, `now` in UTC, jitter."""

    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = _now
    rng: np.random.Generator = field(default_factory=np.random.default_rng)

    def backoff(self, failures: int) -> float:
        """Return seconds to wait after that many failures in a row: doubling up to 30, of which a random half is cut.

        The jitter keeps calls that failed together from coming back together.
        """
        longest = min(_LONGEST_S, _FIRST_S * 2.0 ** min(failures - 1, 16))
        return longest * float(self.rng.uniform(0.5, 1.0))

    def asked(self, headers: Mapping[str, str]) -> float | None:
        """Return the seconds that `retry-after-ms` or `retry-after` ask to wait, None where neither says anything.

        `headers` have lower-case names. `retry-after` is in seconds or an HTTP date (RFC 9110, section 10.2.3).
        """
        for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
            value = headers.get(name, "").strip()
            if not value:
                continue
            try:
                seconds = float(value) * scale
            except ValueError:
                seconds = self._until(value)
            if not math.isnan(seconds):
                return min(max(0.0, seconds), _FOREVER_S)
        return None

    def _until(self, date: str) -> float:
        try:
            moment = parsedate_to_datetime(date)
        except (ValueError, OverflowError):
            return math.nan
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (moment - self.now()).total_seconds()


def again(status: int) -> bool:
    """Say whether a request that was answered with this status may be made again."""
    return status in _AGAIN or status >= 500

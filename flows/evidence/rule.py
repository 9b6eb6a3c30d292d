"""The decision rule itself, over one plan's pairs or over many simulated plans at once: the same lines serve both."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agents.records import Plan, Verdict
from flows.evidence.eprocess import Floats
from flows.evidence.location import Location


class Ending(StrEnum):
    """What ended a plan, or that nothing has yet."""

    OPEN = "open"
    SUPPORTED = "supported"
    REFUTED = "refuted"
    TOO_SMALL = "too small"
    FUTILE = "futile"
    GIVEN_UP = "given up"
    EXHAUSTED = "exhausted"
    FAILED = "failed"


VERDICTS = {
    Ending.OPEN: None,
    Ending.SUPPORTED: Verdict.SUPPORTED,
    Ending.REFUTED: Verdict.REFUTED,
    Ending.TOO_SMALL: Verdict.INCONCLUSIVE,
    Ending.FUTILE: Verdict.INCONCLUSIVE,
    Ending.GIVEN_UP: Verdict.INCONCLUSIVE,
    Ending.EXHAUSTED: Verdict.INCONCLUSIVE,
    Ending.FAILED: Verdict.INCONCLUSIVE,
}

CODES = tuple(Ending)

NEAR = 2
"""A plan is not given up while a refutation is at most this many pairs away at the pace so far.

Nor while its e-value grows at a pace that would carry it to its level: an effect can be below the aim and certain.
"""


class Walked(NamedTuple):
    """Per row: the code of the ending, an index into `CODES`, and the look at which it came; open ones, all pairs."""

    codes: NDArray[np.int8]
    n: NDArray[np.int64]

    def share(self, ending: Ending) -> float:
        """Return the share of rows that ended so."""
        return float((self.codes == CODES.index(ending)).mean())


class _Evidence(NamedTuple):
    """E-values of some rows at one look: for an improvement, against the least effect, against the aim."""

    gain: Floats
    reverse: Floats
    aim: Floats


def walk(plan: Plan, d: Floats, level: Floats | None = None) -> Walked:
    """Walk the looks of `plan` over differences `d`, shape `[m, n]`, and stop each row at the first that ends it.

    `level`, shape `[m]`, takes the place of the plan's own where rows stand for plans of different levels.

    Raises:
        DifferencesInvalid: a difference is no finite number or lies beyond the metric's range.
    """
    rows, n = d.shape
    levels = np.full(rows, plan.level) if level is None else level
    codes, ended = np.zeros(rows, dtype=np.int8), np.full(rows, n, dtype=np.int64)
    if n == 0:
        return Walked(codes, ended)
    location = Location.of(plan)
    running = _evidence(plan, location, d)
    going = np.arange(rows)
    for look in (look for look in plan.looks if look <= n):
        at = _Evidence(*(e[going, look - 1] for e in running))
        certain = at.gain >= 1.0 / levels[going]
        large = np.zeros_like(certain)
        large[certain] = location.estimate(d[going[certain], :look]) >= plan.least_effect
        found = _endings(plan, look, at, levels[going], certain & large)
        stopped = found != 0
        codes[going], ended[going[stopped]] = found, look
        going = going[~stopped]
        if going.size == 0:
            break
    return Walked(codes, ended)


def _evidence(plan: Plan, location: Location, d: Floats) -> _Evidence:
    gain = location.e_values(d)
    reverse = location.e_values(d, shift=plan.least_effect, side="less")
    if plan.aim is None or plan.futility == 0:
        return _Evidence(gain, reverse, np.zeros_like(d))
    return _Evidence(gain, reverse, location.e_values(d, plan.aim, "less", location.bet_against(plan.aim)))


def _endings(plan: Plan, look: int, at: _Evidence, levels: Floats, supported: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Return the code of each row's ending at this look, in the order of precedence; zero goes on."""
    last, ruled_out = plan.looks[-1], -math.log(plan.alpha)
    choices = [(Ending.REFUTED, at.reverse >= 1.0 / plan.alpha), (Ending.SUPPORTED, supported)]
    if look < last:
        # Each pair at most doubles the e-value; a refutation is projected at the pace so far.
        gone = _log(at.gain) + (last - look) * math.log(2.0) < -np.log(levels)
        choices.append((Ending.FUTILE, gone & (_log(at.reverse) * last / look < ruled_out)))
        if plan.futility > 0:
            near = _log(at.reverse) * (look + NEAR) / look >= ruled_out
            under_way = _log(at.gain) * last / look >= -np.log(levels)
            choices.append((Ending.GIVEN_UP, (at.aim >= 1.0 / plan.futility) & ~near & ~under_way))
    else:
        choices += [(Ending.TOO_SMALL, at.gain >= 1.0 / levels), (Ending.EXHAUSTED, np.ones_like(supported))]
    found = np.select([hit for _, hit in choices], [CODES.index(ending) for ending, _ in choices], 0)
    return found.astype(np.int8)


def _log(e_values: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        logs: Floats = np.log(e_values)
    return logs

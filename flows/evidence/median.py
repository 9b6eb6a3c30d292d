"""Anytime-valid evidence about the median of paired differences: bets on their signs.

Null hypothesis: given the past, the next difference exceeds `shift` with probability at most one half. Nothing is
assumed about the shape of the differences, not symmetry, not a mean, nor that they are independent. One bet on
"larger" multiplies the capital by

    1 + s          if the difference exceeds the shift,
    1 - s          if it does not,               0 < s = tanh(bet) < 1

whose mean under the null is 1 + s (2 P(larger) - 1) <= 1, so the capital is a nonnegative supermartingale. A tie with
the shift counts against whoever bets: that is conservative, and exact when ties have probability zero. The stake s is
what the bet of `flows.evidence.eprocess` on that standardised effect wins at one spread from the shift. A factor stays
below two: n pairs reach less than 2**n. No spread is bet with, so none is needed.

Sources: Ville (1939), "Étude critique de la notion de collectif"; Shafer (2021), "Testing by betting"; Howard and
Ramdas (2022), "Sequential estimation of quantiles with applications to A/B testing and best-arm identification".
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from flows.evidence.eprocess import BETS, Floats, Side, capped, checked, mixture


def e_values(d: ArrayLike, shift: float = 0.0, side: Side = "greater", bets: Sequence[float] = BETS) -> Floats:
    """Return the running e-values, shape `[..., n]`, of the differences `d`, shape `[..., n]`, along the last axis.

    Evidence against "the median of the differences is at most `shift`" (`side` greater) or "at least" (less).

    Raises:
        DifferencesInvalid: a difference or the shift is not a finite number.
    """
    values = checked(d, 1.0, shift)
    won = values > shift if side == "greater" else values < shift
    return capped(mixture([np.where(won, *_gains(bet)) for bet in bets]))


def confidence_sequence(d: Sequence[float] | Floats, alpha: float) -> tuple[float, float] | None:
    """Return the interval of medians that neither one-sided e-process rejects at `alpha` / 2; its ends are pairs.

    "At most m" is rejected once `wins` differences exceed m, so its ends are the differences that stand `wins` from
    either end of the sorted ones. It may be looked at after every pair. None while even n wins do not suffice.

    Raises:
        DifferencesInvalid: a difference is not a finite number.
    """
    values = np.sort(checked(d, 1.0, 0.0))
    n, goal = values.size, math.log(2.0 / alpha)
    wins = next((k for k in range(n + 1) if _log_e(k, n) >= goal), None)
    return None if wins is None else (float(values[n - wins]), float(values[wins - 1]))


def pairs_needed(level: float) -> int:
    """Return the fewest pairs, all of them won, whose e-value exceeds 1 / `level`."""
    n = 1
    while _log_e(n, n) <= -math.log(level):
        n += 1
    return n


def _log_e(wins: int, n: int) -> float:
    """Log e-value after `wins` of `n` pairs; their order does not matter."""
    logs = [wins * gain + (n - wins) * loss for gain, loss in map(_gains, BETS)]
    return float(np.logaddexp.reduce(logs)) - math.log(len(BETS))


def _gains(bet: float) -> tuple[float, float]:
    """Log of the two factors."""
    stake = math.tanh(bet)
    return math.log1p(stake), math.log1p(-stake)

"""Anytime-valid evidence about the mean of paired differences of a bounded metric: capital put at risk on each pair.

Null hypothesis: given the past, the next difference has mean at most `shift`; it lies in [-bound, bound] because the
metric lies in a declared range of that width. Nothing else is assumed: no symmetry, no variance, no independence. One
bet on "larger" multiplies the capital by

    1 + stake (difference - shift),    stake = min(bet / (2 spread), 1 / (bound + shift))

whose mean is at most one under the null whenever the stake is fixed before the difference is seen. The second term
keeps the factor from falling below zero: the worst difference that the range allows can take all, never more. Half
the standardised effect per spread is near the growth-optimal stake, mean / (variance + mean**2), for effects about
one spread. The capital, averaged over a few bets, is a nonnegative supermartingale. At shift zero a factor never
exceeds two, so n pairs reach at most 2**n; where differences are small beside the range, far less, and no method can
do better: what the sample did not show, a rare catastrophe, might still move the mean.

Every factor falls as the shift grows, so the interval is one piece.

Source: Waudby-Smith and Ramdas (2024), "Estimating means of bounded random variables by betting".
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from flows.evidence.eprocess import BETS, Floats, Side, capped, checked, mixture, spreads_before
from flows.evidence.errors import DifferencesInvalid

_LEAST = -1e4
"""Smallest log capital that the search for an end of the interval works with; it is far below every threshold."""


def e_values(
    d: ArrayLike,
    scale: float,
    bound: float,
    shift: float = 0.0,
    side: Side = "greater",
    bets: Sequence[float] = BETS,
) -> Floats:
    """Return the running e-values, shape `[..., n]`, of the differences `d`, shape `[..., n]`, along the last axis.

    Evidence against "the mean of the differences is at most `shift`" (`side` greater) or "at least" (less). `bound` is
    the width of the metric's range, in the unit of the differences as is `scale`.

    Raises:
        DifferencesInvalid: a difference, the scale or the shift is no finite number, or lies beyond `bound`.
    """
    values = _within(checked(d, scale, shift), bound, shift)
    signed, from_ = (values, shift) if side == "greater" else (-values, -shift)
    return capped(_log_e(signed, spreads_before(values, scale), bound, from_, bets))


def confidence_sequence(d: Sequence[float] | Floats, scale: float, bound: float, alpha: float) -> tuple[float, float]:
    """Return the interval of means that neither one-sided e-process rejects at `alpha` / 2, within [-bound, bound].

    It may be looked at after every pair: the chance that it ever misses the mean is at most `alpha`. With few pairs it
    is the whole range, which is all that is known then.

    Raises:
        DifferencesInvalid: as for `e_values`.
    """
    values = _within(checked(d, scale, 0.0), bound, 0.0)
    if values.size == 0:
        return -bound, bound
    spreads = spreads_before(values, scale)
    lo = _end(values, spreads, bound, math.log(2.0 / alpha))
    hi = -_end(-values, spreads, bound, math.log(2.0 / alpha))
    return lo, hi


def pairs_needed(level: float, scale: float, bound: float) -> int:
    """Return the fewest pairs, all of them the best the range allows, whose e-value exceeds 1 / `level`."""
    n = 1
    while float(e_values(np.full(n, bound), scale, bound)[-1]) * level <= 1.0:
        n += 1
    return n


def _within(values: Floats, bound: float, shift: float) -> Floats:
    if not (math.isfinite(bound) and bound > 0 and abs(shift) < bound and bool((np.abs(values) <= bound).all())):
        raise DifferencesInvalid(
            f"Differences and shift ({shift:g}) must lie within {bound:g} of zero, the width of the metric's range. "
            "Correct `metric.range` of the template."
        )
    return values


def _log_e(values: Floats, spreads: Floats, bound: float, shift: float, bets: Sequence[float] = BETS) -> Floats:
    """Log of the mean over the bets of the running product; minus infinity once a bet has lost all."""
    most, x = 1.0 / (bound + shift), values - shift
    with np.errstate(divide="ignore"):
        return mixture([np.log1p(np.maximum(np.minimum(bet / (2.0 * spreads), most) * x, -1.0)) for bet in bets])


def _end(values: Floats, spreads: Floats, bound: float, goal: float) -> float:
    """Return the largest mean that is rejected as too small, or the end of the range when none is."""
    from scipy.optimize import brentq

    def excess(mean: float) -> float:
        return max(float(_log_e(values, spreads, bound, mean)[-1]), _LEAST) - goal

    least, most = -bound * (1 - 1e-9), bound * (1 - 1e-9)
    if excess(least) <= 0:
        return -bound
    return float(brentq(excess, least, most, xtol=bound * 1e-12)) if excess(most) < 0 else most

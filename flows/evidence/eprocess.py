"""Anytime-valid evidence from paired differences: a betting e-process and the interval that it inverts to.

Null hypothesis: given the past, every difference is symmetric about `shift` or smaller than such a variable. No
normality, no known variance, no independence is assumed. One bet on "larger" multiplies the capital by

    exp(b x) / cosh(b x) = 1 + tanh(b x),    x = difference - shift,    b = bet / spread

whose mean is at most one under the null whenever `b` is fixed before the difference is seen: tanh is odd, so it has
mean zero for a symmetric x, and rising, so anything smaller than x wins less. The capital, averaged over a few bets,
is therefore a nonnegative supermartingale that starts at one: stopped at any look it is an e-value, and the chance
that it ever reaches 1/alpha is at most alpha (Ville). For normal differences of mean m and deviation s the best bet is
m/s, so the grid of bets is a grid of standardised effects. A factor never exceeds two: n pairs reach at most 2**n.

Sources: de la Peña (1999), "A general class of exponential inequalities for martingales and ratios"; Ramdas, Ruf,
Larsson, Koolen (2022), "Admissible anytime-valid sequential inference must rely on nonnegative martingales".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flows.evidence.errors import DifferencesInvalid

Floats = NDArray[np.float64]
Side = Literal["greater", "less"]

BETS = (0.5, 1.0, 2.0, 4.0)
"""Standardised effects that the mixture bets on, with equal capital."""

PRIOR_PAIRS = 2.0
"""How many pairs the spread seen at the screen is worth against the spread of the pairs themselves."""

_MOST = 700.0
"""Largest exponent that is reported: capping an e-value from above is conservative."""


def e_values(
    d: ArrayLike, scale: float, shift: float = 0.0, side: Side = "greater", bets: Sequence[float] = BETS
) -> Floats:
    """Return the running e-values, shape `[..., n]`, of the differences `d`, shape `[..., n]`, along the last axis.

    Evidence against "the centre of the differences is at most `shift`" (`side` greater) or "at least" (less). Entry
    i uses `d[:i + 1]` and may be read at every i. The running maximum may be held against 1/alpha, but is no e-value.
    `bets` share the capital equally; they must be fixed before the differences are seen.

    Raises:
        DifferencesInvalid: a difference, the scale or the shift is not a finite number, or the scale is not positive.
    """
    values = checked(d, scale, shift)
    return capped(_log_e(values - shift, spreads_before(values, scale), 1.0 if side == "greater" else -1.0, bets))


def confidence_sequence(d: Sequence[float] | Floats, scale: float, alpha: float) -> tuple[float, float] | None:
    """Return the interval of centres that neither one-sided e-process rejects at `alpha` / 2.

    It may be looked at after every pair: the chance that it ever misses the centre of symmetry is at most `alpha`. It
    is taken from the pairs so far and is not intersected with earlier intervals, so that it never shrinks by luck of
    the order. It always holds the mean weighted by 1 / spread: log(1 + tanh) is concave, so no bet on "larger than m"
    gains unless that mean exceeds m (Jensen). None when there are too few pairs: 2**n does not exceed 2/alpha.

    Raises:
        DifferencesInvalid: as for `e_values`.
    """
    values = checked(d, scale, 0.0)
    goal = math.log(2.0 / alpha)
    if values.size * math.log(2.0) <= goal:
        return None
    spreads = spreads_before(values, scale)

    def excess(sign: float) -> Callable[[float], float]:
        return lambda centre: float(_log_e(values - centre, spreads, sign)[-1]) - goal

    lo = _root(excess(1.0), float(values.min()), -float(spreads.max()))
    hi = _root(excess(-1.0), float(values.max()), float(spreads.max()))
    return (lo, hi) if lo is not None and hi is not None else None


def pairs_needed(level: float) -> int:
    """Return the fewest pairs whose e-value can exceed 1 / `level`: a pair at most doubles it."""
    return math.floor(-math.log2(level)) + 1


def checked(d: ArrayLike, scale: float, shift: float) -> Floats:
    """Return the differences as an array of finite numbers, scale and shift being ones too.

    Raises:
        DifferencesInvalid: they are not.
    """
    values = np.asarray(d, dtype=np.float64)
    if values.ndim == 0 or not np.isfinite(values).all():
        raise DifferencesInvalid("Paired differences must be a sequence of finite numbers; a pair without one is lost.")
    if not (math.isfinite(scale) and scale > 0 and math.isfinite(shift)):
        raise DifferencesInvalid(f"Scale must be finite and positive and shift finite, not {scale} and {shift}.")
    return values


def capped(logs: Floats) -> Floats:
    """Return e-values from their logarithms, none beyond what a float holds."""
    return np.exp(np.minimum(logs, _MOST))


def mixture(log_factors: Sequence[Floats]) -> Floats:
    """Return the log of the capital, `[..., n]`, that is shared equally among bets with these log factors per pair."""
    capital: Floats = np.logaddexp.reduce([np.cumsum(factor, axis=-1) for factor in log_factors], axis=0)
    return capital - math.log(len(log_factors))


def spreads_before(values: Floats, scale: float) -> Floats:
    """Spread known before each pair: `scale`, updated by the deviation of the pairs before it about their mean.

    It does not depend on the shift, so every bet falls as the shift grows and the interval is one piece.
    """
    n = values.shape[-1]
    before = np.maximum(np.arange(n, dtype=np.float64), 1.0)
    # Measured from the first pair, in units of the scale, so that a large mean costs no digits.
    z = np.clip((values - values[..., :1]) / scale, -1e100, 1e100)
    total, squares = _sum_before(z), _sum_before(z * z)
    deviation = np.maximum(squares - total * total / before, 0.0)
    spreads: Floats = scale * np.sqrt((PRIOR_PAIRS + deviation) / (PRIOR_PAIRS + before - 1.0))
    return spreads


def _sum_before(z: Floats) -> Floats:
    """Sum of the entries before each one: nothing that is bet on is looked at."""
    return np.concatenate([np.zeros_like(z[..., :1]), np.cumsum(z, axis=-1)[..., :-1]], axis=-1)


def _log_e(x: Floats, spreads: Floats, sign: float, bets: Sequence[float] = BETS) -> Floats:
    """Log of the mean over the bets of the running product of 1 + tanh(bet * x / spread), without overflow."""
    ratio = sign * x / spreads
    return mixture([math.log(2.0) - np.logaddexp(0.0, -2.0 * bet * ratio) for bet in bets])


def _root(excess: Callable[[float], float], start: float, step: float) -> float | None:
    """Return where the monotone `excess` crosses zero; beyond `start` in the direction of `step` it is positive."""
    from scipy.optimize import brentq

    outer, inner = start, start
    for _ in range(64):
        if excess(outer) > 0 >= excess(inner):
            return float(brentq(excess, outer, inner, xtol=abs(step) * 1e-9))
        outer, inner = (outer + step, inner) if excess(outer) <= 0 else (outer, inner - step)
        step *= 2.0
    return None

"""The screen: a cheap look at few search seeds that decides what is worth a plan. It proves nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from flows.evidence.errors import DifferencesInvalid


class Screened(NamedTuple):
    """Mean and standard deviation of the paired differences, and whether a plan is worth its price.

    Effect and spread are None when there was no difference to look at.
    """

    effect: float | None
    spread: float | None
    passed: bool


def screened(differences: Sequence[float], least_effect: float) -> Screened:
    """Judge the paired differences of a screen (up is better) against the least effect of interest.

    Passed means: the mean is positive by half a standard error, and the least effect lies within one standard error
    of it. With a single difference (a deterministic workload) the spread is zero and the effect itself must do;
    without any (the candidate crashed) nothing was measured and nothing passes.

    Raises:
        DifferencesInvalid: one is not a finite number.
    """
    values = np.asarray(differences, dtype=np.float64)
    if not np.isfinite(values).all():
        raise DifferencesInvalid("The paired differences of a screen must be finite numbers.")
    if values.size == 0:
        return Screened(None, None, False)
    effect = float(values.mean())
    spread = float(values.std(ddof=1)) if values.size > 1 else 0.0
    error = spread / math.sqrt(values.size)
    return Screened(effect, spread, effect > error / 2 and effect + error >= least_effect)


def bet_scale(effect: float, spread: float, least_effect: float) -> float:
    """Return the spread to bet with: that of the screen, kept off zero when its few differences happened to agree."""
    return max(spread, 0.05 * max(abs(effect), least_effect))

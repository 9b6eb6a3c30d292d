"""What a claim is about: the centre, the median or the mean of the paired differences, each with its own evidence.

| location | null hypothesis that its e-values test                       | assumed of the differences          |
|----------|----------------------------------------------------------------|-------------------------------------|
| centre   | symmetric about the shift, or smaller than such a variable     | symmetry under the null             |
| median   | larger than the shift with probability at most one half        | nothing                             |
| mean     | expectation at most the shift                                  | a declared range of the metric      |

All hold given the past, so looks are free. They differ where differences are skewed: a change that gains a little
most of the time and loses much now and then has a positive median and may have a negative mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from agents.records import Plan
from flows.evidence import eprocess, mean, median
from flows.evidence.eprocess import BETS, Floats, Side
from flows.evidence.errors import PlanRefused

Kind = Literal["centre", "median", "mean"]


@dataclass(frozen=True)
class Location:
    """A location and what its bets need: the spread seen at the screen and, for the mean, the width of the range."""

    kind: Kind
    scale: float
    bound: float | None = None

    @classmethod
    def of(cls, plan: Plan) -> Location:
        """Return the location that a plan is about.

        Raises:
            PlanRefused: it is the mean of a metric whose range the plan does not hold.
        """
        if plan.location == "mean" and plan.range is None:
            raise PlanRefused(f"Plan {plan.id} is about a mean and needs `metric.range = [lo, hi]` of the template.")
        bound = plan.range[1] - plan.range[0] if plan.range is not None else None
        return cls(plan.location, plan.scale, bound)

    @property
    def noun(self) -> str:
        """What the estimate is called."""
        return "median" if self.kind == "median" else "mean"

    def e_values(self, d: Floats, shift: float = 0.0, side: Side = "greater", bets: Sequence[float] = BETS) -> Floats:
        """Return the running e-values against "at most `shift`" (greater) or "at least" (less), shape as `d`."""
        if self.kind == "median":
            return median.e_values(d, shift, side, bets)
        if self.bound is not None and self.kind == "mean":
            return mean.e_values(d, self.scale, self.bound, shift, side, bets)
        return eprocess.e_values(d, self.scale, shift, side, bets)

    def interval(self, d: Floats, alpha: float) -> tuple[float, float] | None:
        """Return the anytime-valid interval of the location, None while there are too few pairs for one."""
        if self.kind == "median":
            return median.confidence_sequence(d, alpha)
        if self.bound is not None and self.kind == "mean":
            return mean.confidence_sequence(d, self.scale, self.bound, alpha)
        return eprocess.confidence_sequence(d, self.scale, alpha)

    def estimate(self, d: Floats) -> Floats:
        """Return the sample's own location along the last axis: its mean, or its median."""
        found: Floats = np.asarray(np.median(d, axis=-1) if self.kind == "median" else d.mean(axis=-1))
        return found

    def pairs_needed(self, level: float) -> int:
        """Return the fewest pairs whose e-value can exceed 1 / `level`: a pair at most doubles it."""
        if self.kind == "median":
            return median.pairs_needed(level)
        if self.bound is not None and self.kind == "mean":
            return mean.pairs_needed(level, self.scale, self.bound)
        return eprocess.pairs_needed(level)

    def bet_against(self, effect: float) -> tuple[float]:
        """Return the one bet that grows fastest against `effect` when there is none: effect in spreads, in bounds."""
        return (min(max(effect / self.scale, BETS[0]), BETS[-1]),)

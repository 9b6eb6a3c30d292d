"""The decision rule: from a registered plan and its paired differences to a verdict, at the registered looks only.

An idea says "improves the metric by at least the least effect". At a look, in this order:

- refuted: the e-value against "the improvement is at least the least effect" reaches 1 / alpha. So an improvement
  that is real but smaller than what was registered is refuted as stated, once that much is certain;
- supported: the e-value against "no improvement" reaches 1 / level, and the mean difference is at least the least
  effect. The error rate that e-LOND holds is that of "no improvement"; how large it is, the interval says;
- inconclusive before the last look (futility): the pairs that are left cannot lift the e-value to 1 / level (each at
  most doubles it), and a refutation is not under way at the pace so far. Giving up early costs no error rate;
- inconclusive at the last look. When the e-value is sufficient and the mean is not, the reason says so.

The looks are walked in order and the first that ends the plan decides, whatever ran beyond it: a replay over more
pairs comes to the same decision. A deterministic workload has one pair and no chance in it: it is supported when its
difference is at least the least effect, else refuted, with no interval and an e-value of one, for nothing was tested.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from agents.records import Plan, Verdict
from flows.evidence.eprocess import Floats, confidence_sequence, e_values
from flows.evidence.errors import DifferencesInvalid, PlanRefused


class Ending(StrEnum):
    """What ended a plan, or that nothing has yet."""

    OPEN = "open"
    SUPPORTED = "supported"
    REFUTED = "refuted"
    TOO_SMALL = "too small"
    FUTILE = "futile"
    EXHAUSTED = "exhausted"
    FAILED = "failed"


VERDICTS = {
    Ending.OPEN: None,
    Ending.SUPPORTED: Verdict.SUPPORTED,
    Ending.REFUTED: Verdict.REFUTED,
    Ending.TOO_SMALL: Verdict.INCONCLUSIVE,
    Ending.FUTILE: Verdict.INCONCLUSIVE,
    Ending.EXHAUSTED: Verdict.INCONCLUSIVE,
    Ending.FAILED: Verdict.INCONCLUSIVE,
}


@dataclass(frozen=True)
class Decision:
    """Where a plan stands after `n` pairs. `verdict` is None and `continue_` true while it is open.

    `e_value` speaks against "no improvement", `e_reverse` against "at least the least effect"; `interval` is
    anytime-valid at the plan's alpha, None when there is none; `estimate` is None before the first pair.
    """

    ending: Ending
    reason: str
    n: int
    estimate: float | None
    interval: tuple[float, float] | None
    e_value: float
    e_reverse: float

    @property
    def verdict(self) -> Verdict | None:
        """The verdict that the ending stands for."""
        return VERDICTS[self.ending]

    @property
    def continue_(self) -> bool:
        """Whether more pairs are wanted."""
        return self.ending is Ending.OPEN


def decide(plan: Plan, differences: Sequence[float]) -> Decision:
    """Apply the plan's rule to the `differences` so far, in the order of the plan's seeds, up is better.

    Raises:
        DifferencesInvalid: one is not a finite number, or there are more than seeds.
        PlanRefused: the plan's looks are no rule: not rising, or not ending at its last seed.
    """
    values = _checked(plan, differences)
    if plan.deterministic:
        return _deterministic(plan, values)
    greater = e_values(values, plan.scale)
    reverse = e_values(values, plan.scale, shift=plan.least_effect, side="less")
    for look in (look for look in plan.looks if look <= values.size):
        ending, reason = _rule(plan, values[:look], float(greater[look - 1]), float(reverse[look - 1]))
        if ending is not Ending.OPEN:
            return _decision(plan, ending, reason, values[:look])
    return _decision(plan, Ending.OPEN, "More pairs are needed.", values)


def looks_taken(plan: Plan, n: int) -> int:
    """Return how many times the rule had been applied when it ended after `n` pairs."""
    return sum(look <= n for look in plan.looks)


def _checked(plan: Plan, differences: Sequence[float]) -> Floats:
    values = np.asarray(differences, dtype=np.float64)
    if values.ndim != 1 or not np.isfinite(values).all() or values.size > len(plan.seeds):
        raise DifferencesInvalid(
            f"Plan {plan.id} registered {len(plan.seeds)} pairs and got {values.size}; all must be finite numbers."
        )
    rising = all(a < b for a, b in zip((0, *plan.looks), plan.looks, strict=False))
    if not (plan.looks and rising and plan.looks[-1] == len(plan.seeds)):
        raise PlanRefused(f"The looks of plan {plan.id} must rise and end at its last seed, not be {plan.looks}.")
    return values


def _rule(plan: Plan, values: Floats, e_value: float, e_reverse: float) -> tuple[Ending, str]:
    least, enough = plan.least_effect, float(values.mean()) >= plan.least_effect
    if e_reverse >= 1.0 / plan.alpha:
        real = e_value >= 1.0 / plan.level
        return Ending.REFUTED, (
            "The improvement is real but smaller than registered." if real else "The registered effect is ruled out."
        )
    if e_value >= 1.0 / plan.level and enough:
        return Ending.SUPPORTED, f"The e-value reached 1 / level and the mean difference is at least {least:g}."
    last = plan.looks[-1]
    if values.size < last:
        hopeless = _hopeless(plan, values.size, e_value, e_reverse)
        return (Ending.FUTILE, "The pairs left can no longer settle it.") if hopeless else (Ending.OPEN, "More pairs.")
    if e_value >= 1.0 / plan.level:
        return Ending.TOO_SMALL, f"An improvement is certain, but its mean is below the least effect {least:g}."
    return Ending.EXHAUSTED, "The registered pairs are spent."


def _hopeless(plan: Plan, n: int, e_value: float, e_reverse: float) -> bool:
    """Whether support is out of reach for certain, and refutation out of reach at the pace so far."""
    last = plan.looks[-1]
    support_gone = _log(e_value) + (last - n) * math.log(2.0) < -math.log(plan.level)
    return support_gone and _log(e_reverse) * last / n < -math.log(plan.alpha)


def _log(e_value: float) -> float:
    return math.log(e_value) if e_value > 0 else -math.inf


def _decision(plan: Plan, ending: Ending, reason: str, values: Floats) -> Decision:
    if values.size == 0:
        return Decision(ending, reason, 0, None, None, 1.0, 1.0)
    return Decision(
        ending=ending,
        reason=reason,
        n=values.size,
        estimate=float(values.mean()),
        interval=confidence_sequence(values, plan.scale, plan.alpha),
        e_value=float(e_values(values, plan.scale)[-1]),
        e_reverse=float(e_values(values, plan.scale, shift=plan.least_effect, side="less")[-1]),
    )


def _deterministic(plan: Plan, values: Floats) -> Decision:
    if values.size == 0:
        return Decision(Ending.OPEN, "The one pair has not run.", 0, None, None, 1.0, 1.0)
    effect = float(values[0])
    ending = Ending.SUPPORTED if effect >= plan.least_effect else Ending.REFUTED
    reason = "Deterministic workload: one pair, no interval, no test."
    return Decision(ending, reason, 1, effect, None, 1.0, 1.0)

"""Decisions: from a registered plan and its paired differences to a verdict, at the registered looks only.

An idea says "improves the metric by at least the least effect". At a look, in this order:

- refuted: the e-value against "the improvement is at least the least effect" reaches 1 / alpha. So an improvement
  that is real but smaller than what was registered is refuted as stated, once that much is certain;
- supported: the e-value against "no improvement" reaches 1 / level, and the mean difference (where the median is
  claimed, the median) is at least the least effect. The error rate that e-LOND holds is that of "no improvement"; how
  large it is, the interval says;
- inconclusive before the last look (futile): the pairs that are left cannot lift the e-value to 1 / level (each at
  most doubles it), and a refutation is not under way at the pace so far. Giving up early costs no error rate;
- inconclusive before the last look (given up), where the plan has an aim: the e-value against "the improvement is at
  least the aim" reaches 1 / futility, no refutation is at hand and, at the pace so far, no support under way. By
  Ville's inequality an effect of the aim or more is given up with probability `futility` at the most, so much power it
  can cost and no more;
- inconclusive at the last look. When the e-value is sufficient and the mean is not, the reason says so.

The looks are walked in order (`flows.evidence.rule`) and the first that ends the plan decides, whatever ran beyond
it: a replay over more pairs comes to the same decision. A deterministic workload has one pair and no chance in it: it
is supported when its difference is at least the least effect, else refuted, with no interval and an e-value of one,
for nothing was tested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agents.records import Plan, Verdict
from flows.evidence.eprocess import Floats
from flows.evidence.errors import DifferencesInvalid, PlanRefused
from flows.evidence.location import Location
from flows.evidence.rule import CODES, VERDICTS, Ending, walk


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
    if values.size == 0:
        return Decision(Ending.OPEN, "More pairs are needed.", 0, None, None, 1.0, 1.0)
    walked = walk(plan, values[None, :])
    return _decision(plan, CODES[walked.codes[0]], values[: walked.n[0]])


def looks_taken(plan: Plan, n: int) -> int:
    """Return how many times the rule had been applied when it ended after `n` pairs."""
    return sum(look <= n for look in plan.looks)


def check_looks(plan: Plan) -> None:
    """Check that the plan says when it is looked at and where it ends.

    Raises:
        PlanRefused: its looks do not rise, or do not end at its last seed.
    """
    rising = all(a < b for a, b in zip((0, *plan.looks), plan.looks, strict=False))
    if not (plan.looks and rising and plan.looks[-1] == len(plan.seeds)):
        raise PlanRefused(f"The looks of plan {plan.id} must rise and end at its last seed, not be {plan.looks}.")


def _checked(plan: Plan, differences: Sequence[float]) -> Floats:
    values = np.asarray(differences, dtype=np.float64)
    if values.ndim != 1 or not np.isfinite(values).all() or values.size > len(plan.seeds):
        raise DifferencesInvalid(
            f"Plan {plan.id} registered {len(plan.seeds)} pairs and got {values.size}; all must be finite numbers."
        )
    check_looks(plan)
    return values


def _decision(plan: Plan, ending: Ending, values: Floats) -> Decision:
    location = Location.of(plan)
    e_value = float(location.e_values(values)[-1])
    return Decision(
        ending=ending,
        reason=_reason(plan, ending, location.noun, e_value),
        n=values.size,
        estimate=float(location.estimate(values)),
        interval=location.interval(values, plan.alpha),
        e_value=e_value,
        e_reverse=float(location.e_values(values, shift=plan.least_effect, side="less")[-1]),
    )


def _reason(plan: Plan, ending: Ending, noun: str, e_value: float) -> str:
    least = f"{plan.least_effect:g}"
    real = e_value >= 1.0 / plan.level
    return {
        Ending.OPEN: "More pairs are needed.",
        Ending.SUPPORTED: f"The e-value reached 1 / level and the {noun} difference is at least {least}.",
        Ending.REFUTED: "The improvement is real but smaller than registered."
        if real
        else "The registered effect is ruled out.",
        Ending.TOO_SMALL: f"An improvement is certain, but its {noun} is below the least effect {least}.",
        Ending.FUTILE: "The pairs left can no longer settle it.",
        Ending.GIVEN_UP: f"Given up: an improvement of {plan.aim or 0:g}, which it was made to find, is not in sight.",
        Ending.EXHAUSTED: "The registered pairs are spent.",
    }[ending]


def _deterministic(plan: Plan, values: Floats) -> Decision:
    if values.size == 0:
        return Decision(Ending.OPEN, "The one pair has not run.", 0, None, None, 1.0, 1.0)
    effect = float(values[0])
    ending = Ending.SUPPORTED if effect >= plan.least_effect else Ending.REFUTED
    reason = "Deterministic workload: one pair, no interval, no test."
    return Decision(ending, reason, 1, effect, None, 1.0, 1.0)

"""Deviations: a plan may be changed after its freeze, in the open, and what it shows then is exploratory.

Nothing is hidden and nothing forbidden that honest work needs (a scorer that broke, seeds that ran out), but the odds
that were registered are gone: a claim of such a plan keeps its verdict, is called exploratory wherever it is shown, and
is no discovery, so that it lends no error rate to later plans.
"""

from __future__ import annotations

from pydantic import ValidationError

from agents.records import Claim, Deviation, Plan, Verdict
from flows.evidence.decide import check_looks
from flows.evidence.errors import PlanRefused
from flows.evidence.plan import rule_in_words

CHANGEABLE = frozenset(
    {"seeds", "looks", "metric", "maximize", "least_effect", "scale", "location", "range", "aim", "futility", "fixed"}
)
"""What may change. The rest (who is compared, the level that e-LOND granted) would make it another plan."""


def deviated(plan: Plan, deviation: Deviation) -> Plan:
    """Return the plan as it is carried out after `deviation`, which stays with it.

    A deviation that changes no field (a scorer that was repaired meanwhile) is recorded all the same.

    Raises:
        PlanRefused: the deviation is of another plan, changes what may not change, or leaves no rule.
    """
    if deviation.plan != plan.id:
        raise PlanRefused(f"The deviation is of plan {deviation.plan}, not {plan.id}.")
    fixed = sorted(set(deviation.changes) - CHANGEABLE)
    if fixed:
        raise PlanRefused(f"{', '.join(fixed)} of plan {plan.id} cannot change; register another plan.")
    values = plan.model_dump(mode="json") | dict(deviation.changes)
    try:
        changed = Plan.model_validate(values)
    except ValidationError as error:
        raise PlanRefused(f"The deviation makes no plan of {plan.id}: {error.errors()[0]['msg']}.") from error
    check_looks(changed)
    update = {"rule": rule_in_words(changed), "deviations": (*plan.deviations, deviation)}
    return changed.model_copy(update=update)


def is_discovery(claim: Claim) -> bool:
    """Whether a claim counts for e-LOND: supported by the plan as it was frozen, and its challenges settled."""
    return claim.verdict is Verdict.SUPPORTED and bool(claim.challenges) and not claim.exploratory

"""The gate: what every plan must say before it may be frozen, whoever drew it up."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from agents.records import Candidate, Claim, Idea, Plan
from flows.evidence.decide import check_looks
from flows.evidence.errors import PlanRefused
from flows.evidence.location import Location

FREE_EDIT = "free edit"
"""What varies when two sides differ in code, but in no declared factor."""

ABLATION = "ablation"


def varied(candidate: Candidate, comparator: Candidate) -> tuple[str, ...]:
    """Return the factors that one side has and the other lacks, sorted; a free edit where no factor tells."""
    return tuple(sorted(set(candidate.factors) ^ set(comparator.factors))) or (FREE_EDIT,)


def check_varied(idea: Idea, varies: Collection[str]) -> None:
    """Check that what varies is one thing, or the combination that the idea states.

    Raises:
        PlanRefused: something varies that the idea does not name.
    """
    stray = [name for name in varies if name not in idea.factors and name != FREE_EDIT]
    if stray and (len(varies) > 1 or idea.factors):
        stated = ", ".join(idea.factors) or "no factor"
        raise PlanRefused(
            f"Idea {idea.id} states {stated}, and the two sides differ in {', '.join(varies)}. Vary one thing, or "
            "state the combination in the idea, so that its ingredients can be taken out in turn."
        )


def check_two_sides(candidate: Candidate, comparator: Candidate) -> None:
    """Check that there are two different codes to compare.

    Raises:
        PlanRefused: they are the same.
    """
    if candidate.id == comparator.id or candidate.commit == comparator.commit:
        raise PlanRefused(f"{candidate.id} and {comparator.id} are the same code; comparing them says nothing.")


def check_plan(plan: Plan, metrics: Mapping[str, bool]) -> None:
    """Check a plan that is about to be frozen. `metrics` maps what may be claimed to whether more is better.

    Raises:
        PlanRefused: it has no comparator, does not say what varies, is about a metric that the template does not
            declare or turns its direction round, claims the mean of what has no range, or has no stopping rule.
    """
    if not plan.comparator or plan.comparator == plan.candidate:
        raise PlanRefused(f"Plan {plan.id} has nothing to be compared with. Register it against a baseline.")
    if not plan.varies:
        raise PlanRefused(f"Plan {plan.id} does not say what varies between {plan.candidate} and {plan.comparator}.")
    if plan.metric not in metrics:
        known = ", ".join(sorted(metrics))
        raise PlanRefused(f"Plan {plan.id} is about {plan.metric!r}; what can be claimed here is {known}.")
    if plan.maximize is not metrics[plan.metric]:
        wanted = "more" if metrics[plan.metric] else "less"
        raise PlanRefused(f"Plan {plan.id} has the wrong direction: {wanted} {plan.metric} is better.")
    bound = Location.of(plan).bound
    if bound is not None and plan.least_effect >= bound:
        raise PlanRefused(f"The least effect of plan {plan.id} exceeds the range of {plan.metric}, {plan.range}.")
    check_looks(plan)
    if not plan.rule.strip():
        raise PlanRefused(f"Plan {plan.id} has no stopping rule in words. Write it with `rule_in_words`.")


def ablations_due(plan: Plan, claim: Claim) -> tuple[str, ...]:
    """Return the ingredients of a claimed combination that no ablation has taken out yet."""
    done = {challenge.removed for challenge in claim.challenges if challenge.kind == ABLATION}
    return tuple(name for name in plan.ablations if (name,) not in done)

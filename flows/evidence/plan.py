"""Pre-registration: what will be run, when it is looked at and what will be concluded, before any of it is run."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from agents.records import Candidate, Idea, Plan, Stage
from flows.evidence.errors import PlanRefused
from flows.evidence.levels import next_level
from templates.manifest import Manifest, Seeds


@dataclass(frozen=True)
class Rules:
    """What holds for every plan of a campaign.

    `horizon` is how many confirm plans the campaign may register. `metrics` maps every metric that may be claimed to
    whether more is better. The rule is applied after every `every` pairs.
    """

    alpha: float
    horizon: int
    metrics: Mapping[str, bool]
    seeds: Seeds
    every: int = 1

    @classmethod
    def of(cls, manifest: Manifest, alpha: float, horizon: int) -> Rules:
        """Return the rules of a campaign on the template of `manifest`, whose metric alone may be claimed."""
        metric = manifest.metric
        return cls(alpha, horizon, {metric.name: metric.direction == "maximize"}, manifest.seeds)


@dataclass(frozen=True)
class Register:
    """What the campaign has registered so far: all plans in order, those that are discoveries, the seeds searched."""

    plans: Sequence[Plan] = ()
    discoveries: Collection[str] = field(default_factory=frozenset)
    search_seeds: Collection[int] = field(default_factory=frozenset)


def freeze(
    rules: Rules, register: Register, idea: Idea, candidate: Candidate, comparator: Candidate | None, scale: float
) -> Plan:
    """Return the next plan: `candidate` against `comparator` on fresh seeds, at the level that e-LOND grants.

    `scale` is the spread to bet with, from `bet_scale`.

    Raises:
        PlanRefused: no comparator, or the same code on both sides; a metric that the template does not declare; the
            candidate already had its plan; the horizon is used up; seeds not fresh, or too few to reach the level.
    """
    if comparator is None:
        raise PlanRefused(f"{candidate.id} has nothing to be compared with. Register it against a baseline.")
    _require_two(candidate, comparator)
    if candidate.idea != idea.id:
        raise PlanRefused(f"{candidate.id} puts idea {candidate.idea} into code, not {idea.id}.")
    if idea.metric not in rules.metrics:
        raise PlanRefused(
            f"Idea {idea.id} predicts {idea.metric!r}; what can be claimed here is {', '.join(sorted(rules.metrics))}."
        )
    confirms = [plan for plan in register.plans if plan.stage is Stage.CONFIRM]
    earlier = next((p.id for p in confirms if (p.candidate, p.comparator) == (candidate.id, comparator.id)), None)
    if earlier is not None:
        raise PlanRefused(f"{candidate.id} had its confirmation in plan {earlier}; there is no second one.")
    level = next_level(rules.alpha, rules.horizon, [plan.id in register.discoveries for plan in confirms])
    draft = Plan(
        id="p0",
        idea=idea.id,
        candidate=candidate.id,
        comparator=comparator.id,
        metric=idea.metric,
        maximize=rules.metrics[idea.metric],
        least_effect=idea.least_effect,
        seeds=(),
        looks=(),
        alpha=rules.alpha,
        level=level,
        scale=_usable(scale),
        rule="",
        deterministic=rules.seeds.deterministic,
    )
    return _complete(draft, rules, register)


def freeze_challenge(rules: Rules, register: Register, plan: Plan, candidate: Candidate, ablated: Candidate) -> Plan:
    """Return the plan that challenges the claim of `plan`: its `candidate` against itself with the cause removed.

    On fresh seeds again, so it is a replication too; at the full alpha, because it may only take a claim away.

    Raises:
        PlanRefused: `candidate` is not the plan's, nothing was removed, or the seeds are not fresh or too few.
    """
    if candidate.id != plan.candidate:
        raise PlanRefused(f"Plan {plan.id} is about {plan.candidate}, not {candidate.id}.")
    _require_two(candidate, ablated)
    stage = {"stage": Stage.CHALLENGE, "comparator": ablated.id, "alpha": rules.alpha, "level": rules.alpha}
    return _complete(plan.model_copy(update=stage), rules, register)


def check_seeds(plan: Plan, register: Register) -> None:
    """Check that the plan's seeds are its own: none twice, none searched, none of another plan.

    Raises:
        PlanRefused: they are not.
    """
    taken = {seed: other.id for other in register.plans if other.id != plan.id for seed in other.seeds}
    taken |= dict.fromkeys(register.search_seeds, "the search")
    clash = next((seed for seed in plan.seeds if seed in taken), None)
    if clash is not None:
        raise PlanRefused(
            f"Seed {clash} of plan {plan.id} belongs to {taken[clash]}. Move `seeds.confirm_from` of the template away "
            "from the search seeds."
        )
    if not plan.seeds or len(set(plan.seeds)) < len(plan.seeds):
        raise PlanRefused(f"Plan {plan.id} needs seeds, each of them once.")


def _complete(draft: Plan, rules: Rules, register: Register) -> Plan:
    """Put in the number, the block of fresh seeds, the looks and the rule in words."""
    count = 1 if draft.deterministic else rules.seeds.confirm
    start = max([rules.seeds.confirm_from, *(seed + 1 for plan in register.plans for seed in plan.seeds)])
    own = {
        "id": f"p{len(register.plans) + 1}",
        "seeds": tuple(range(start, start + count)),
        "looks": (1,) if draft.deterministic else _looks(draft, count, rules.every),
    }
    plan = draft.model_copy(update=own)
    check_seeds(plan, register)
    return plan.model_copy(update={"rule": rule_in_words(plan)})


def _looks(draft: Plan, count: int, every: int) -> tuple[int, ...]:
    """Every `every` pairs from the first look that could end the plan, and at the last pair."""
    needed = pairs_needed(draft.level)
    if count < needed:
        raise PlanRefused(
            f"{count} pairs can never reach the level {draft.level:.4g}; it takes {needed} at least. Raise "
            "`seeds.confirm` of the template, or declare fewer plans."
        )
    first = min(pairs_needed(draft.alpha), count)
    return tuple(sorted({*range(first, count + 1, max(every, 1)), count}))


def pairs_needed(level: float) -> int:
    """Return the fewest pairs whose e-value can exceed 1 / `level`: a pair at most doubles it."""
    return math.floor(-math.log2(level)) + 1


def rule_in_words(plan: Plan) -> str:
    """Return the decision rule of `plan` as a reader of the register finds it."""
    up = "higher" if plan.maximize else "lower"
    pair = f"{plan.candidate} and {plan.comparator} run on the same seeds; {up} {plan.metric} is better. "
    if plan.deterministic:
        return pair + (
            "The workload is deterministic, so there is one pair, no interval and no test. Supported when "
            f"{plan.candidate} is better by at least {plan.least_effect:g}, refuted otherwise."
        )
    return pair + (
        f"Up to {len(plan.seeds)} pairs are run; after {', '.join(map(str, plan.looks))} of them this is applied. "
        f"Refuted when the e-value against an improvement of {plan.least_effect:g} or more reaches "
        f"{1 / plan.alpha:.4g}. Supported when the e-value against no improvement reaches {1 / plan.level:.4g} "
        f"and the mean paired difference is at least {plan.least_effect:g}. Inconclusive at the last pair, or "
        "earlier when the pairs left can neither support it nor, at the pace so far, refute it. A failed execution on "
        "either side ends the plan as inconclusive."
    )


def _require_two(candidate: Candidate, comparator: Candidate) -> None:
    if candidate.id == comparator.id or candidate.commit == comparator.commit:
        raise PlanRefused(f"{candidate.id} and {comparator.id} are the same code; comparing them says nothing.")


def _usable(scale: float) -> float:
    if not (math.isfinite(scale) and scale > 0):
        raise PlanRefused(f"The spread to bet with must be a positive number, not {scale}. Screen the candidate first.")
    return scale

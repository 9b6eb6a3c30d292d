"""Pre-registration: what will be run, when it is looked at and what will be concluded, before any of it is run."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from agents.records import Candidate, Idea, Plan, Stage
from flows.evidence.errors import PlanRefused
from flows.evidence.forecast import HOPELESS, Hopes, aim_of, forecast, power
from flows.evidence.gate import check_plan, check_two_sides, check_varied, varied
from flows.evidence.levels import next_level
from flows.evidence.location import Kind, Location
from flows.evidence.screen import Screened, bet_scale
from templates.manifest import Manifest, Seeds

FUTILITY = 0.05
"""Chance, at the most, that a plan gives up an effect of its aim. Chosen by simulation: see `docs/evidence.md`."""

ALIKE = ("seeds, data and scoring of both sides", "all code but what varies")


@dataclass(frozen=True)
class Rules:
    """What holds for every plan of a campaign.

    `horizon` is how many confirm plans the campaign may register. `metrics` maps every metric that may be claimed to
    whether more is better. The rule is applied after every `every` pairs. `location` is what is claimed of the
    differences; the mean needs the metric's `range`. `futility` is the power that giving up may cost at a plan's aim;
    zero never gives up. `fixed` says in words what every plan holds fixed: the template's digest, the image.
    """

    alpha: float
    horizon: int
    metrics: Mapping[str, bool]
    seeds: Seeds
    every: int = 1
    location: Kind = "centre"
    range: tuple[float, float] | None = None
    futility: float = FUTILITY
    fixed: tuple[str, ...] = ()

    @classmethod
    def of(cls, manifest: Manifest, alpha: float, horizon: int, fixed: tuple[str, ...] = ()) -> Rules:
        """Return the rules of a campaign on the template of `manifest`, whose metric alone may be claimed."""
        metric = manifest.metric
        return cls(
            alpha,
            horizon,
            {metric.name: metric.direction == "maximize"},
            manifest.seeds,
            location=metric.location,
            range=metric.range,
            fixed=fixed,
        )


@dataclass(frozen=True)
class Register:
    """What the campaign has registered so far: all plans in order, those that are discoveries, the seeds searched."""

    plans: Sequence[Plan] = ()
    discoveries: Collection[str] = field(default_factory=frozenset)
    search_seeds: Collection[int] = field(default_factory=frozenset)


def freeze(
    rules: Rules,
    register: Register,
    idea: Idea,
    candidate: Candidate,
    comparator: Candidate | None,
    seen: Screened | float,
) -> Plan:
    """Return the next plan: `candidate` against `comparator` on fresh seeds, at the level that e-LOND grants.

    `seen` is what the screen saw; a number is the spread to bet with alone. Nothing is known of the effect then, so
    that no plan is refused for lack of hope.

    Raises:
        PlanRefused: no comparator, or the same code on both sides; more varies than the idea states; a metric that
            the template does not declare; the candidate already had its plan; the horizon is used up; seeds not
            fresh, or too few to reach the level; no hope of support even if the effect is all that the screen saw.
    """
    if comparator is None:
        raise PlanRefused(f"{candidate.id} has nothing to be compared with. Register it against a baseline.")
    check_two_sides(candidate, comparator)
    if candidate.idea != idea.id:
        raise PlanRefused(f"{candidate.id} puts idea {candidate.idea} into code, not {idea.id}.")
    varies = varied(candidate, comparator)
    check_varied(idea, varies)
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
        scale=_scale(seen, idea.least_effect),
        rule="",
        deterministic=rules.seeds.deterministic,
        location=rules.location,
        range=rules.range,
        futility=rules.futility,
        varies=varies,
        fixed=(*rules.fixed, *ALIKE),
        ablations=varies if len(varies) > 1 else (),
    )
    return _forecast(_complete(draft, rules, register), seen)


def freeze_challenge(
    rules: Rules,
    register: Register,
    plan: Plan,
    candidate: Candidate,
    comparator: Candidate,
    condition: str | None = None,
) -> Plan:
    """Return the plan that challenges the claim of `plan`: its `candidate` against itself with the cause removed.

    Or against the claim's comparator: again, or under a `condition` of the template. On fresh seeds; at the full alpha,
    because it may only take a claim away. It is never given up: a refutation is what it is for.

    Raises:
        PlanRefused: `candidate` is not the plan's, nothing was removed, or the seeds are not fresh or too few.
    """
    if candidate.id != plan.candidate:
        raise PlanRefused(f"Plan {plan.id} is about {plan.candidate}, not {candidate.id}.")
    check_two_sides(candidate, comparator)
    own = {
        "stage": Stage.CHALLENGE,
        "comparator": comparator.id,
        "condition": condition,
        "alpha": rules.alpha,
        "level": rules.alpha,
        "aim": None,
        "futility": 0.0,
        "varies": varied(candidate, comparator),
        "fixed": (*rules.fixed, *ALIKE),
        "ablations": (),
        "forecast": None,
        "deviations": (),
    }
    return _complete(plan.model_copy(update=own), rules, register)


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
    """Put in the number, the block of fresh seeds, the looks, the aim and the rule in words."""
    count = 1 if draft.deterministic else rules.seeds.confirm
    start = max([rules.seeds.confirm_from, *(seed + 1 for plan in register.plans for seed in plan.seeds)])
    own = {
        "id": f"p{len(register.plans) + 1}",
        "seeds": tuple(range(start, start + count)),
        "looks": (1,) if draft.deterministic else _looks(draft, count, rules.every),
    }
    plan = draft.model_copy(update=own)
    check_seeds(plan, register)
    aim = aim_of(plan) if plan.futility > 0 and not plan.deterministic else math.inf
    plan = plan.model_copy(update={"aim": aim} if math.isfinite(aim) else {"aim": None, "futility": 0.0})
    plan = plan.model_copy(update={"rule": rule_in_words(plan)})
    check_plan(plan, rules.metrics)
    return plan


def _forecast(plan: Plan, seen: Screened | float) -> Plan:
    """Put in what the plan may be expected to do. Refuse what has no hope, where it is known what there is to hope."""
    known = isinstance(seen, Screened)
    hopes = Hopes.of(plan.least_effect, (seen.effect if isinstance(seen, Screened) else None) or 0.0)
    made = forecast(plan, hopes.likely)
    best = made.power if hopes.best == hopes.likely else power(plan, hopes.best)
    if known and best < HOPELESS:
        raise PlanRefused(
            f"{plan.candidate} has no hope here: were its effect {hopes.best:.3g}, {len(plan.seeds)} pairs that spread "
            f"by {plan.scale:.3g} would support it with probability {best:.2g} at the level {plan.level:.4g}. Raise "
            "`seeds.confirm` of the template, declare fewer plans, or look for a larger effect."
        )
    return plan.model_copy(update={"forecast": made})


def _looks(draft: Plan, count: int, every: int) -> tuple[int, ...]:
    """Every `every` pairs from the first look that could end the plan, and at the last pair."""
    location = Location.of(draft)
    needed = location.pairs_needed(draft.level)
    if count < needed:
        raise PlanRefused(
            f"{count} pairs can never reach the level {draft.level:.4g}; it takes {needed} at least. Raise "
            "`seeds.confirm` of the template, or declare fewer plans."
        )
    first = min(location.pairs_needed(max(draft.alpha, draft.futility)), count)
    return tuple(sorted({*range(first, count + 1, max(every, 1)), count}))


def rule_in_words(plan: Plan) -> str:
    """Return the decision rule of `plan` as a reader of the register finds it."""
    up = "higher" if plan.maximize else "lower"
    pair = f"{plan.candidate} and {plan.comparator} run on the same seeds; {up} {plan.metric} is better. "
    if plan.deterministic:
        return pair + (
            "The workload is deterministic, so there is one pair, no interval and no test. Supported when "
            f"{plan.candidate} is better by at least {plan.least_effect:g}, refuted otherwise."
        )
    noun = Location.of(plan).noun
    return pair + (
        f"Up to {len(plan.seeds)} pairs are run; after {', '.join(map(str, plan.looks))} of them this is applied. "
        f"{_about(plan)}Refuted when the e-value against an improvement of {plan.least_effect:g} or more reaches "
        f"{1 / plan.alpha:.4g}. Supported when the e-value against no improvement reaches {1 / plan.level:.4g} "
        f"and the {noun} paired difference is at least {plan.least_effect:g}. Inconclusive at the last pair, or "
        "earlier when the pairs left can neither support it nor, at the pace so far, refute it. "
        f"{_giving_up(plan)}A failed execution on either side ends the plan as inconclusive."
    )


def _about(plan: Plan) -> str:
    """Say what is claimed of the differences, and what is assumed of them for it."""
    if plan.location == "median":
        return "The claim is about the median of the differences; nothing is assumed of their shape. "
    if plan.location == "mean" and plan.range is not None:
        lo, hi = plan.range
        return f"The claim is about the mean of the differences, for a metric between {lo:g} and {hi:g}. "
    return ""


def _giving_up(plan: Plan) -> str:
    if plan.aim is None or plan.futility == 0:
        return ""
    return (
        f"Given up as inconclusive when the e-value against an improvement of {plan.aim:.4g} or more reaches "
        f"{1 / plan.futility:.4g}, no refutation is at hand and no support under way: such an improvement is given up "
        f"with probability {plan.futility:g} at the most. "
    )


def _scale(seen: Screened | float, least_effect: float) -> float:
    scale = bet_scale(seen.effect or 0.0, seen.spread or 0.0, least_effect) if isinstance(seen, Screened) else seen
    if not (math.isfinite(scale) and scale > 0):
        raise PlanRefused(f"The spread to bet with must be a positive number, not {scale}. Screen the candidate first.")
    return scale

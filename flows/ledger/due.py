"""Due: what a campaign owes at each step, from its state and its template's manifest alone.

The loop does it and `verify` works it out again, so that both follow one text.
"""

from __future__ import annotations

from typing import NamedTuple

from agents.embedded.patcher import apply_factors
from agents.records import Candidate, ChallengeKind, Idea, Plan, Stage
from flows.evidence import Race, Register, Rules, is_discovery, judge, paired_differences
from flows.ledger.state import CampaignState
from flows.settings import Budget
from templates.manifest import Manifest
from templates.template import Template

KINDS = {"control": ChallengeKind.CONTROL, "change": ChallengeKind.CHANGE}


class AttackDue(NamedTuple):
    """An attack that a supported claim calls for: its kind, the factors it takes out, the condition it runs under."""

    kind: ChallengeKind
    removed: tuple[str, ...] = ()
    condition: str | None = None


def budget_of(state: CampaignState) -> Budget:
    """Return the campaign's budget."""
    return Budget.model_validate(state.spec.get("budget", {}))


def horizon_of(state: CampaignState) -> int:
    """Return how many plans the campaign may register."""
    budget = budget_of(state)
    return budget.rounds * budget.plans_per_round


def rules_of(state: CampaignState, manifest: Manifest) -> Rules:
    """Return what holds for every plan of the campaign."""
    image = f"image {state.image_id[:19]}" if state.image_id else f"the {state.backend} sandbox"
    fixed = (f"template {state.digest[:12]}", image)
    return Rules.of(manifest, state.spec["alpha"], horizon_of(state), fixed)


def register_of(state: CampaignState) -> Register:
    """Return what is registered so far; a claim counts as a discovery once its challenges are settled."""
    settled = frozenset(claim.plan for claim in state.claims.values() if is_discovery(claim))
    searched = {e.seed for e in state.executions.values() if e.stage in (Stage.BASELINE, Stage.SCREEN)}
    return Register(tuple(state.plans.values()), settled, frozenset(searched))


def race_of(manifest: Manifest) -> Race:
    """Return how the screen of a round is raced."""
    return Race.of(manifest.seeds.screen)


def screen_differences(state: CampaignState, idea: Idea, manifest: Manifest) -> tuple[float, ...]:
    """Return the paired differences of an idea's candidate on the search seeds that it ran; none when it crashed."""
    return paired_differences(
        state.executions_of(state.candidate_of(idea.id).id, Stage.SCREEN),
        state.executions_of("c0", Stage.BASELINE),
        manifest.metric,
    )


def attacks_due(plan: Plan, manifest: Manifest) -> tuple[AttackDue, ...]:
    """Return every attack that a claim on `plan` calls for once it is supported, in order.

    What takes the cause away comes first: each ingredient of a combination in turn. Without its only change a
    candidate is the baseline again, so for a single change what is left to ask is whether the gain repeats.
    """
    first = tuple(AttackDue(ChallengeKind.ABLATION, (name,)) for name in plan.ablations)
    first = first or (AttackDue(ChallengeKind.REPLICATION),)
    return (*first, *(AttackDue(KINDS[each.kind], (), each.name) for each in manifest.conditions))


def title_of(condition: str | None, manifest: Manifest) -> str:
    """Return how a condition reads after "with", empty for none."""
    return next((each.title for each in manifest.conditions if each.name == condition), "")


def is_undecided(state: CampaignState, plan: Plan) -> bool:
    """Whether the plan's rule asks for more pairs than have run."""
    sides = (state.executions_of(side, plan.stage, plan.id) for side in (plan.candidate, plan.comparator))
    return judge(plan, *sides).continue_


def attack_affordable(state: CampaignState, manifest: Manifest) -> bool:
    """Whether one more attack can be run to its last seed beside all plans that are open."""
    unsettled = sum(is_undecided(state, plan) for plan in state.plans.values())
    planned = 2 * manifest.seeds.confirm * (unsettled + 1)
    return len(state.executions) + planned <= budget_of(state).executions


def plan_affordable(state: CampaignState, manifest: Manifest) -> bool:
    """Whether one more plan and its first challenge can be run to their last seed, beside the plans that are open.

    A plan that the budget ends half-way would have spent its level for nothing.
    """
    undecided = sum(plan.stage is Stage.CONFIRM and state.claim_of(plan.id) is None for plan in state.plans.values())
    return len(state.executions) + 4 * manifest.seeds.confirm * (undecided + 1) <= budget_of(state).executions


def no_plan(idea: str) -> str:
    """Return how a notice begins that says why an idea gets no plan."""
    return f"No plan for idea {idea}: "


def kept_factors(candidate: Candidate, removed: tuple[str, ...]) -> tuple[str, ...]:
    """Return the factors that an ablated candidate keeps."""
    return tuple(name for name in candidate.factors if name not in removed)


def ablated_sources(template: Template, candidate: Candidate, removed: tuple[str, ...]) -> dict[str, str]:
    """Return the editable files of a candidate without some of its factors.

    Raises:
        PatchFailed: the factors that stay do not fit the template.
    """
    sources = template.sources()
    return {**sources, **apply_factors(template, kept_factors(candidate, removed), sources)}

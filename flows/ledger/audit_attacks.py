"""Audit of attacks: registered before they ran, none forgotten, each in its claim, and no verdict kept back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agents.records import Attack, Claim, Stage, Verdict
from flows.evidence import attack_of, attack_title
from flows.ledger.due import AttackDue, attack_affordable, attacks_due, kept_factors, no_plan, title_of
from flows.ledger.findings import Step
from flows.ledger.state import CampaignState
from templates.manifest import Manifest


def attack_faults(steps: Sequence[Step], manifest: Manifest) -> Iterator[str]:
    """Yield attacks that were due and not registered, registered late, or whose outcome is not in the claim."""
    for before, event, after in steps:
        if event.kind == "attacks":
            claim = before.claims[event.data["claim"]]
            yield from _registration(before, after, claim, event.seq, manifest)
    if steps:
        yield from _outcomes(steps[-1].after)


def _registration(
    before: CampaignState, after: CampaignState, claim: Claim, seq: int, manifest: Manifest
) -> Iterator[str]:
    """Hold one registration against what was due, in order: each attack made, or left out for want of budget."""
    where = f"on claim {claim.id} (event {seq})"
    if claim.verdict is not Verdict.SUPPORTED:
        yield f"Attacks are registered {where}, which is {claim.verdict}; only a supported claim is attacked."
    made, absent = list(after.attacks[claim.id]), list(after.left_out[claim.id])
    for due in attacks_due(before.plans[claim.plan], manifest):
        condition = title_of(due.condition, manifest)
        title = attack_title(Attack(plan="", kind=due.kind, removed=due.removed, condition=condition))
        if made and (made[0].kind, made[0].removed, made[0].condition) == (due.kind, due.removed, condition):
            yield from (f"The {title} {where} {fault}" for fault in _plan_faults(before, claim, made.pop(0), due))
        elif due.condition is not None and absent[:1] == [title]:
            absent.pop(0)
            if attack_affordable(before, manifest):
                yield f"The {title} {where} was left out, although the budget allowed it."
        else:
            yield f"The {title} {where} was due, and is neither registered nor named as left out."
    for attack in made:
        yield f"The {attack_title(attack)} {where} is registered, and was not due there."
    for title in absent:
        yield f"The {title} {where} is named as left out, and was not due there."


def _plan_faults(state: CampaignState, claim: Claim, attack: Attack, due: AttackDue) -> Iterator[str]:
    """Yield what is wrong with the plan of an attack that was due."""
    plan = state.plans[attack.plan]
    if any(execution.plan == plan.id for execution in state.executions.values()):
        yield f"was registered only after executions of its plan {plan.id} had run."
    if (plan.stage, plan.candidate, plan.condition) != (Stage.CHALLENGE, claim.candidate, due.condition):
        yield f"has plan {plan.id}, which is no such challenge."
    if due.removed:
        wanted = kept_factors(state.candidates[claim.candidate], due.removed)
        if state.candidates[plan.comparator].factors != wanted:
            yield f"compares with {plan.comparator}, which is not the candidate without {', '.join(due.removed)}."
    elif plan.comparator != claim.comparator:
        yield f"compares with {plan.comparator}, the claim with {claim.comparator}."


def _outcomes(state: CampaignState) -> Iterator[str]:
    """Yield what a campaign owes at its end; while it is open, only what it has already got wrong."""
    for claim in state.claims.values():
        attacks = state.attacks.get(claim.id, ())
        settled = tuple(map(attack_of, claim.challenges))
        if settled != attacks[: len(settled)]:
            yield f"Claim {claim.id} lists challenges that are not the attacks registered on it, in their order."
        elif state.closed is not None and len(settled) < len(attacks):
            missing = ", ".join(attack.plan for attack in attacks[len(settled) :])
            yield f"Claim {claim.id} does not say what came of plan {missing}, which attacks it."
        if state.closed is not None and claim.verdict is Verdict.SUPPORTED and claim.id not in state.attacks:
            yield f"Claim {claim.id} is supported and was never attacked."
    if state.closed is not None:
        yield from _kept_back(state)


def _kept_back(state: CampaignState) -> Iterator[str]:
    """Yield plans that came to nothing, and finalists that got none."""
    attacking = {attack.plan for each in state.attacks.values() for attack in each}
    claimed = {claim.plan for claim in state.claims.values()}
    for plan in state.plans.values():
        if plan.stage is Stage.CHALLENGE and plan.id not in attacking:
            yield f"Plan {plan.id} is a challenge that attacks no claim."
        if plan.stage is Stage.CONFIRM and plan.id not in claimed:
            yield f"Plan {plan.id} was registered, and nothing is said of what came of it."
    planned = {plan.idea for plan in state.plans.values()} | state.turned_away("plans")
    for number, ideas in state.finalists.items():
        for idea in ideas:
            if idea not in planned and not any(text.startswith(no_plan(idea)) for text in state.notices):
                yield f"Idea {idea}, a finalist of round {number}, got no plan, and nothing says why."

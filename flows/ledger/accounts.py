"""Accounts: what was tried for each claim and what it cost, and the dossier of everything a paper may speak of."""

from __future__ import annotations

from dataclasses import asdict

from agents.records import Claim, Stage
from agents.team import Behind, Closing, Dossier, Savings
from flows.evidence import closing, saved
from flows.evidence.savings import FIXED_PAIRS
from flows.ledger.due import horizon_of
from flows.ledger.state import CampaignState, attempts, looks_behind, tried


def behind(state: CampaignState, claim: Claim) -> Behind:
    """Count what was tried for this very claim. The baseline's runs at the screen serve every idea: they are not in."""
    mine = {c.id for c in state.candidates.values() if c.idea == claim.idea}
    attacked = {attack.plan for attack in state.attacks.get(claim.id, ())}
    plans = {claim.plan} | attacked | {challenge.plan for challenge in claim.challenges}
    count = dict.fromkeys(Stage, 0)
    for execution in state.executions.values():
        if execution.plan in plans or (execution.plan is None and execution.candidate in mine):
            count[execution.stage] += 1
    return Behind(
        candidates=len(mine),
        screen=count[Stage.SCREEN],
        confirm=count[Stage.CONFIRM],
        challenge=count[Stage.CHALLENGE],
        executions=sum(count.values()),
        plans=len(plans),
        looks=looks_behind(state, claim),
        challenges=len(claim.challenges),
    )


def savings(state: CampaignState) -> Savings:
    """Return what racing and early stopping saved against a fixed design."""
    seen = saved(tuple(state.executions.values()))
    return Savings(
        pairs=FIXED_PAIRS,
        **{name: value for name, value in asdict(seen).items() if name in Savings.model_fields},
        used=seen.used,
        share=seen.share,
        share_shared=seen.share_shared,
    )


def closing_report(state: CampaignState) -> Closing:
    """Return which claims stand when all e-values are looked at together.

    Raises:
        PlanRefused: there are more tested claims than the campaign declared plans.
    """
    claims = tuple(state.claims.values())
    return Closing.model_validate(asdict(closing(claims, state.spec["alpha"], horizon_of(state))))


def dossier(state: CampaignState) -> Dossier:
    """Return everything a paper may speak of.

    Raises:
        PlanRefused: there are more tested claims than the campaign declared plans.
    """
    return Dossier(
        campaign=state.name,
        question=state.question,
        alpha=state.spec["alpha"],
        ideas=tuple(state.ideas.values()),
        tried=tried(state),
        plans=tuple(state.plans.values()),
        claims=tuple(state.claims.values()),
        lessons=state.lessons,
        attempts=attempts(state),
        sandbox=state.backend,
        behind={claim.id: behind(state, claim) for claim in state.claims.values()},
        attacks=state.attacks,
        left_out=state.left_out,
        saved=savings(state),
        closing=closing_report(state),
    )

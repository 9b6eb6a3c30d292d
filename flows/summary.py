"""What there is to say about a campaign, as plain facts for the terminal and for machines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agents.records import Claim
from flows.ledger.accounts import behind, closing_report, savings
from flows.ledger.state import CampaignState, attempts


def facts(state: CampaignState, folder: Path) -> dict[str, Any]:
    """Return where a campaign stands, as JSON-ready facts.

    Raises:
        PlanRefused: there are more tested claims than the campaign declared plans.
    """
    spent = attempts(state)
    return {
        "name": state.spec["name"],
        "stands": f"closed, {state.closed}" if state.closed else "open",
        "template": state.template,
        "backend": state.backend,
        "rounds": f"{max(state.rounds, default=0)} of {state.spec['budget']['rounds']}",
        "ideas": spent.ideas,
        "candidates": spent.candidates,
        "executions": spent.executions,
        "plans": spent.plans,
        "attempts": spent.model_dump(),
        "claims": [_claim(state, claim) for claim in state.claims.values()],
        "deviations": [
            deviation.model_dump(mode="json") for plan in state.plans.values() for deviation in plan.deviations
        ],
        "saved": savings(state).model_dump(),
        "together": closing_report(state).model_dump(mode="json"),
        "notices": list(state.notices),
        "paper": str(folder / "paper" / "paper.pdf") if state.paper else None,
        "folder": str(folder),
    }


def _claim(state: CampaignState, claim: Claim) -> dict[str, Any]:
    """Return a claim with what was tried up to it, what was tried for it, and what it was put to."""
    return {
        "id": claim.id,
        "verdict": str(claim.verdict),
        "exploratory": claim.exploratory,
        "narrowed": "narrowed" in claim.labels,
        "statement": claim.statement,
        "estimate": claim.estimate,
        "interval": claim.interval,
        "n": claim.n,
        "e_value": claim.e_value,
        "tried_up_to_it": claim.attempts.model_dump(),
        "tried_for_it": behind(state, claim).model_dump(),
        "challenges": [challenge.model_dump(mode="json") for challenge in claim.challenges],
        "left_out": list(state.left_out.get(claim.id, ())),
    }

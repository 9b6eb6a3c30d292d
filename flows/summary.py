"""What there is to say about a campaign, as plain facts for the terminal and for machines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agents.records import Claim
from agents.spending import cacheable
from agents.storing import CallFolder
from flows.ledger.accounts import asked_by, behind, closing_report, savings, thinking
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
        "thinking": _thinking(state, folder),
        "saved": savings(state).model_dump(),
        "together": closing_report(state).model_dump(mode="json"),
        "asks": state.question_open.model_dump(mode="json") if state.question_open else None,
        "notices": list(state.notices),
        "paper": str(folder / "paper" / "paper.pdf") if state.paper else None,
        "folder": str(folder),
    }


def _thinking(state: CampaignState, folder: Path) -> dict[str, Any] | None:
    """Return what models were asked, for what, how their code ran, and what share of the input could be cached."""
    made = thinking(state)
    if made is None:
        return None
    calls = CallFolder(folder / "calls")
    kept = [stored for key in state.calls if (stored := calls.get(key)) is not None]
    return {
        **made.model_dump(mode="json"),
        "roles": {name: each.model_dump() for name, each in asked_by(state, "role").items()},
        "models": {name: each.model_dump() for name, each in asked_by(state, "model").items()},
        "about": {name: each.model_dump() for name, each in asked_by(state, "about").items()},
        "tokens_per_call": round((made.input + made.output) / made.calls, 1),
        "cacheable": round(cacheable(kept), 4),
        "budget": {name: state.spec["budget"].get(name) for name in ("money", "tokens")},
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

"""What there is to say about a campaign, as plain facts for the terminal and for machines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flows.ledger.state import CampaignState, attempts


def facts(state: CampaignState, folder: Path) -> dict[str, Any]:
    """Return where a campaign stands, as JSON-ready facts."""
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
        "claims": [
            {
                "id": claim.id,
                "verdict": str(claim.verdict),
                "statement": claim.statement,
                "estimate": claim.estimate,
                "interval": claim.interval,
                "n": claim.n,
                "e_value": claim.e_value,
            }
            for claim in state.claims.values()
        ],
        "notices": list(state.notices),
        "paper": str(folder / "paper" / "paper.pdf") if state.paper else None,
        "folder": str(folder),
    }

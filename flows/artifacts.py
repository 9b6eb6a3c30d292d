"""What people see of a campaign in the Prefect UI: ideas, search tree, claims, paper, progress."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from agents.records import Candidate, Claim
from flows.ledger.state import CampaignState, attempts, tried
from flows.opened import OpenCampaign


def publish_round(campaign: OpenCampaign) -> None:
    """Publish the tables of the campaign as they stand after a round."""
    name, state = campaign.spec.name, campaign.state
    create_table_artifact(key=f"{name}-ideas", table=idea_rows(state), description=f"Ideas of campaign {name}")
    create_markdown_artifact(key=f"{name}-tree", markdown=tree(state), description=f"Search tree of campaign {name}")
    create_table_artifact(
        key=f"{name}-claims",
        table=[claim_row(c) for c in state.claims.values()],
        description=f"Claims of campaign {name}",
    )


def publish_end(campaign: OpenCampaign) -> None:
    """Publish where the paper is and what it rests on."""
    name, paper = campaign.spec.name, campaign.folder / "paper"
    spent = attempts(campaign.state)
    title = campaign.state.draft.title if campaign.state.draft else name
    verdicts = "\n".join(
        f"- **{', '.join([str(c.verdict), *c.labels])}**: {c.statement}" for c in campaign.state.claims.values()
    )
    create_markdown_artifact(
        key=f"{name}-paper",
        markdown=(
            f"# {title}\n\n{verdicts or 'No claim was tested.'}\n\n"
            f"{spent.ideas} ideas, {spent.candidates} candidates, {spent.executions} executions, "
            f"{spent.plans} plans.\n\n- Paper: `{paper / 'paper.pdf'}`\n- Report: `{paper / 'report.html'}`\n"
            f"- MLflow experiment: `{name}`\n- Check it: `hypoloop verify {name}`\n"
        ),
        description=f"Paper of campaign {name}",
    )


def idea_rows(state: CampaignState) -> list[dict[str, Any]]:
    """One row an idea: what it changes, what the screen saw, what became of it."""
    return [
        {
            "idea": t.idea.id,
            "round": t.idea.round,
            "title": t.idea.title,
            "factors": ", ".join(t.idea.factors),
            "outcome": t.outcome,
            "effect at the screen": None if t.effect is None else round(t.effect, 5),
        }
        for t in tried(state)
    ]


def claim_row(claim: Claim) -> dict[str, Any]:
    """One row a claim: verdict, effect, interval, evidence."""
    low, high = claim.interval or (None, None)
    return {
        "claim": claim.id,
        "verdict": ", ".join([str(claim.verdict), *claim.labels]),
        "statement": claim.statement,
        "effect": round(claim.estimate, 5),
        "from": low and round(low, 5),
        "to": high and round(high, 5),
        "seeds": claim.n,
        "e-value": float(f"{claim.e_value:.4g}"),
        "needed": round(1 / claim.level, 1),
        "challenges": "; ".join(c.says for c in claim.challenges),
    }


def tree(state: CampaignState) -> str:
    """The search tree as a nested Markdown list."""
    children: dict[str | None, list[Candidate]] = {}
    for candidate in state.candidates.values():
        children.setdefault(candidate.parent, []).append(candidate)

    def lines(parent: str | None, depth: int) -> Iterator[str]:
        for candidate in children.get(parent, []):
            idea = state.ideas.get(candidate.idea or "")
            title = idea.title if idea else "baseline"
            yield f"{'  ' * depth}- **{candidate.id}** {title} `{candidate.commit[:9]}`"
            yield from lines(candidate.commit, depth + 1)

    return "\n".join(lines(None, 0))

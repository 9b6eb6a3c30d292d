"""The ending: verdicts, where paper and report lie, and how to open the two UIs."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markup import escape

from flows.ledger.accounts import savings
from flows.ledger.reading import read_campaign
from flows.ledger.state import CampaignState, attempts
from flows.progress import COLOURS, beside
from flows.settings import CampaignSpec, campaign_folder


def print_ending(spec: CampaignSpec, home: Path, console: Console) -> None:
    """Print what the campaign found, from its journal."""
    state, folder = read_campaign(home, spec.name), campaign_folder(home, spec.name)
    spent = attempts(state)
    console.print(f"\n[bold]{spec.name}[/]: {state.closed}")
    for claim in state.claims.values():
        interval = f" \\[{claim.interval[0]:.3g}, {claim.interval[1]:.3g}]" if claim.interval else ""
        console.print(
            f"  [{COLOURS[claim.verdict]}]{claim.verdict:<13}[/]{escape(claim.statement)}{beside(claim)}\n"
            f"  {'':<13}effect {claim.estimate:+.3g}{interval}, {claim.n} fresh seeds, "
            f"e-value {claim.e_value:.3g} (needed {1 / claim.level:.3g})",
            highlight=False,
            soft_wrap=True,
        )
        for challenge in claim.challenges:
            console.print(f"  {'':<13}{escape(challenge.says)}", highlight=False, soft_wrap=True)
        for title in state.left_out.get(claim.id, ()):
            console.print(f"  {'':<13}Left out, beyond the budget: {escape(title)}.", highlight=False, soft_wrap=True)
    console.print(
        f"\n{spent.ideas} ideas, {spent.candidates} candidates, {spent.executions} executions, {spent.plans} plans"
        f" in the {state.backend} sandbox{_saved(state)}",
        highlight=False,
        soft_wrap=True,
    )
    for label, line in (
        ("Paper", folder / "paper" / "paper.pdf"),
        ("Report", folder / "paper" / "report.html"),
        ("Check it", f"hypoloop verify {spec.name}"),
        ("Prefect and MLflow", "hypoloop up"),
    ):
        console.print(f"{label:<20}{line}", highlight=False, soft_wrap=True)


def _saved(state: CampaignState) -> str:
    made = savings(state)
    if made.share <= 0:
        return ""
    return f"; stopping early saved {made.share:.0%} of {made.fixed} executions at a fixed {made.pairs} seeds"

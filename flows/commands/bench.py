"""bench: figures about hypoloop itself, measured here and now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from flows.evidence.simulation.sections import Section


@click.group()
def bench() -> None:
    """Measure what hypoloop promises."""


@bench.command()
@click.option("--quick", is_flag=True, help="A tenth of the campaigns: seconds instead of minutes, wide intervals.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option(
    "--write", "path", type=click.Path(dir_okay=False, path_type=Path), help="Write the page there, as Markdown."
)
def evidence(quick: bool, seed: int, path: Path | None) -> None:
    """Simulate campaigns and print how often claims are false, what is found, and what looking early saves."""
    import datetime
    import os
    from concurrent.futures import ProcessPoolExecutor
    from importlib.metadata import version

    from flows.evidence.simulation.page import FULL, QUICK, Origin, markdown, sections

    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        made = sections(seed, QUICK if quick else FULL, pool.map)
    _print(made)
    click.echo("Planted frauds: `python -m tests.frauds`, docs/frauds.md. What integrity costs: docs/integrity.md.")
    if path is not None:
        command = "hypoloop bench evidence" + (" --quick" if quick else "") + f" --seed {seed}"
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        path.write_text(markdown(made, Origin(command, seed, version("hypoloop"), today)), encoding="utf-8")
        click.echo(f"Written: {path}")


def _print(made: Sequence[Section]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for section in made:
        console.print(f"\n[bold]{section.title}[/bold]\n{section.lead}", highlight=False)
        for each in section.tables:
            table = Table(*each.head, title=each.caption or None)
            for row in each.rows:
                table.add_row(*(_cell(cell) for cell in row))
            console.print(table)
        for finding in section.findings:
            console.print(f"- {finding}", highlight=False, markup=False)


def _cell(cell: str) -> str:
    from rich.markup import escape

    return f"[bold]{escape(cell.strip('*'))}[/bold]" if cell.startswith("**") else escape(cell)

"""The page: every section of the evidence benchmark, and its Markdown. No number in it is written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from flows.evidence.simulation.rules import giving_up, locations
from flows.evidence.simulation.sections import Section, Table
from flows.evidence.simulation.studies import Run, null_campaigns, planted_effects
from flows.evidence.simulation.type_one import type_one


@dataclass(frozen=True)
class Size:
    """How much is simulated."""

    campaigns: int
    samples: int


ELSEWHERE = """
## Frauds

What becomes of those who cheat, and of honest work that looks odd, is played and judged in [frauds.md](frauds.md)
(`python -m tests.frauds`); what it costs to be believed is measured in [integrity.md](integrity.md)
(`python -m bench.integrity`).
"""
"""What is measured on pages of its own, where real campaigns are played."""

FULL, QUICK = Size(campaigns=200, samples=2000), Size(campaigns=20, samples=300)


@dataclass(frozen=True)
class Origin:
    """Where the page comes from: the command, its seed, the version and the day."""

    command: str
    seed: int
    version: str
    date: str


def sections(seed: int, size: Size, run: Run) -> list[Section]:
    """Simulate everything; the same seed and size give the same page."""
    rngs = [np.random.default_rng(each) for each in np.random.SeedSequence(seed).spawn(3)]
    return [
        null_campaigns(seed, size.campaigns, run),
        planted_effects(seed + 1, size.campaigns, run),
        giving_up(rngs[0], size.samples),
        locations(rngs[1], size.samples),
        type_one(rngs[2], size.samples),
    ]


def markdown(made: Sequence[Section], origin: Origin) -> str:
    """Return the page."""
    head = (
        "# Evidence, measured\n\n"
        "What hypoloop's statistics are worth beside what is usual, by simulation on the very code that decides "
        f"campaigns. Written by `{origin.command}`, seed {origin.seed}, hypoloop {origin.version}, {origin.date}; "
        "every number comes from that run. Executions are imagined: paired differences are drawn, in units of their "
        "spread, and everything after that is the product. `hypoloop bench evidence` does it again.\n"
    )
    return head + "".join(f"\n{_section(each)}" for each in made) + ELSEWHERE


def _section(section: Section) -> str:
    parts = [f"## {section.title}", section.lead, *map(_table, section.tables)]
    if section.findings:
        parts.append("\n".join(f"- {finding}" for finding in section.findings))
    return "\n\n".join(parts) + "\n"


def _table(table: Table) -> str:
    lines = [f"**{table.caption}**", ""] if table.caption else []
    lines += [f"| {' | '.join(table.head)} |", "|" + "---|" * len(table.head)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in table.rows)])

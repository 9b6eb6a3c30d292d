"""Every kind, fraudulent and honest, and what is known not to be seen."""

from __future__ import annotations

from tests.frauds import (
    beyond,
    by_answers,
    by_operators,
    by_programs,
    by_records,
    by_writing,
    honest_records,
    honest_runs,
    honest_words,
)
from tests.frauds.cases import Case, Kind

FRAUDS: tuple[Kind, ...] = (
    *by_programs.KINDS, *by_answers.KINDS, *by_operators.KINDS, *by_records.KINDS, *by_writing.KINDS
)  # fmt: skip
HONEST: tuple[Kind, ...] = (*honest_runs.KINDS, *honest_records.KINDS, *honest_words.KINDS)
BEYOND: tuple[Kind, ...] = tuple(beyond.KINDS)
"""What somebody can do who sits in the campaign's own process, or holds all of its folder: `verify` does not see it."""


def cases(seed: int, kinds: tuple[Kind, ...] = (*FRAUDS, *HONEST, *BEYOND)) -> list[Case]:
    """Return every case of these kinds; the same seed gives the same."""
    return [case for kind in kinds for case in kind.cases(seed)]

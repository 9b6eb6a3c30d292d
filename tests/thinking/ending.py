"""Playing a campaign to its end as the campaign flow does, without Prefect."""

from __future__ import annotations

from flows.rounds import run_round, run_rounds
from flows.writing import close, write_up
from tests.thinking.playing import LlmPlayed


def to_the_end(played: LlmPlayed, fence: int = 1) -> LlmPlayed:
    """Carry out what is left of the rounds as far as the budget allows, write up and close."""
    with played.opened(fence) as campaign:
        why = run_rounds(campaign, lambda number: run_round(campaign, number))
        write_up(campaign)
        close(campaign, why)
    return played

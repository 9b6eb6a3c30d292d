"""Findings: what a check says, and a campaign's events as steps that checks walk along."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from flows.ledger.chain import Event
from flows.ledger.folds import apply
from flows.ledger.state import CampaignState


@dataclass(frozen=True)
class Finding:
    """The outcome of one check: `what` was checked, whether it holds, and `detail`: every fault, or how much it saw."""

    what: str
    ok: bool
    detail: str


class Step(NamedTuple):
    """One event, with the state before and after it."""

    before: CampaignState
    event: Event
    after: CampaignState


def finding(what: str, faults: Sequence[str], fine: str) -> Finding:
    """Return what a check found: `faults`, or that everything is `fine`."""
    return Finding(what, not faults, "\n".join(faults) if faults else fine)


def steps(events: Sequence[Event]) -> Iterator[Step]:
    """Yield every event with the states around it.

    Raises:
        EventInvalid: one cannot be applied.
    """
    state = CampaignState()
    for event in events:
        after = apply(state, event)
        yield Step(state, event, after)
        state = after

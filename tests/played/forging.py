"""Journals that somebody rewrote who knows how: changed in one place and chained anew from there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import Any

from flows.ledger.chain import GENESIS, Event, canonical
from flows.ledger.findings import Step, steps

Change = Callable[[list[dict[str, Any]]], None]


def forged(events: Sequence[Event], change: Change) -> tuple[Event, ...]:
    """Return the events after `change`, each bound to the one before again."""
    told = [{"at": event.at, "kind": event.kind, "fence": event.fence, "data": event.data} for event in events]
    told = [each | {"data": _copied(each["data"])} for each in told]
    change(told)
    return tuple(_chained(told))


def walked(events: Sequence[Event], change: Change) -> tuple[Step, ...]:
    """Return the steps of a forged journal."""
    return tuple(steps(forged(events, change)))


def of_kind(told: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """Return the payloads of one kind, to be changed in place."""
    return [each["data"] for each in told if each["kind"] == kind]


def as_lines(events: Sequence[Event]) -> bytes:
    """Return a journal's bytes."""
    return b"".join(event.line() for event in events)


def _chained(told: list[dict[str, Any]]) -> Iterator[Event]:
    before = GENESIS
    for seq, each in enumerate(told, start=1):
        body = {**each, "seq": seq, "prev": before, "at": f"{each['at']:%Y-%m-%dT%H:%M:%S.%fZ}"}
        before = sha256(canonical(body)).hexdigest()
        yield Event.model_validate(body | {"hash": before})


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(each) for key, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value

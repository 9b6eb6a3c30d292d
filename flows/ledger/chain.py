"""The chain: what an event is, how it is written, and how a journal is read and held against its anchors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from flows.ledger.errors import JournalError, JournalTampered

GENESIS = "0" * 64


class Event(BaseModel):
    """One thing that happened. `fence` is the token of the lease it was written under; `prev` and `hash` chain it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    seq: int = Field(ge=1)
    at: AwareDatetime
    kind: str = Field(min_length=1)
    fence: int = Field(ge=0)
    data: dict[str, Any]
    prev: str = Field(pattern=r"^[0-9a-f]{64}$")
    hash: str = Field(pattern=r"^[0-9a-f]{64}$")

    def line(self) -> bytes:
        """Return the one way this event is written, newline included."""
        return canonical(body(self) | {"hash": self.hash}) + b"\n"


class Head(NamedTuple):
    """The end of a journal. Its text, `seq hash`, is what a commit's `Journal:` trailer anchors."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq} {self.hash}"


class Journaled(NamedTuple):
    """What a journal holds. `torn` is the end of a record that was never finished; it counts for nothing."""

    events: tuple[Event, ...]
    torn: bytes | None


class Scanned(NamedTuple):
    """What a journal holds up to its first fault, and that fault."""

    events: tuple[Event, ...]
    torn: bytes | None
    fault: JournalTampered | None


def canonical(value: Any) -> bytes:
    """Return the one way `value` is written as JSON: keys sorted, no spaces, UTF-8, finite numbers only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def read_journal(path: Path) -> Journaled:
    """Read and check a journal without touching it. The caller tells the user about `torn`.

    Raises:
        JournalError: there is none, or it cannot be read.
        JournalTampered: a line was edited, deleted, moved or repeated.
    """
    scanned = scan_file(path)
    if scanned.fault is not None:
        raise scanned.fault
    return Journaled(scanned.events, scanned.torn)


def scan_file(path: Path) -> Scanned:
    """Read a journal up to its first fault.

    Raises:
        JournalError: there is none, or it cannot be read.
    """
    try:
        return scan(path.read_bytes())
    except OSError as error:
        raise JournalError(f"The journal {path} cannot be read: {error.strerror}.") from error


def scan(content: bytes) -> Scanned:
    """Read the bytes of a journal up to its first fault.

    Only a last record without its newline is torn: the newline is the last byte of every write. A whole line that
    does not hold was changed, and be it the last.
    """
    *lines, rest = content.split(b"\n")
    events: list[Event] = []
    for number, line in enumerate(lines, start=1):
        try:
            events.append(_parsed(line, number, events[-1] if events else None))
        except JournalTampered as fault:
            return Scanned(tuple(events), None, fault)
    return Scanned(tuple(events), rest or None, None)


def check_anchor(events: Sequence[Event], seq: int, hash_: str) -> None:
    """Hold a journal against an anchor taken earlier: this alone finds whole lines cut off its end.

    Raises:
        JournalTampered: the journal ends before the anchor, or holds another event there.
    """
    if seq > len(events):
        why = f"the journal ends with event {len(events)}, but event {seq} is anchored"
        raise JournalTampered(len(events) + 1, why)
    found = events[seq - 1].hash if seq > 0 else GENESIS
    if found != hash_:
        raise JournalTampered(max(seq, 1), f"event {seq} is not the one that is anchored")


def last_fence(path: Path) -> int:
    """Return the token of the last whole line of a journal without checking the chain; 0 when there is none."""
    if not path.exists():
        return 0
    lines = path.read_bytes().split(b"\n")[:-1]
    try:
        return int(json.loads(lines[-1])["fence"]) if lines else 0
    except (ValueError, KeyError, TypeError):
        return 0  # An unreadable line is for the reading of the journal to report, in full.


def _parsed(line: bytes, number: int, before: Event | None) -> Event:
    try:
        event = Event.model_validate(json.loads(line))
        faithful = sha256(canonical(body(event))).hexdigest() == event.hash and event.line() == line + b"\n"
    except (ValueError, RecursionError) as error:
        raise JournalTampered(number, "it is not the record of an event") from error
    if not faithful:
        raise JournalTampered(number, "its text does not match its hash, so it was edited")
    if event.seq != number:
        raise JournalTampered(number, f"event {event.seq} stands where event {number} belongs")
    if event.prev != (before.hash if before else GENESIS):
        raise JournalTampered(number, "it does not follow from the line before it")
    if before and (event.at < before.at or event.fence < before.fence):
        raise JournalTampered(number, "its time or its fencing token runs backwards")
    return event


def body(event: Event) -> dict[str, Any]:
    """Return what an event's hash is taken over: everything but the hash."""
    return {
        "seq": event.seq, "at": iso(event.at), "kind": event.kind, "fence": event.fence, "data": event.data,
        "prev": event.prev,
    }  # fmt: skip


def iso(at: datetime) -> str:
    """Return a time as it is written: UTC, to the microsecond."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

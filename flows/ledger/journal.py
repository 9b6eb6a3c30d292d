"""The journal: the truth of a campaign. Append-only, one line per event, each bound to the one before by its hash."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from pydantic import BaseModel

from flows.ledger.chain import (
    GENESIS,
    Event,
    Head,
    Journaled,
    canonical,
    check_anchor,
    iso,
    read_journal,
    scan,
)
from flows.ledger.errors import JournalError, StaleFence

__all__ = [
    "Clock", "Event", "FileJournal", "Head", "Journal", "Journaled", "MemoryJournal", "check_anchor",
    "read_journal",
]  # fmt: skip

Clock = Callable[[], datetime]


class Journal(Protocol):
    """Where events are kept. One writer; `append` may be called from several threads.

    An event that `append` has returned is durable. An event that it has not returned may be lost, and nothing may
    rely on it. Times never run backwards in a journal, whatever the clock does.
    """

    def append(self, kind: str, data: BaseModel | Mapping[str, Any]) -> Event:
        """Keep one event and return it.

        Raises:
            JournalError: it could not be kept; the journal is as it was before.
        """
        ...

    def events(self) -> tuple[Event, ...]:
        """Return every event, in order."""
        ...

    def head(self) -> Head:
        """Return the sequence number and hash of the last event; 0 and zeros when there is none."""
        ...


class MemoryJournal:
    """A journal that is gone with the process; everything else holds."""

    def __init__(self, clock: Clock, fence: int = 1, events: Sequence[Event] = ()) -> None:
        """Go on after `events`.

        Raises:
            StaleFence: the last of them was written under a newer token.
        """
        self._clock = clock
        self._fence = fence
        self._events = list(events)
        self._lock = threading.RLock()
        if self._events and self._events[-1].fence > fence:
            raise StaleFence(fence, self._events[-1].fence)

    def append(self, kind: str, data: BaseModel | Mapping[str, Any]) -> Event:
        """Keep one event and return it."""
        payload = data.model_dump(mode="json") if isinstance(data, BaseModel) else dict(data)
        with self._lock:
            event = self._next(kind, payload)
            self._keep(event)
            self._events.append(event)
        return event

    def events(self) -> tuple[Event, ...]:
        """Return every event, in order."""
        with self._lock:
            return tuple(self._events)

    def head(self) -> Head:
        """Return the sequence number and hash of the last event."""
        with self._lock:
            return Head(self._events[-1].seq, self._events[-1].hash) if self._events else Head(0, GENESIS)

    def _next(self, kind: str, payload: dict[str, Any]) -> Event:
        head = self.head()
        now = self._clock().astimezone(UTC)
        # A clock may step back (time servers do that); the order of events must not.
        at = max(now, self._events[-1].at) if self._events else now
        body = {"seq": head.seq + 1, "at": iso(at), "kind": kind, "fence": self._fence, "data": payload,
                "prev": head.hash}  # fmt: skip
        try:
            text = canonical(body)
            # Through text and back, so that the event handed out equals the one that is read later.
            return Event.model_validate(json.loads(text) | {"hash": sha256(text).hexdigest()})
        except (TypeError, ValueError) as error:
            raise JournalError(f"A {kind} event cannot be written as JSON: {error}.") from error

    def _keep(self, event: Event) -> None:
        """Make the event durable; in memory there is nothing to do."""


class FileJournal(MemoryJournal):
    """A journal in a file, flushed to the disk before `append` returns. `torn` is what opening it cut off."""

    def __init__(self, path: Path, clock: Clock, fence: int) -> None:
        """Open `path` for writing, creating it; read and check what is there; cut off a torn last record.

        Raises:
            JournalError: another process writes it, or the disk refuses.
            JournalTampered: a line is not what was written.
            StaleFence: the last event was written under a newer token.
        """
        self.path = path
        self._broken: str | None = None
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = _open(path)
        try:
            _sync_folder(path.parent)
            scanned = scan(_read_all(self._descriptor))
            if scanned.fault is not None:
                raise scanned.fault
            super().__init__(clock, fence, scanned.events)
            self.torn = scanned.torn
            self._size = os.fstat(self._descriptor).st_size - len(scanned.torn or b"")
            if scanned.torn is not None:
                os.ftruncate(self._descriptor, self._size)
                os.fsync(self._descriptor)
        except BaseException:
            os.close(self._descriptor)
            raise

    def __enter__(self) -> FileJournal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file. Closing twice is closing once."""
        with self._lock:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1
                self._broken = "it is closed"

    def _keep(self, event: Event) -> None:
        line = event.line()
        self._refuse_if_broken()
        try:
            _write_all(self._descriptor, line)
        except OSError as error:
            self._undo()
            raise JournalError(_no_room(error, event, self.path)) from error
        except BaseException:
            self._undo()
            raise
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            self._undo()
            # After a failed fsync the kernel may call lost pages clean, so only a fresh reading can be trusted.
            self._broken = f"the disk failed to keep event {event.seq} ({error.strerror})"
            raise JournalError(_no_room(error, event, self.path)) from error
        except BaseException:
            self._undo()
            raise
        self._size += len(line)

    def _refuse_if_broken(self) -> None:
        if self._broken is not None:
            raise JournalError(f"The journal {self.path} takes no more events: {self._broken}.")
        mine = os.fstat(self._descriptor)
        try:
            there = os.stat(self.path)  # noqa: PTH116 - the same call as for the descriptor beside it
        except FileNotFoundError as error:
            raise JournalError(f"The journal {self.path} was removed while the campaign ran. Restore it.") from error
        if (mine.st_ino, mine.st_dev) != (there.st_ino, there.st_dev) or mine.st_size != self._size:
            raise JournalError(f"Another process has written to {self.path} or replaced it. Stop one of the two.")

    def _undo(self) -> None:
        """Take back a record of which only a part was written."""
        try:
            os.ftruncate(self._descriptor, self._size)
        except OSError as error:
            self._broken = f"a part of a record could not be taken back ({error.strerror})"


def _open(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise JournalError(f"Another process writes {path}. Wait for it or end it first.") from error
    return descriptor


def _read_all(descriptor: int) -> bytes:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _no_room(error: OSError, event: Event, path: Path) -> str:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    what = "The disk is full" if full else f"The disk refuses ({error.strerror})"
    return (
        f"{what}: event {event.seq} ({event.kind}) was not written to {path}. "
        "Free some space, then `hypoloop resume` goes on from the last event that was kept."
    )

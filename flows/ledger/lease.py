"""The lease: one process at a time works on a campaign, and each that does gets a higher fencing token."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import threading
from datetime import datetime
from pathlib import Path
from types import TracebackType

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from flows.ledger.chain import last_fence
from flows.ledger.errors import CampaignBusy, LedgerError
from flows.ledger.journal import Clock

ROOM = 1024
"""Bytes of the lease file. One write of fixed size is never half done when a process is killed."""


class Holder(BaseModel):
    """Who holds, or held last, a campaign. `started` is the process's start in clock ticks since the machine's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: int
    pid: int
    started: int | None
    host: str
    at: AwareDatetime


class Lease:
    """A held lease. The lock goes with the process, however that ends; `token` outbids every token before it."""

    def __init__(self, descriptor: int, holder: Holder) -> None:
        """Take over an open and locked `descriptor`; use `Lease.acquire`."""
        self._descriptor = descriptor
        self.holder = holder

    @property
    def token(self) -> int:
        """The fencing token: what is written under a lower one is refused."""
        return self.holder.token

    @classmethod
    def acquire(cls, folder: Path, clock: Clock) -> Lease:
        """Take the lease of the campaign in `folder`.

        Raises:
            CampaignBusy: another process holds it.
        """
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "lease.lock"
        descriptor = _locked(path)
        try:
            # The journal remembers the token too, in case somebody deleted the lease file.
            before = _read(descriptor)
            token = 1 + max(before.token if before else 0, last_fence(folder / "journal.jsonl"))
            holder = Holder(token=token, pid=os.getpid(), started=_started(os.getpid()), host=socket.gethostname(),
                            at=clock())  # fmt: skip
            _write(descriptor, holder)
        except BaseException:
            os.close(descriptor)
            raise
        return cls(descriptor, holder)

    def release(self) -> None:
        """Give the lease back. Releasing twice is releasing once."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


def holder_of(folder: Path) -> Holder | None:
    """Return who holds the campaign in `folder` now; None when nobody does."""
    path = folder / "lease.lock"
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(descriptor)
    else:
        return None
    finally:
        os.close(descriptor)


def is_alive(holder: Holder) -> bool:
    """Say whether the very process of `holder` still runs on this machine, not another that got its number."""
    return holder.host == socket.gethostname() and holder.started is not None and _started(holder.pid) == holder.started


def _locked(path: Path) -> int:
    """Open and lock the lease file; a glance by `holder_of` may hold it for a moment, so try for a little while."""
    pause = threading.Event()
    for attempt in range(10):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = _read(descriptor)
            os.close(descriptor)
            if attempt == 9:
                since = _second(holder.at) if holder else None
                raise CampaignBusy(path.parent.name, holder.pid if holder else None, since) from error
            pause.wait(0.03)
            continue
        if path.exists() and path.stat().st_ino == os.fstat(descriptor).st_ino:
            return descriptor
        os.close(descriptor)  # Deleted between opening and locking: that lock would guard nothing.
    raise LedgerError(f"The lease file {path} does not stay in place. Something deletes it; end that first.")


def _read(descriptor: int) -> Holder | None:
    text = os.pread(descriptor, ROOM, 0).strip(b" \n\0")
    if not text:
        return None
    try:
        return Holder.model_validate_json(text)
    except ValidationError:
        return None  # Not ours, or older than this format: the journal still knows the token.


def _write(descriptor: int, holder: Holder) -> None:
    text = json.dumps(holder.model_dump(mode="json"), sort_keys=True).encode()
    os.pwrite(descriptor, text.ljust(ROOM - 1) + b"\n", 0)
    os.ftruncate(descriptor, ROOM)
    os.fsync(descriptor)


def _started(pid: int) -> int | None:
    """Return when a process started, in clock ticks since the machine's start; None where /proc does not say."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError, NotADirectoryError):
        return None
    return int(stat.rpartition(")")[2].split()[19])


def _second(at: datetime) -> str:
    return at.isoformat(sep=" ", timespec="seconds")

"""The processes of one session on this host: found, measured and killed together (Linux; elsewhere only the group)."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024


class SessionUse(NamedTuple):
    """What the session uses now: processes and threads, and resident memory in MiB."""

    tasks: int
    memory_mb: float


def members(leader: int) -> list[tuple[int, int]]:
    """Return (process id, number of threads) of every live process in the session that `leader` began."""
    found: list[tuple[int, int]] = []
    proc = Path("/proc")
    if not (proc / "self/stat").exists():
        return found
    for entry in proc.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            about = (entry / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # it ended in between
        fields = about.rpartition(")")[2].split()
        if int(fields[3]) == leader and fields[0] not in "ZX":
            found.append((int(entry.name), int(fields[17])))
    return found


def session_use(leader: int) -> SessionUse:
    """Measure the session. Pages shared with a parent by fork count for both, so forks are over-counted."""
    tasks, pages = 0, 0
    for pid, threads in members(leader):
        tasks += threads
        try:
            resident, shared = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1:3]
        except OSError:
            continue
        pages += int(resident) - int(shared)
    return SessionUse(tasks, pages * PAGE_KIB / 1024)


def kill_session(leader: int) -> None:
    """Kill the process group of `leader` and everything else in its session.

    Safe while `leader` has not been waited for: until then its number cannot belong to another process.
    """
    for _ in range(20):  # a fork may slip between the listing and the kill, again and again, but not for ever
        with suppress(ProcessLookupError, PermissionError):  # gone, or (macOS) only a zombie is left of it
            os.killpg(leader, signal.SIGKILL)
        left = [pid for pid, _ in members(leader)]
        if not left:
            return
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

"""The processes that come of a run on this host: found, measured and killed together.

Linux only; elsewhere a run is its process group, and nothing is measured. Imports next to nothing: the keeper, which
runs this file's `kill_session` when nobody else is left, is a process of its own.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

PROC = "/proc"
PAGE_MIB = os.sysconf("SC_PAGE_SIZE") / 2**20
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PATIENCE_S = 5.0
PAUSE_S = 0.001


class SessionUse(NamedTuple):
    """What some processes use now: processes and threads, resident memory in MiB, CPU seconds so far."""

    tasks: int
    memory_mb: float
    cpu_s: float


def members(leader: int) -> list[int]:
    """Return the live processes of the session that `leader` began."""
    return [pid for pid in _processes() if _session(pid) == leader and _lives(pid)]


def descendants(ancestor: int) -> list[int]:
    """Return `ancestor` and the live processes that come of it, as long as none was given another parent."""
    children: dict[int, list[int]] = {}
    for pid in _processes():
        about = _about(pid)
        if about and about[0] not in "ZX":
            children.setdefault(int(about[1]), []).append(pid)
    found = [ancestor]
    for parent in found:  # grows while it is walked
        found += children.get(parent, [])
    return found


def use_of(pids: Iterable[int]) -> SessionUse:
    """Measure processes; children that they waited for count as theirs.

    Pages that a process shares with another are not counted, so memory that is shared on purpose is not seen.
    """
    tasks, pages, ticks = 0, 0, 0
    for pid in pids:
        about, memory = _about(pid), _text(f"{PROC}/{pid}/statm").split()
        if about and memory:
            tasks += int(about[17])
            ticks += sum(map(int, about[11:15]))  # its own and its children's, in user and in system mode
            pages += int(memory[1]) - int(memory[2])
    return SessionUse(tasks, pages * PAGE_MIB, ticks / TICKS_PER_S)


def kill_session(leader: int) -> None:
    """Kill the process group of `leader` and everything else in its session; wait a little until they are gone.

    Safe while `leader` has not been waited for: until then its number cannot belong to another process.
    """
    late = time.monotonic() + PATIENCE_S
    while True:  # a fork may slip between the listing and the kill, again and again
        with suppress(ProcessLookupError, PermissionError):  # gone, or (macOS) only a zombie is left of it
            os.killpg(leader, signal.SIGKILL)
        left = members(leader)
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not left or time.monotonic() > late:
            return
        time.sleep(PAUSE_S)


def _processes() -> list[int]:
    try:
        return [int(name) for name in os.listdir(PROC) if name.isdigit()]  # noqa: PTH208 - many, and often
    except FileNotFoundError:
        return []


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return 0  # it ended in between


def _lives(pid: int) -> bool:
    about = _about(pid)
    return bool(about) and about[0] not in "ZX"


def _about(pid: int) -> list[str]:
    """Return the fields of `/proc/PID/stat` from the state on; the name before it may hold anything."""
    return _text(f"{PROC}/{pid}/stat").rpartition(")")[2].split()


def _text(path: str) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return ""
    try:
        return os.read(descriptor, 4096).decode("ascii", "replace")
    except OSError:
        return ""  # it ended between opening and reading
    finally:
        os.close(descriptor)

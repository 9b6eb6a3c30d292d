"""One process of this host that waits at a gate: let go, listened to, watched, and its end taken.

One thread does all of it, and only while the program runs: it sleeps until there is something to read, until the end,
or until it is time to look at the limits. While the program waits at its gate, nobody waits with it.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

from sandboxes.contract import Limits, Outcome, Promise
from sandboxes.errors import SandboxError
from sandboxes.keeper import Keeper
from sandboxes.logs import LogKeeper
from sandboxes.stop import Stop

MIB = 2**20
PIECE = 64 * 1024
PIPE = MIB  # what a pipe of an ordinary user holds at the most
FIRST_LOOK_S = 0.02
LOOK_S = 0.1
START_S = 60.0
DEATH_S = 20.0


class Command(NamedTuple):
    """What is started: arguments, the whole environment, where, and the descriptors that stay open in it."""

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    passed: tuple[int, ...] = ()


class Taken(NamedTuple):
    """What the kernel says of an ended process: negative for a signal, and the CPU seconds of it and its children."""

    exit_code: int
    cpu_s: float


class Child:
    """A process in a session of its own. Call in order: release, watch, take; or only take, once it was killed."""

    def __init__(self, command: Command, limits: Limits, keeper: Keeper) -> None:
        """Start it; `command` must wait for a line on its standard input. `keeper` ends it if nobody here can."""
        self._limits = limits
        self.keeper = keeper
        self._released = 0.0
        self._taken: Taken | None = None
        self.log = LogKeeper(limits.log_mb * MIB)
        self._process = subprocess.Popen(
            command.argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=command.cwd,
            env=command.env,
            pass_fds=command.passed,
            start_new_session=True,
            bufsize=0,
        )
        self.pid = self._process.pid
        keeper.begin(self.pid)
        self._output = _number_of(self._process.stdout)
        os.set_blocking(self._output, False)
        self._end = self._end_descriptor()

    def write(self, data: bytes) -> None:
        """Put `data` before the gate; a process that is gone already does not read it."""
        with suppress(BrokenPipeError):
            os.write(_number_of(self._process.stdin), data)

    def await_ready(self) -> bool:
        """Wait until it says by an empty line that it is on its way to the gate; false if it said something else."""
        if not is_ready(self._output, START_S):
            return False
        said = os.read(self._output, PIECE)
        self.log.add(said.removeprefix(b"\n"))
        return said.startswith(b"\n")

    def release(self) -> None:
        """Open the gate: from now on the program's time counts."""
        self.write(b"\n")
        self._released = time.monotonic()

    def watch(self, look: Callable[[], Stop | None], cancelled: Callable[[], bool]) -> Stop | None:
        """Wait until the process ends, or until there is a reason to end it, which is returned.

        `look` names a limit that is broken, if one is; it is asked several times a second.
        """
        deadline = self._released + self._limits.wall_s
        next_look = self._released + FIRST_LOOK_S
        poller = select.poll()
        poller.register(self._output, select.POLLIN)
        poller.register(self._end, select.POLLIN)
        while True:
            pause = max(0.0, min(next_look, deadline) - time.monotonic())
            ready = dict(poller.poll(1000 * pause))
            if self._output in ready and not self._read():
                poller.unregister(self._output)
            if self._end in ready:
                return None
            if self.log.flooded:
                return Stop(Outcome.OUTPUT_LIMIT, Promise.LOG)
            now = time.monotonic()
            if now >= min(next_look, deadline):
                next_look = now + LOOK_S
                if (stop := self._reason(now >= deadline, look, cancelled)) is not None:
                    return stop

    def wall_s(self) -> float:
        """Return the seconds since the release."""
        return time.monotonic() - self._released

    @property
    def taken(self) -> bool:
        """Whether its end was taken: its number is then another's."""
        return self._taken is not None

    def ended(self) -> bool:
        """Say whether the process has ended."""
        return self.taken or is_ready(self._end, 0.0)

    def kill(self) -> None:
        """Kill this one process."""
        if not self.taken:  # until then its number cannot belong to another
            os.kill(self.pid, signal.SIGKILL)

    def take(self) -> Taken:
        """Wait for the end of the process, which was brought about or is near, and take it.

        Raises:
            SandboxError: it does not end.
        """
        if self._taken is None:
            await_end(self._end, f"process {self.pid}")
            self.keeper.end(self.pid)
            _, status, usage = self._waited or os.wait4(self.pid, 0)
            self._process.returncode = os.waitstatus_to_exitcode(status)
            self._taken = Taken(self._process.returncode, round(usage.ru_utime + usage.ru_stime, 4))
            self._drain()
            self._close()
        return self._taken

    def words(self) -> str:
        """Return the end of what it printed, for a message."""
        head, tail = self.log.text()
        return (head + tail).strip()[-500:]

    def _reason(self, late: bool, look: Callable[[], Stop | None], cancelled: Callable[[], bool]) -> Stop | None:
        if cancelled():
            return Stop(Outcome.CANCELLED)
        return Stop(Outcome.TIMEOUT, Promise.WALL) if late else look()

    def _read(self) -> bool:
        """Take what is there to be read; false at the end of the output."""
        try:
            data = os.read(self._output, PIECE)
        except BlockingIOError:
            return True
        self.log.add(data)
        return bool(data)

    def _drain(self) -> None:
        """Take what is still in the pipe. Its end may never come: a process that got away may hold it open."""
        for _ in range(PIPE // PIECE):
            if not is_ready(self._output, 0.0) or not self._read():
                return

    def _end_descriptor(self) -> int:
        """Return a descriptor that can be read once the process has ended, without taking its end."""
        self._waited: tuple[int, int, Any] | None = None
        if hasattr(os, "pidfd_open"):
            with suppress(OSError):  # a kernel before 5.3
                return os.pidfd_open(self.pid)
        end, ended = os.pipe()
        threading.Thread(target=self._await_end, args=(ended,), name="hypoloop-wait", daemon=True).start()
        return end

    def _await_end(self, ended: int) -> None:
        if hasattr(os, "waitid"):
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        else:
            self._waited = os.wait4(self.pid, 0)
        os.close(ended)

    def _close(self) -> None:
        os.close(self._end)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


def await_end(descriptor: int, what: str) -> None:
    """Wait until `descriptor` says that its process has ended.

    Raises:
        SandboxError: it does not end.
    """
    if not is_ready(descriptor, DEATH_S):
        raise SandboxError(f"{what.capitalize()} could not be ended within {DEATH_S:.0f} s.")


def is_ready(descriptor: int, seconds: float) -> bool:
    """Say whether there is something to read, or an end to see, within `seconds`."""
    poller = select.poll()  # not select.select, which knows the first 1024 descriptors only
    poller.register(descriptor, select.POLLIN)
    return bool(poller.poll(1000 * seconds))


def _number_of(stream: IO[bytes] | None) -> int:
    if stream is None:
        raise AssertionError("this stream was asked for as a pipe")
    return stream.fileno()

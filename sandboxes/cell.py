"""One program in bubblewrap: started behind a gate, joined to its limits, ended with everything that came of it."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from sandboxes.accounting import Use
from sandboxes.child import START_S, Child, await_end, is_ready
from sandboxes.contract import Limits, Outcome, Promise
from sandboxes.errors import SandboxError
from sandboxes.groups import Group
from sandboxes.local import End
from sandboxes.profile import OUT
from sandboxes.session import SessionUse, descendants, use_of
from sandboxes.stop import Stop

ALL_IDS = "0 0 4294967295"
FIRST_PID = re.compile(rb'"child-pid": *(\d+)\D')
EXIT_CODE = b'"exit-code"'


@contextmanager
def texts(contents: Mapping[str, bytes]) -> Iterator[dict[str, int]]:
    """Give each of the small `contents` as a descriptor that it can be read from, once."""
    opened: dict[str, int] = {}
    try:
        for name, content in contents.items():
            opened[name], writing = os.pipe()
            os.write(writing, content)  # fits into a pipe, so nobody needs to read it yet
            os.close(writing)
        yield opened
    finally:
        for descriptor in opened.values():
            os.close(descriptor)


class Status:
    """What bubblewrap tells about itself: the first process in the sandbox, and whether the program was begun."""

    def __init__(self) -> None:
        self._reading, one = os.pipe()
        self.writing = (one, os.dup(one))
        """The ends that the child needs open: it closes one before it uses the other."""
        os.set_blocking(self._reading, False)
        self._told = b""
        self._open = True

    def arguments(self) -> list[str]:
        """Return the arguments that make it tell."""
        return ["--info-fd", str(self.writing[0]), "--json-status-fd", str(self.writing[1])]

    def first_pid(self) -> int | None:
        """Wait for the number of the first process; None if there will not be one. The child must have started."""
        self._let_go()
        deadline = time.monotonic() + START_S
        while (found := FIRST_PID.search(self._told)) is None:
            if not is_ready(self._reading, max(0.0, deadline - time.monotonic())) or not self._more():
                return None
        return int(found[1])

    def close(self) -> bool:
        """Say whether the program was begun and its exit code seen."""
        self._let_go()
        if self._reading >= 0:
            while self._more():
                continue
            os.close(self._reading)
            self._reading = -1
        return EXIT_CODE in self._told

    def _let_go(self) -> None:
        """The writing ends are the child's: only then the end of the child is the end of what it tells."""
        if self._open:
            self._open = False
            for descriptor in self.writing:
                os.close(descriptor)

    def _more(self) -> bool:
        try:
            told = os.read(self._reading, 4096)
        except BlockingIOError:
            return False
        self._told += told
        return bool(told)


class Cell:
    """A program in namespaces of its own. Its first process takes all others with it when it dies."""

    def __init__(
        self, child: Child, status: Status, limits: Limits, group: Group | None, *, out: Path | None, counts: bool
    ) -> None:
        """Wait until the namespaces are there.

        `out` is the output on disk, None where it is in memory; `counts` says that nobody else counts the tasks.

        Raises:
            SandboxError: they are not to be had; nothing is left.
        """
        self.child = child
        self._out = out
        self._status, self._limits, self._group, self._counts = status, limits, group, counts
        self._memory = -1
        self._cpu_s, self._peak_mb = 0.0, 0.0
        self._end: End | None = None
        self._first = -1
        self._first_pid = status.first_pid() or 0
        with suppress(ProcessLookupError):  # it is over already: said below
            if self._first_pid:
                self._first = os.pidfd_open(self._first_pid)
        if self._first < 0:
            self.child.kill()
            self._take()
            raise SandboxError(f"bubblewrap could not make a sandbox: {self._words()}")
        # A program can write into the first process, and so undo what ties that to its parent.
        child.keeper.begin(self._first_pid)

    def admit(self) -> None:
        """Let every user of this host be known inside, so that what root alone may walk through can be laid out.

        The program itself holds no right to become any of them.
        """
        for name in ("uid_map", "gid_map"):
            Path(f"/proc/{self._first_pid}/{name}").write_text(ALL_IDS, encoding="ascii")
        self.child.write(b".")

    def release(self) -> None:
        """Open the gate.

        Raises:
            SandboxError: bubblewrap did not come so far.
        """
        if not self.child.await_ready():
            raise SandboxError(f"bubblewrap could not lay out a sandbox: {self._words()}")
        if self._out is None:
            self._memory = output_of(self._first_pid)
        if self._group is not None:
            self._group.open()
        self.child.release()

    def output(self) -> str:
        """Return where its output lies."""
        if self._out is None:  # by way of the directory itself, which the program may have closed to its owner
            os.fchmod(self._memory, 0o700)
            return f"/proc/self/fd/{self._memory}/."
        return str(self._out)

    def look(self) -> Stop | None:
        """Measure what the kernel does not count for us; name the limit that is broken, if one is."""
        if self._group is not None and not self._counts:
            return None
        use = self._sample()
        if self._group is None and use.memory_mb > self._limits.memory_mb:
            return Stop(Outcome.OOM, Promise.MEMORY)
        # The first process is bubblewrap's own.
        return Stop(Outcome.KILLED, Promise.PIDS) if self._counts and use.tasks > self._limits.pids + 1 else None

    def end(self) -> End:
        """Kill what is left, the first process last; say how the program ended.

        Raises:
            SandboxError: it cannot be ended, or bubblewrap itself failed.
        """
        if self._end is None:
            by_itself = self.child.ended()
            if by_itself and self._group is None:
                self._sample()  # its first process has counted all that ended, and is gone in a moment
            self._kill_all()
            begun, end = self._take()
            if by_itself and not begun and not end.oom_killed:
                raise SandboxError(f"bubblewrap could not run the program: {self._words()}")
            self._end = end
        return self._end

    def forget(self) -> None:
        """Let go of the output."""
        if self._memory >= 0:
            os.close(self._memory)
            self._memory = -1

    def _kill_all(self) -> None:
        first, self._first = self._first, -1
        if first < 0:
            return
        try:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(first, signal.SIGKILL)
            self.child.keeper.end(self._first_pid)
            await_end(first, "the first process of the sandbox")
        finally:
            os.close(first)

    def _take(self) -> tuple[bool, End]:
        """Take the end of everything; say whether the program was ever begun, and how it ended."""
        code = self.child.take().exit_code
        begun = self._status.close()
        if self._group is None:
            use = Use(round(self._cpu_s, 2) or None, round(self._peak_mb, 1) or None, "sampled")
            return begun, End(code if code >= 0 else 128 - code, use)
        end = End(code if code >= 0 else 128 - code, self._group.read(), self._group.oom_killed())
        self._group.close()
        return begun, end

    def _sample(self) -> SessionUse:
        use = use_of(descendants(self._first_pid))
        self._cpu_s, self._peak_mb = max(self._cpu_s, use.cpu_s), max(self._peak_mb, use.memory_mb)
        return use

    def _words(self) -> str:
        return self.child.words() or "it gave no reason"


def output_of(first_pid: int) -> int:
    """Return a descriptor of the output inside; it outlives the namespaces, and with them all that could write to it.

    Raises:
        PermissionError: this process may not look inside.
    """
    return os.open(f"/proc/{first_pid}/root{OUT}", os.O_RDONLY | os.O_DIRECTORY)

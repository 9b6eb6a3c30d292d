"""The keeper: one small process beside this one that ends what runs here should this one be killed.

It reads from a pipe which programs have begun and ended. The pipe closes with this process, however that ends, and
then the keeper kills the sessions that are left and goes too.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from sandboxes import session

KEEP = """
import sys
sys.path.append(sys.argv[1])
from session import kill_session
left = set()
for line in sys.stdin:
    (left.add if line[0] == "+" else left.discard)(int(line[1:]))
for leader in left:
    kill_session(leader)
"""


class Keeper:
    """Knows the sessions that run; threads may share it. Nothing is started before the first one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keeper: subprocess.Popen[bytes] | None = None
        self._sessions: set[int] = set()

    def begin(self, leader: int) -> None:
        """From now on the session of `leader` dies with this process."""
        with self._lock:
            self._sessions.add(leader)
            self._tell(f"+{leader}\n")

    def end(self, leader: int) -> None:
        """The session of `leader` is over; say so before its number is given back to the system."""
        with self._lock:
            self._sessions.discard(leader)
            if self._keeper is not None:
                self._tell(f"-{leader}\n")

    def close(self) -> None:
        """Let the keeper go; what is still known to it dies."""
        with self._lock:
            keeper, self._keeper = self._keeper, None
            if keeper is not None and keeper.stdin is not None:
                keeper.stdin.close()
                keeper.wait()

    def _tell(self, line: str) -> None:
        try:
            self._write(line if self._keeper is not None else self._all())
        except BrokenPipeError:  # somebody killed it
            if self._keeper is not None:
                self._keeper.wait()
            self._keeper = None
            self._write(self._all())

    def _all(self) -> str:
        return "".join(f"+{leader}\n" for leader in self._sessions)

    def _write(self, lines: str) -> None:
        if self._keeper is None:
            self._keeper = _started(KEEP, str(Path(session.__file__).parent))
        if self._keeper.stdin is not None:
            self._keeper.stdin.write(lines.encode("ascii"))


def _started(program: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Start an interpreter that loads as little as possible, where no signal to this process's group reaches it."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={},
        start_new_session=True,
        bufsize=0,
    )

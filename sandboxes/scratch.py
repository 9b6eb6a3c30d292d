"""Directories of single runs on this host's disk, removed behind the back of who waits for a result.

A disk that is busy lets a removal wait for many milliseconds. So they lie in the system's folder for such things, where
it has room, and one thread removes them. Their names tell whose they are: what a dead process left can be reaped.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from sandboxes.owners import start_time
from sandboxes.trees import remove_tree

log = logging.getLogger(__name__)
PREFIX = "hypoloop-run"
ROOM = 16


class Scratches:
    """Makes directories that only this user can enter, each for one run. Threads may share it."""

    def __init__(self, folder: Path | None = None) -> None:
        """Make them in `folder`, by default the system's for temporary files."""
        self._folder = folder or Path(tempfile.gettempdir())
        self._removing = ThreadPoolExecutor(1, "hypoloop-remove")

    def make(self, out: Path, size_mb: int, stack: ExitStack) -> Path:
        """Make one for a run whose output, at most `size_mb`, is collected into `out`; it goes with `stack`.

        Where there is no room for many such outputs it lies beside `out`, on the disk that the user chose for them.
        """
        try:
            roomy = shutil.disk_usage(self._folder).free >= ROOM * size_mb * 2**20
        except OSError:
            roomy = False
        if roomy:
            made = Path(tempfile.mkdtemp(prefix=f"{PREFIX}-{_owner(os.getpid())}-", dir=self._folder))
            stack.callback(self._remove_later, made)
        else:
            made = Path(tempfile.mkdtemp(prefix=f".{out.name[:40]}-", dir=out.parent))
            stack.callback(remove_tree, made)
        return made

    def _remove_later(self, made: Path) -> None:
        try:
            self._removing.submit(_remove, made)
        except RuntimeError:  # closed by who did not wait for the last run
            _remove(made)

    def reap(self) -> int:
        """Remove what dead processes of this user left; return how many."""
        reaped = 0
        for left in self._folder.glob(f"{PREFIX}-*-*-*-*"):
            _, _, space, pid, started, *_ = left.name.split("-")
            if space != _space() or not pid.isdigit() or start_time(int(pid)) == started:
                continue  # another container's, or of one that lives
            if left.is_dir() and not left.is_symlink() and left.stat().st_uid == os.getuid():
                _remove(left)
                reaped += 1
        return reaped

    def close(self) -> None:
        """Wait until all that is to go is gone."""
        self._removing.shutdown()


def _owner(pid: int) -> str:
    return f"{_space()}-{pid}-{start_time(pid)}"


def _space() -> str:
    """Return the number of this process's namespace: the same number in another one is another process."""
    try:
        return "".join(filter(str.isdigit, os.readlink("/proc/self/ns/pid")))  # noqa: PTH115 - not a path
    except OSError:
        return "0"


def _remove(made: Path) -> None:
    try:
        remove_tree(made)
    except OSError as problem:
        log.warning("Could not remove %s: %s", made, problem)

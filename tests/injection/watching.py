"""What the process does while a campaign is played: files that it writes, programs it starts, addresses it calls."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

WRITES = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.symlink", "os.link", "os.truncate", "os.chmod")
"""Audit events whose first argument is a path that changes."""
STARTS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn")
FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@dataclass
class Watch:
    """What was seen. An audit hook sees every call of the interpreter, whoever makes it; it cannot be taken away."""

    written: set[str] = field(default_factory=set)
    started: set[str] = field(default_factory=set)
    called: set[tuple[Any, ...]] = field(default_factory=set)
    on: bool = True

    def hear(self, event: str, given: tuple[Any, ...]) -> None:
        """Take down an event that matters."""
        if not self.on:
            return
        if event == "open" and isinstance(given[0], str | bytes) and (given[2] or 0) & FLAGS:
            self.written.add(os.path.abspath(os.fsdecode(given[0])))  # noqa: PTH100 - as it was asked for
        elif event in WRITES and isinstance(given[0], str | bytes | os.PathLike) and not _below_open(given):
            self.written.add(os.path.abspath(os.fsdecode(given[0])))  # noqa: PTH100
        elif event in STARTS:
            self.started.add(Path(str(given[0])).name)
        elif event == "socket.connect":
            self.called.add(tuple(given[1]) if isinstance(given[1], tuple) else (given[1],))
        elif event == "socket.getaddrinfo":
            self.called.add((given[0], given[1]))


def _below_open(given: tuple[Any, ...]) -> bool:
    """Say whether a path is told by an open folder, which was opened for that and is taken away with its tree."""
    return len(given) > 1 and isinstance(given[-1], int) and given[-1] >= 0


@contextmanager
def watching() -> Iterator[Watch]:
    """Watch this process while the `with` lasts."""
    watch = Watch()
    sys.addaudithook(watch.hear)
    try:
        yield watch
    finally:
        watch.on = False


def tree(folder: Path) -> dict[str, str]:
    """Return path -> digest of every file below a folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest() for path in files}

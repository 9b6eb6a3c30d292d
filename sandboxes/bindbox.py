"""Output on the host's disk: a directory of the run's own, mounted writable and watched.

For what does not fit into memory, and for engines whose volumes cannot hold memory. The kernel limits the size of one
file; bytes and entries are looked at four times a second, so a fast writer overshoots by what it writes in between.
The directory lies in one that is closed to every other user of the host.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from sandboxes.collect import Collector, collect_directory
from sandboxes.contract import Limits, Promise
from sandboxes.profile import OUT, USER
from sandboxes.quota import broken_quota
from sandboxes.trees import remove_tree


class BindBox:
    """The output directory of one run, beside where its artifacts go."""

    def __init__(self, beside: Path, limits: Limits, expect: tuple[str, ...]) -> None:
        """Make it; nobody but the container's user and this process can come near it."""
        self._limits = limits
        self._expect = expect
        self._closed = Path(tempfile.mkdtemp(prefix=".out-", dir=beside))
        self._folder = self._closed / "out"
        self._folder.mkdir(mode=0o700)
        if os.getuid() == 0:
            os.chown(self._folder, USER, USER)

    @staticmethod
    def user() -> str:
        """Return whom the container runs as, so that its files can be read and removed: who runs us, if not root."""
        return f"{os.getuid() or USER}:{os.getgid() or USER}"

    def mount(self) -> Any:
        """Return the mount of the directory."""
        from docker.types import Mount

        return Mount(OUT, str(self._folder.resolve()), type="bind")

    def over(self) -> Promise | None:
        """Name the limit that is broken, if one is."""
        return broken_quota(self._folder, self._limits)

    def collect(self, collector: Collector) -> None:
        """Give what lies there to `collector`. The container must have ended: every writer is dead."""
        self._folder.chmod(0o700)  # the program may have closed it to us
        collect_directory(self._folder, collector, self._expect)

    def close(self) -> None:
        """Remove it, whatever is in it; the container must be gone."""
        remove_tree(self._closed)

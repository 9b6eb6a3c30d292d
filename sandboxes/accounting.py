"""What a container used, exactly: read from a control group of ours around it, which outlives it.

An engine forgets a container's usage when it ends, and samples miss short runs. Where the engine runs on this host and
this process may write the control groups (root, cgroupfs), each container is put into a parent group of its own:
`/hypoloop/<process>/<run>`. Its peak and its CPU time are read after the end, then the group is removed.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from sandboxes.owners import start_time

ROOT = Path("/sys/fs/cgroup")
OURS = "hypoloop"


class Use(NamedTuple):
    """CPU seconds, peak memory in MiB (files in memory included), and who measured."""

    cpu_s: float | None
    peak_memory_mb: float | None
    source: str


NO_USE = Use(None, None, "none")


class Account:
    """The control group of one run. `parent` is what the engine is told; call `open` when the program is let go."""

    def __init__(self, root: Path, version: int, owner: str) -> None:
        """Name a group that nobody has; the engine creates it with the container."""
        self._root, self._version = root, version
        self.parent = f"/{OURS}/{owner}/{secrets.token_hex(6)}"
        self._before_s: float | None = 0.0

    def open(self) -> None:
        """Note what was used before the program's turn."""
        self._before_s = self._cpu_s()

    def read(self) -> Use:
        """Return what was used since `open`; nothing where the group is not to be seen from here."""
        cpu_s = self._cpu_s()
        if cpu_s is None or self._before_s is None:
            return NO_USE
        name = "memory.max_usage_in_bytes" if self._version == 1 else "memory.peak"
        peak = self._number("memory", name)
        peak_mb = None if peak is None else round(peak / 2**20, 1)
        return Use(round(cpu_s - self._before_s, 4), peak_mb, f"cgroup v{self._version}")

    def close(self) -> None:
        """Remove the group; the container must be gone."""
        for top in _hierarchies(self._root, self._version):
            _remove_empty(top / self.parent.lstrip("/"))

    def _cpu_s(self) -> float | None:
        if self._version == 1:
            used = self._number("cpuacct", "cpuacct.usage")
            return None if used is None else used / 1e9
        text = self._text("cpu", "cpu.stat") or ""
        used = next((int(line.split()[1]) for line in text.splitlines() if line.startswith("usage_usec")), None)
        return None if used is None else used / 1e6

    def _number(self, controller: str, name: str) -> int | None:
        text = self._text(controller, name)
        return int(text) if text and text.strip().isdigit() else None

    def _text(self, controller: str, name: str) -> str | None:
        top = self._root / controller if self._version == 1 else self._root
        try:
            return (top / self.parent.lstrip("/") / name).read_text(encoding="ascii")
        except OSError:
            return None


class Accounts:
    """Opens an account for every run, where this host lets us; removes the groups of owners that are dead."""

    def __init__(self, about: Mapping[str, Any], local: bool, root: Path = ROOT) -> None:
        """Judge by what the engine says `about` itself and whether it is `local`."""
        self._root = root
        self._version = int(about.get("CgroupVersion") or 1)
        self._owner = f"{os.getpid()}-{start_time(os.getpid())}"
        top = next(_hierarchies(root, self._version), root)
        self.available = local and about.get("CgroupDriver") == "cgroupfs" and os.access(top, os.W_OK)

    def new(self) -> Account | None:
        """Return the account of one run, None where usage can only be sampled."""
        return Account(self._root, self._version, self._owner) if self.available else None

    def close(self) -> None:
        """Remove this process's group, once it is empty, and those of dead ones."""
        if not self.available:
            return
        for top in _hierarchies(self._root, self._version):
            for group in _children(top / OURS):
                pid, _, started = group.name.partition("-")
                if group.name == self._owner or not pid.isdigit() or start_time(int(pid)) != started:
                    for run in _children(group):
                        _remove_empty(run)
                    _remove_empty(group)
            _remove_empty(top / OURS)


def _hierarchies(root: Path, version: int) -> Iterator[Path]:
    """Yield where groups are made: one place in version 2, one for each set of controllers in version 1."""
    if version == 2:
        yield root
        return
    with suppress(OSError):
        yield from sorted(path for path in root.iterdir() if path.is_dir() and not path.is_symlink())


def _children(group: Path) -> list[Path]:
    try:
        return [path for path in group.iterdir() if path.is_dir()]
    except OSError:
        return []


def _remove_empty(group: Path) -> None:
    with suppress(OSError):  # not there, or still in use by a live process: then it is not ours to remove
        group.rmdir()

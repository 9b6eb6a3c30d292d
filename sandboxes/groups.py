"""Control groups that limit: memory, and CPU time where the host has that controller, for programs of this host.

They lie where the accounts of containers do, `/hypoloop/<process>/<run>`, are measured and removed like those, and can
be had where this process is root and the host's control groups can be written. Nothing outside that folder is changed.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from sandboxes.accounting import OURS, ROOT, Account, Accounts
from sandboxes.contract import Limits, Promise

PERIOD_US = 100_000
TRIES = 3


class Group(Account):
    """The control group of one run. Call in order: make, open, read, close; a program joins by `entrances`."""

    def __init__(self, root: Path, version: int, owner: str) -> None:
        """Name a group that nobody has."""
        super().__init__(root, version, owner)
        self._folders: list[Path] = []

    def make(self, limits: Limits) -> None:
        """Create it with its limits.

        Raises:
            OSError: this host does not let us.
        """
        for top in self._tops():
            self._folders.append(self._created(top))
        self._limit_memory(limits.memory_mb * 2**20)
        if Promise.CPUS in self.holds():
            quota = max(1000, int(limits.cpus * PERIOD_US))
            if self._version == 1:
                self._set("cpu", "cpu.cfs_period_us", PERIOD_US)
                self._set("cpu", "cpu.cfs_quota_us", quota)
            else:
                self._set("cpu", "cpu.max", f"{quota} {PERIOD_US}")

    def holds(self) -> frozenset[Promise]:
        """Return what it can limit."""
        have = self._controllers()
        return frozenset(
            promise for name, promise in (("memory", Promise.MEMORY), ("cpu", Promise.CPUS)) if name in have
        )

    def entrances(self) -> list[Path]:
        """Return the files into which a process of one thread writes 0 to join.

        For one thread that joins by itself version 1 takes no lock over all processes of the host, which would cost
        ten milliseconds; version 2 has no such way.
        """
        name = "tasks" if self._version == 1 else "cgroup.procs"
        return [folder / name for folder in self._folders]

    def close(self) -> None:
        """Remove it; its processes must be gone."""
        for folder in self._folders:
            with suppress(OSError):
                folder.rmdir()

    def oom_killed(self) -> bool:
        """Say whether the kernel killed one of its processes for memory."""
        name = "memory.oom_control" if self._version == 1 else "memory.events"
        counts = dict(line.split() for line in (self._text("memory", name) or "").splitlines())
        return int(counts.get("oom_kill", "0")) > 0

    def _controllers(self) -> frozenset[str]:
        if self._version == 1:
            return frozenset(name for name in ("memory", "cpu", "cpuacct") if (self._root / name).is_dir())
        with suppress(OSError):
            # What is not handed down to the groups of this host already is not ours to hand down.
            return frozenset((self._root / "cgroup.subtree_control").read_text(encoding="ascii").split())
        return frozenset()

    def _tops(self) -> list[Path]:
        """Return the hierarchies it needs, each once: several controllers may share one."""
        if self._version == 2:
            return [self._root]
        return list(dict.fromkeys((self._root / name).resolve() for name in sorted(self._controllers())))

    def _created(self, top: Path) -> Path:
        folder = top / self.parent.lstrip("/")
        for _ in range(TRIES):  # somebody else who closes may remove a parent that is empty yet
            with suppress(FileNotFoundError):
                folder.parent.mkdir(parents=True, exist_ok=True)
                self._hand_down(top)
                folder.mkdir()
                return folder
        raise FileNotFoundError(f"The control group {folder} could not be made.")

    def _hand_down(self, top: Path) -> None:
        """In version 2 a group has the controllers that every group above it hands down."""
        if self._version == 2:
            wanted = " ".join(f"+{name}" for name in sorted(self._controllers() & {"memory", "cpu"}))
            for group in (top / OURS, (top / self.parent.lstrip("/")).parent):
                (group / "cgroup.subtree_control").write_text(wanted, encoding="ascii")

    def _limit_memory(self, size: int) -> None:
        if self._version == 1:
            self._set("memory", "memory.limit_in_bytes", size)
            with suppress(FileNotFoundError):  # a kernel that does not account for swap
                self._set("memory", "memory.memsw.limit_in_bytes", size)
        else:
            self._set("memory", "memory.max", size)
            with suppress(FileNotFoundError):
                self._set("memory", "memory.swap.max", 0)

    def _set(self, controller: str, name: str, value: int | str) -> None:
        top = self._root / controller if self._version == 1 else self._root
        descriptor = os.open(top / self.parent.lstrip("/") / name, os.O_WRONLY)  # never creates: a typo must not pass
        try:
            os.write(descriptor, str(value).encode("ascii"))
        finally:
            os.close(descriptor)


class Groups(Accounts):
    """Opens a group for every run, where this host lets us."""

    def __init__(self, root: Path = ROOT) -> None:
        """Try it out: only a group that takes its limits is one."""
        version = 2 if (root / "cgroup.controllers").exists() else 1
        super().__init__({"CgroupVersion": str(version), "CgroupDriver": "cgroupfs"}, local=True, root=root)
        self.holds = self._tried() if self.available else frozenset[Promise]()
        self.available = Promise.MEMORY in self.holds

    def group(self) -> Group | None:
        """Return the group of one run, not made yet; None where there are none."""
        return Group(self._root, self._version, self._owner) if self.available else None

    def _tried(self) -> frozenset[Promise]:
        group = Group(self._root, self._version, self._owner)
        try:
            group.make(Limits())
        except OSError:
            return frozenset()
        finally:
            group.close()
        return group.holds()

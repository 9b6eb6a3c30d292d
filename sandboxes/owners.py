"""Who made a container: written on it as labels, so that what a dead process left can be told from a live one's."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

OWNER_LABEL = "hypoloop.owner"
GRACE_S = 60.0
STARTUP_S = 120.0


@dataclass(frozen=True)
class Owner:
    """A process of this or another host: `name` is the campaign, the rest tells whether the process still lives."""

    name: str
    host: str
    boot: str
    pid: int
    started: str

    def labels(self, run_id: str, deadline: float) -> dict[str, str]:
        """Return the labels of a container or volume of `run_id` that may be removed after `deadline` (Unix time)."""
        return {
            OWNER_LABEL: self.name,
            "hypoloop.host": self.host,
            "hypoloop.boot": self.boot,
            "hypoloop.pid": str(self.pid),
            "hypoloop.started": self.started,
            "hypoloop.run": run_id,
            "hypoloop.deadline": f"{deadline:.0f}",
        }

    def may_remove(self, labels: Mapping[str, str], now: float) -> bool:
        """Say whether the maker of something so labelled is dead, or its time and grace are over.

        A maker on another host (several hosts may share one engine) can only be judged by its deadline.
        """
        try:
            if now > float(labels["hypoloop.deadline"]) + GRACE_S:
                return True
            pid = int(labels["hypoloop.pid"])
        except (KeyError, ValueError):
            return False  # not labelled by this program
        if labels.get("hypoloop.host") != self.host:
            return False
        return labels.get("hypoloop.boot") != self.boot or labels.get("hypoloop.started") != start_time(pid)


def this_process(name: str) -> Owner:
    """Return the owner that this process is, in the name of `name`."""
    return Owner(
        name=name,
        host=_host(),
        boot=boot_id(),
        pid=os.getpid(),
        started=start_time(os.getpid()),
    )


def boot_id() -> str:
    """Return the kernel's name for this boot, empty where there is none."""
    return _read("/proc/sys/kernel/random/boot_id")


def start_time(pid: int) -> str:
    """Return when process `pid` started, in the kernel's ticks since boot; empty if there is no such process."""
    about = _read(f"/proc/{pid}/stat")
    if about:
        # The second field is the program's name in parentheses and may hold spaces and parentheses itself.
        return about.rpartition(")")[2].split()[19]
    if Path("/proc/self/stat").exists():
        return ""
    try:
        os.kill(pid, 0)  # no /proc (macOS): the number alone must do
    except ProcessLookupError:
        return ""
    except PermissionError:
        return "unknown"
    return "unknown"


def _host() -> str:
    """Name this host and its process namespace: the same number in another container is another process."""
    try:
        namespace = os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - not a path
    except OSError:
        namespace = ""
    told = "\n".join((_read("/etc/machine-id"), socket.gethostname(), namespace))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""

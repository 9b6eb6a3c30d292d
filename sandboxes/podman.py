"""What Podman does otherwise than Docker behind the same API; measured with 4.3.

Of what a container asks for, it drops another runtime and devices without a word, so both are refused here. Its
volumes hold no memory with a limit on entries, so output is bound and watched. Its own filter lets a program without
any right make user namespaces, mounts in them and keyrings; it gets ours, by a path.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandboxes.contract import Limits
from sandboxes.errors import SandboxRefused
from sandboxes.profile import HOME, NO_NEW_PRIVILEGES, SCRATCH_MB, hardened
from sandboxes.syscalls import filter_text

if TYPE_CHECKING:
    from sandboxes.docker import DockerOptions

NO_DEVICES = "Podman drops a request for devices that comes over Docker's API"
# Podman asks for as many processes as there can be, which a service may lack the right to. What holds is pids_limit.
MOST_PROCESSES = 16384


def settled(options: DockerOptions) -> DockerOptions:
    """Return `options` as Podman keeps them.

    Raises:
        SandboxRefused: they ask for what it cannot do, or would silently not do.
    """
    if options.runtime is not None:
        raise SandboxRefused(
            "Podman runs every container under the runtime of its service and drops the one a container names. "
            f"Start the service with it: `podman --runtime {options.runtime} system service --time 0`."
        )
    if options.output == "volume":
        raise SandboxRefused(
            "Podman's volumes cannot hold memory with a limit on entries; use `bind`, where bytes and entries are "
            "watched, or Docker."
        )
    return options.model_copy(update={"output": "bind", "gpus": ()})


def adds(limits: Limits) -> dict[str, Any]:
    """Return what a container's profile must say otherwise for Podman to take it."""
    from docker.types import Ulimit

    closed = "rw,noexec,nosuid,nodev,size=64k,mode=0755"
    return {
        "security_opt": [NO_NEW_PRIVILEGES],  # its own filter of system calls, unless `Filter` adds ours
        # It knows no nr_inodes, and adds two writable places of its own to a read-only container.
        "tmpfs": {HOME: f"rw,noexec,nosuid,nodev,size={SCRATCH_MB}m,mode=1777", "/run": closed, "/var/tmp": closed},  # noqa: S108
        "ulimits": [*hardened(limits, {})["ulimits"], Ulimit(name="nproc", soft=MOST_PROCESSES, hard=MOST_PROCESSES)],
    }


class Filter:
    """The file that holds the filter for as long as a sandbox lasts: Podman's API takes a path and no content."""

    def __init__(self) -> None:
        """Nothing is written before it is asked for."""
        self._folder: Path | None = None

    def adds(self, limits: Limits) -> dict[str, Any]:
        """Return what `adds` returns, with the filter."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="hypoloop-podman-"))
            (self._folder / "seccomp.json").write_text(filter_text(), encoding="utf-8")
        return adds(limits) | {"security_opt": [NO_NEW_PRIVILEGES, f"seccomp={self._folder / 'seccomp.json'}"]}

    def close(self) -> None:
        """Remove the file; no container may be made any more."""
        if self._folder is not None:
            shutil.rmtree(self._folder)
            self._folder = None

"""Graphics devices of this host: which may be handed out, and to whom, so that no two executions share one by accident.

A lease is a lock on a file that names the device. It is held across processes of one user and ends with its process,
however that ends.
"""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sandboxes.errors import LeaseCancelled, SandboxError

NODES = Path("/dev")
POLL_S = 0.2


def visible_gpus(environ: Mapping[str, str], nodes: Path = NODES) -> tuple[str, ...]:
    """Return the ids of the devices that may be handed out.

    `HYPOLOOP_GPUS` ("0,2", or empty for none) decides, then `CUDA_VISIBLE_DEVICES`, then which device nodes there are.
    """
    for name in ("HYPOLOOP_GPUS", "CUDA_VISIBLE_DEVICES"):
        if name in environ:
            return tuple(word.strip() for word in environ[name].split(",") if word.strip() and word.strip() != "-1")
    found = (re.fullmatch(r"nvidia(\d+)", path.name) for path in nodes.glob("nvidia*"))
    return tuple(sorted((match[1] for match in found if match), key=int))


class Devices:
    """The devices that this process may hand out. Threads and processes may share them."""

    def __init__(self, ids: Sequence[str], locks: Path | None = None) -> None:
        """Hand out `ids`; `locks` is where their lock files lie, by default a folder of this user's."""
        self.ids = tuple(ids)
        self._locks = locks or Path(tempfile.gettempdir()) / f"hypoloop-{os.getuid()}-devices"

    @contextmanager
    def lease(self, count: int, cancel: threading.Event | None = None) -> Iterator[tuple[str, ...]]:
        """Hold `count` devices that nobody else holds for as long as the block runs; wait until there are.

        Raises:
            SandboxError: there are not that many at all.
            LeaseCancelled: `cancel` was set while waiting.
        """
        if count > len(self.ids):
            raise SandboxError(f"{count} GPU were asked for and {len(self.ids)} can be handed out on this host.")
        taken = self._wait(count, cancel or threading.Event())
        try:
            yield tuple(taken)
        finally:
            for descriptor in taken.values():
                os.close(descriptor)

    def _wait(self, count: int, cancel: threading.Event) -> dict[str, int]:
        while (taken := self._taken(count)) is None:
            if cancel.wait(POLL_S):
                raise LeaseCancelled
        return taken

    def _taken(self, count: int) -> dict[str, int] | None:
        """Lock `count` devices, or none: two who each hold half of what they need would wait for each other."""
        taken: dict[str, int] = {}
        for device in self.ids:
            if len(taken) < count and (descriptor := self._locked(device)) is not None:
                taken[device] = descriptor
        if len(taken) == count:
            return taken
        for descriptor in taken.values():
            os.close(descriptor)
        return None

    def _locked(self, device: str) -> int | None:
        self._locks.mkdir(mode=0o700, exist_ok=True)
        name = re.sub(r"[^A-Za-z0-9.-]", "_", device)
        descriptor = os.open(self._locks / name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

"""Where a container's output goes: a volume in memory, kept while a second container, the holder, mounts it.

A tmpfs volume is the only output with a hard limit on bytes and entries that needs no right on the host. It lives as
long as a running container mounts it, so the holder outlives the workload and the output is read through it. Starting
a holder costs as much as starting the workload, so one holder keeps a shelf of volumes. Each volume serves one run and
is seen by no other; a shelf goes when all of its volumes were used, or with the sandbox.

Where the engine runs on this host and this process may look, the volume is read where the engine mounted it; the
engine's own archive of it costs more than most of what is scored.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandboxes.collect import Collector, collect_directory, collect_tar, name_fault
from sandboxes.contract import Limits
from sandboxes.errors import SandboxError
from sandboxes.profile import HOLD, HOLDER, OUT, hardened, volume_options

if TYPE_CHECKING:
    from docker import DockerClient

log = logging.getLogger(__name__)
SHELF_MB = 256
SHELF_VOLUMES = 16
Labels = Callable[[], Mapping[str, str]]


class Shelf:
    """One holder and the volumes it keeps, each for one run."""

    def __init__(self, client: DockerClient, image_id: str, labels: Mapping[str, str], limits: Limits) -> None:
        """Create the volumes and start the holder; on failure nothing is left."""
        self._client = client
        self._limits = limits
        self._volumes: list[Any] = []
        self._holder: Any = None
        count = max(1, min(SHELF_VOLUMES, SHELF_MB // limits.out_mb))
        try:
            for _ in range(count):
                self._volumes.append(self._volume(labels))
            self._start_holder(image_id, labels)
        except BaseException:
            self.remove()
            raise
        self._free = list(self._volumes)
        self._out = 0

    @property
    def is_used_up(self) -> bool:
        """Whether no volume is free and none is with a run."""
        return not self._free and self._out == 0

    def take(self) -> Any | None:
        """Return a volume that nobody used yet, None when there is none."""
        if not self._free:
            return None
        self._out += 1
        return self._free.pop()

    def give_back(self) -> None:
        """Say that a run is done with the volume it took."""
        self._out -= 1

    def discard(self) -> None:
        """Hand out no more volumes."""
        self._free.clear()

    def archive(self, volume: Any, name: str | None = None) -> Any:
        """Return the tar stream of a volume, or of one file in it.

        Raises:
            SandboxError: the holder is gone, and what the volume held with it.
        """
        inside = f"{OUT}/{volume.name}" + (f"/{name}" if name else "")
        chunks, _ = self._holder.get_archive(inside, chunk_size=1 << 20)
        return chunks

    def require_holder(self) -> None:
        """Check that the holder runs as it did when it was started; a restarted one would show empty volumes."""
        state = self._client.api.inspect_container(self._holder.id)["State"]
        if not state["Running"] or state["StartedAt"] != self._started_at:
            raise SandboxError(f"The holder {self._holder.name} ended, and the output of its runs is lost.")

    def remove(self) -> None:
        """Remove holder and volumes; the containers of their runs must be gone."""
        remove_container(self._holder)
        for volume in self._volumes:
            remove_quietly(volume)

    def _volume(self, labels: Mapping[str, str]) -> Any:
        return self._client.volumes.create(
            name=f"hypoloop-{secrets.token_hex(8)}",
            driver="local",
            driver_opts=volume_options(self._limits),
            labels=dict(labels),
        )

    def _start_holder(self, image_id: str, labels: Mapping[str, str]) -> None:
        from docker.errors import APIError

        try:
            self._start_one(image_id, labels)
        except APIError as problem:
            if not problem.is_server_error():
                raise
            log.info("The engine could not start a holder, so another is tried: %s", problem)
            remove_container(self._holder)
            self._start_one(image_id, labels)

    def _start_one(self, image_id: str, labels: Mapping[str, str]) -> None:
        from docker.types import Mount

        mounts = [
            Mount(f"{OUT}/{volume.name}", volume.name, type="volume", read_only=True, no_copy=True)
            for volume in self._volumes
        ]
        self._holder = self._client.containers.create(
            image_id,
            list(HOLD),
            mounts=mounts,
            name=f"hypoloop-holder-{secrets.token_hex(8)}",
            **hardened(HOLDER, labels),
        )
        self._holder.start()
        self._started_at = self._client.api.inspect_container(self._holder.id)["State"]["StartedAt"]


class Shelves:
    """The shelves of one sandbox, by image and size of the volumes. Threads may share it."""

    def __init__(self, labels: Labels) -> None:
        """Mark what is made with what `labels` returns at the time."""
        self._labels = labels
        self._lock = threading.Lock()
        self._shelves: dict[tuple[str, int, int], list[Shelf]] = {}

    def take(self, client: DockerClient, image_id: str, limits: Limits) -> Outbox:
        """Return an outbox for one run; now and then this starts a holder.

        Raises:
            SandboxError, or one of the engine's errors: a holder could not be started.
        """
        key = (image_id, limits.out_mb, limits.out_files)
        with self._lock:
            shelves = self._shelves.setdefault(key, [])
            for shelf in shelves:
                volume = shelf.take()
                if volume is not None:
                    return Outbox(self, shelf, volume, limits)
            shelf = Shelf(client, image_id, self._labels(), limits)
            shelves.append(shelf)
            return Outbox(self, shelf, shelf.take(), limits)

    def give_back(self, shelf: Shelf, *, sound: bool) -> None:
        """Take note that a run is done; a shelf that is used up, or not sound, goes."""
        with self._lock:
            shelf.give_back()
            if not sound:
                shelf.discard()
            if not shelf.is_used_up:
                return
            for shelves in self._shelves.values():
                if shelf in shelves:
                    shelves.remove(shelf)
        shelf.remove()

    def remove(self) -> None:
        """Remove every shelf; no run may be under way."""
        with self._lock:
            shelves = [shelf for same in self._shelves.values() for shelf in same]
            self._shelves.clear()
        for shelf in shelves:
            shelf.remove()


class Outbox:
    """The output volume of one run: the kernel holds it to its limits, so there is nothing to watch."""

    def __init__(self, shelves: Shelves, shelf: Shelf, volume: Any, limits: Limits) -> None:
        """Use `Shelves.take`."""
        self._shelves = shelves
        self._shelf = shelf
        self._volume = volume
        self._limits = limits
        self._sound = False

    def mount(self) -> Any:
        """Return the mount of the volume."""
        from docker.types import Mount

        return Mount(OUT, self._volume.name, type="volume", no_copy=True)

    def over(self) -> None:
        """Name no limit: a full volume is seen at the collection."""

    def collect(self, collector: Collector) -> None:
        """Give what lies in the volume to `collector`. The workload's container must have ended.

        Raises:
            SandboxError: the holder did not outlive the run.
        """
        mounted = Path(self._volume.attrs.get("Mountpoint") or "/nowhere")
        if can_read(mounted):
            collect_directory(mounted, collector, collector.missing)
        else:
            self._collect_archive(collector)
        self._shelf.require_holder()
        self._sound = True

    def _collect_archive(self, collector: Collector) -> None:
        chunks = self._shelf.archive(self._volume)
        collect_tar(chunks, collector, self._limits)
        chunks.close()
        if collector.met is not None:
            self._collect_missing(collector)

    def _collect_missing(self, collector: Collector) -> None:
        """Ask for expected names one by one: a flood of sparse files may have ended the stream before them."""
        from docker.errors import NotFound

        for name in collector.missing:
            if name_fault(name) is not None:
                continue
            try:
                chunks = self._shelf.archive(self._volume, name)
            except NotFound:
                continue
            collect_tar(chunks, collector, self._limits, single=name)
            chunks.close()

    def close(self) -> None:
        """Say that the run is over; the workload's container must be gone."""
        self._shelves.give_back(self._shelf, sound=self._sound)


def can_read(mounted: Path) -> bool:
    """Say whether this process sees the volume that is mounted at `mounted`, with rights over all that is in it."""
    return os.getuid() == 0 and os.path.ismount(mounted)


def remove_container(container: Any) -> None:
    """Kill and remove `container` with its anonymous volumes; None is no container."""
    if container is not None:
        remove_quietly(container, v=True)


def remove_quietly(thing: Any, **options: bool) -> None:
    """Remove a container or volume; a failure is logged and left to `reap`, so that it costs no result."""
    from docker.errors import DockerException, NotFound
    from requests import RequestException

    if thing is None:
        return
    try:
        thing.remove(force=True, **options)
    except NotFound:
        return
    except (DockerException, RequestException) as problem:
        log.warning("Could not remove %s %s, left to the next reaping: %s", type(thing).__name__, thing.id, problem)

"""Docker: the backend for code that nobody vouches for."""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandboxes.collect import Collector
from sandboxes.connection import connect, engine_errors
from sandboxes.contract import Capabilities, Outcome, RunResult, RunSpec
from sandboxes.errors import SandboxError
from sandboxes.images import Resolved, resolve
from sandboxes.inside import arguments, check_spec, environment
from sandboxes.outbox import Shelves
from sandboxes.owners import OWNER_LABEL, STARTUP_S, this_process
from sandboxes.profile import CODE, DATA, HOME, OUT, PATH, workload
from sandboxes.trees import fresh_directory, is_readable_by_others, make_readable, remove_tree
from sandboxes.workload import End, Workload

if TYPE_CHECKING:
    from docker import DockerClient

log = logging.getLogger(__name__)
CLOSING_S = 30.0
SHELF_S = 30 * 24 * 3600.0


class DockerSandbox:
    """Runs every program in a container of its own, hardened as `profile` says, and leaves nothing behind."""

    def __init__(
        self, owner: str, base_url: str | None = None, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Mark what is made as `owner`'s; the engine is `base_url` or the one the environment names."""
        self._owner = this_process(owner)
        self._base_url = base_url
        self._clock = clock
        self._client: DockerClient | None = None
        self._cores = 1.0
        self._has_gpus = False
        self._shelves = Shelves(self._shelf_labels)
        self._running = 0
        self._closing = threading.Event()
        self._changed = threading.Condition()

    def capabilities(self) -> Capabilities:
        """Say what this backend enforces."""
        return Capabilities(
            backend="docker",
            isolates=True,
            network_none=True,
            memory=True,
            pids=True,
            disk=True,
            read_only=True,
            notes=(
                "The kernel is shared with the host; host facts such as /proc/meminfo can be read.",
                "Memory and CPU time are sampled twice a second: the last moments of a run are not seen.",
                f"{HOME} is not executable, so just-in-time compilers that write libraries there fail.",
            ),
        )

    def run(self, spec: RunSpec, cancel: threading.Event | None = None) -> RunResult:
        """Run one program to its end or its limits, collect its output, leave nothing behind.

        Raises:
            SandboxError: the platform could not run it.
        """
        started = time.monotonic()
        check_spec(spec)
        if spec.image is None:
            raise SandboxError(f"Run {spec.run_id} names no image, and Docker needs one.")
        with self._counted(), engine_errors(f"run {spec.run_id}", spec.image):
            client = self._connected()
            image = resolve(client, spec.image)
            if spec.limits.gpus and not self._has_gpus:
                return _without_running(spec, Outcome.UNSUPPORTED, image.image_id)
            if self._must_end(cancel):
                return _without_running(spec, Outcome.CANCELLED, image.image_id)
            # An engine refuses more cores than it has; the result says what was given.
            limits = spec.limits.model_copy(update={"cpus": min(spec.limits.cpus, self._cores)})
            with fresh_directory(spec.out):
                result = self._execute(client, spec.model_copy(update={"limits": limits}), image, cancel)
        return result.model_copy(update={"total_s": round(time.monotonic() - started, 4)})

    def reap(self) -> int:
        """Remove what dead owners of this host left behind; return how many things went.

        Only what carries this program's labels and whose maker is dead, or whose deadline and a grace are over, goes.
        """
        with engine_errors("remove what was left behind"):
            return self._reap(self._connected())

    def close(self) -> None:
        """End what this object still runs, with outcome `cancelled`, and give back the connection."""
        self._closing.set()
        with self._changed:
            if not self._changed.wait_for(lambda: self._running == 0, timeout=CLOSING_S):
                log.warning("%d runs did not end within %.0f s.", self._running, CLOSING_S)
            if self._client is not None:
                self._shelves.remove()
                self._client.close()
                self._client = None

    def _execute(
        self, client: DockerClient, spec: RunSpec, image: Resolved, cancel: threading.Event | None
    ) -> RunResult:
        deadline = self._clock().timestamp() + STARTUP_S + spec.limits.wall_s
        labels = self._owner.labels(spec.run_id, deadline)
        paths = {"python": image.python, "code": CODE, "out": OUT}
        paths |= {name: f"{DATA}/{name}" for name in spec.data}
        container = Workload(client, spec.limits)
        collector = Collector(spec.out, spec.limits, spec.expect)
        with ExitStack() as stack:
            binds = [
                _bind(_visible(path, spec.out.parent, stack), target)
                for path, target in ((spec.code, CODE), *((spec.data[name], paths[name]) for name in spec.data))
            ]
            outbox = self._shelves.take(client, image.image_id, spec.limits)
            stack.callback(outbox.close)
            stack.callback(container.remove)
            chosen = workload(spec.limits, labels)
            chosen["environment"] = environment(spec, home=HOME, path=PATH)
            chosen["mounts"] = [*binds, outbox.mount()]
            container.create(image.image_id, arguments(spec, paths), spec.run_id, chosen)
            container.start()
            container.release()
            end = container.watch(lambda: self._must_end(cancel))
            removal = threading.Thread(target=container.remove, name="hypoloop-remove")
            removal.start()
            stack.callback(removal.join)
            outbox.collect(collector)
        return _result(spec, image.image_id, end, container, collector)

    def _shelf_labels(self) -> dict[str, str]:
        """A shelf serves many runs; whether it may be reaped is told by whether its owner lives."""
        return self._owner.labels("shelf", self._clock().timestamp() + SHELF_S)

    def _must_end(self, cancel: threading.Event | None) -> bool:
        return self._closing.is_set() or (cancel is not None and cancel.is_set())

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._changed:
            if self._closing.is_set():
                raise SandboxError("This sandbox is closed.")
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _connected(self) -> DockerClient:
        """Return the client; the first call connects and removes what earlier, dead owners left."""
        with self._changed:
            if self._client is None:
                client = connect(self._base_url)
                about = client.info()
                self._cores = float(about["NCPU"])
                self._has_gpus = "nvidia" in about.get("Runtimes", {})
                self._reap(client)
                self._client = client
            return self._client

    def _reap(self, client: DockerClient) -> int:
        from docker.errors import APIError, NotFound

        now = self._clock().timestamp()
        ours = {"label": OWNER_LABEL}
        removed = 0
        for found in client.api.containers(all=True, filters=ours):
            if self._owner.may_remove(found["Labels"], now):
                try:
                    client.api.remove_container(found["Id"], force=True, v=True)
                    removed += 1
                except NotFound:
                    continue  # its owner, or another reaper, was quicker
                except APIError as problem:
                    log.warning("Could not remove the container %s: %s", found["Id"][:12], problem)
        for volume in client.api.volumes(filters=ours)["Volumes"] or []:
            if self._owner.may_remove(volume["Labels"], now):
                try:
                    client.api.remove_volume(volume["Name"], force=True)
                    removed += 1
                except NotFound:
                    continue
                except APIError as problem:
                    log.warning("Could not remove the volume %s: %s", volume["Name"], problem)
        return removed


def _visible(path: Path, beside: Path, stack: ExitStack) -> Path:
    """Return `path`, or a copy that the container's user can read where the modes of `path` forbid it.

    The copy lies beside the output, in a directory closed to other users of the host.
    """
    if is_readable_by_others(path):
        return path.resolve()
    closed = Path(tempfile.mkdtemp(prefix=".mount-", dir=beside))
    stack.callback(remove_tree, closed)
    copy = closed / "copy"
    shutil.copytree(path, copy, symlinks=True)
    make_readable(copy)
    return copy.resolve()


def _bind(source: Path, target: str) -> Any:
    from docker.types import Mount

    return Mount(target, str(source), type="bind", read_only=True)


def _without_running(spec: RunSpec, outcome: Outcome, image_id: str) -> RunResult:
    return RunResult(run_id=spec.run_id, outcome=outcome, backend="docker", image_id=image_id, limits=spec.limits)


def _outcome(end: End, flooded: bool, full: bool) -> Outcome:
    """Decide in the contract's order; a full disk is the reason of a failure, not of a success."""
    if end.killed_for in (Outcome.CANCELLED, Outcome.TIMEOUT):
        return end.killed_for
    if end.killed_for is not None or flooded or (full and end.exit_code != 0):
        return Outcome.OUTPUT_LIMIT
    if end.oom_killed:
        return Outcome.OOM  # even at exit code 0: then a child of the program was the victim
    if end.exit_code == 0:
        return Outcome.OK
    return Outcome.KILLED if end.exit_code == 137 else Outcome.FAILED


def _result(spec: RunSpec, image_id: str, end: End, container: Workload, collector: Collector) -> RunResult:
    head, tail = container.log.text()
    return RunResult(
        run_id=spec.run_id,
        outcome=_outcome(end, container.log.flooded, collector.full),
        exit_code=None if end.killed_for else end.exit_code,
        oom_killed=end.oom_killed,
        wall_s=round(end.wall_s, 4),
        cpu_s=container.cpu_s,
        peak_memory_mb=container.peak_memory_mb,
        usage_source="none" if container.cpu_s is None else "sampled",
        log_head=head,
        log_tail=tail,
        log_bytes=container.log.length,
        artifacts=collector.artifacts,
        refused=collector.refused,
        backend="docker",
        image_id=image_id,
        limits=spec.limits,
    )

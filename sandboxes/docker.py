"""Docker: the backend for code that nobody vouches for. Podman is the same code on another socket."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from sandboxes import podman
from sandboxes.accounting import Accounts
from sandboxes.bindbox import BindBox
from sandboxes.connection import connect, engine_errors, is_local
from sandboxes.contract import (
    Capabilities,
    Hold,
    Outcome,
    Prepared,
    Promise,
    Record,
    RunResult,
    RunSpec,
)
from sandboxes.errors import SandboxError
from sandboxes.images import Resolved, resolve
from sandboxes.inside import check_spec
from sandboxes.known import Known
from sandboxes.outbox import SHELF_MB, Outbox, Shelves
from sandboxes.owners import this_process
from sandboxes.prepared import ContainerRun, Place
from sandboxes.profile import HOME
from sandboxes.reaping import reap

if TYPE_CHECKING:
    from docker import DockerClient

log = logging.getLogger(__name__)
CLOSING_S = 30.0
# A prepared run waits for its turn as long as another may take, and a shelf serves many runs. Both go with their owner.
WAITING_S = 24 * 3600.0
SHELF_S = 30 * 24 * 3600.0
NO_DEVICE = ("could not select device driver", "unknown runtime specified nvidia", "nvidia-container-cli", "cdi")


class DockerOptions(Record):
    """Which engine, and how it is used.

    `output`: `volume` (in memory, held by the kernel), `bind` (on the host's disk, watched), or `auto`: a volume as
    long as the output fits into memory. `runtime` is another OCI runtime that the engine knows, such as gVisor's
    `runsc`. `gpus` are the device ids that may be handed out.
    """

    backend: Literal["docker", "podman"] = "docker"
    base_url: str | None = None
    output: Literal["auto", "volume", "bind"] = "auto"
    runtime: str | None = None
    gpus: tuple[str, ...] = ()


class DockerSandbox:
    """Runs every program in a container of its own, hardened as `profile` says, and leaves nothing behind."""

    def __init__(
        self,
        owner: str,
        options: DockerOptions | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Mark what is made as `owner`'s."""
        self._owner = this_process(owner)
        given = options or DockerOptions()
        self._options = podman.settled(given) if given.backend == "podman" else given
        self._filter = podman.Filter() if given.backend == "podman" else None
        self._clock = clock
        self._client: DockerClient | None = None
        self._about: dict[str, Any] = {}
        self._accounts: Accounts | None = None
        self._shelves = Shelves(self._shelf_labels)
        self._images: dict[str, Resolved] = {}
        self._open: set[ContainerRun] = set()
        self._running = 0
        self._closing = threading.Event()
        self._changed = threading.Condition()

    def capabilities(self) -> Capabilities:
        """Say what this backend holds programs to."""
        bind = self._options.output == "bind"
        watched = dict.fromkeys((Promise.OUT_BYTES, Promise.OUT_FILES), Hold.WATCHED) if bind else {}
        over = "" if bind else f"over {SHELF_MB} MiB "
        return Capabilities(
            backend=self._options.backend,
            isolates=True,
            holds=dict.fromkeys(Promise, Hold.ENFORCED) | {Promise.LOG: Hold.WATCHED} | watched,
            gpus=self._options.gpus,
            notes=(
                "The kernel is shared with the host; host facts such as /proc/meminfo can be read.",
                f"Output {over}goes to the host's disk, where bytes and entries are watched.",
                f"{HOME} is not executable, so just-in-time compilers that write libraries there fail.",
            ),
        )

    def prepare(self, spec: RunSpec) -> Prepared:
        """Create and start the run's container; it waits at a gate, its interpreter started, its code not looked at.

        Raises:
            SandboxError: the platform could not; nothing is left.
        """
        check_spec(spec)
        if spec.image is None:
            raise SandboxError(f"Run {spec.run_id} names no image, and Docker needs one.")
        self._begin()
        try:
            with engine_errors(f"run {spec.run_id}", spec.image):
                run = self._prepared(self._connected(), spec)
        except BaseException:
            self._end(None)
            raise
        if isinstance(run, ContainerRun):
            with self._changed:
                self._open.add(run)
        return run

    def run(self, spec: RunSpec, cancel: threading.Event | None = None) -> RunResult:
        """Run one program to its end or its limits, collect its output, leave nothing behind.

        Raises:
            SandboxError: the platform could not run it.
        """
        return self.prepare(spec).run(cancel)

    def reap(self) -> int:
        """Remove what dead owners of this host left behind; return how many things went.

        Only what carries this program's labels and whose maker is dead, or whose deadline and a grace are over, goes.
        """
        with engine_errors("remove what was left behind"):
            return reap(self._connected(), self._owner, self._clock().timestamp())

    def close(self) -> None:
        """End what this object still runs, with outcome `cancelled`, and give back the connection."""
        self._closing.set()
        with self._changed:
            waiting = [run for run in self._open if run.claim()]
        for run in waiting:
            with suppress(SandboxError):  # left to the next reaping
                run.give_up()
        with self._changed:
            if not self._changed.wait_for(lambda: self._running == 0, timeout=CLOSING_S):
                log.warning("%d runs did not end within %.0f s.", self._running, CLOSING_S)
            if self._client is not None:
                self._shelves.remove()
                self._client.close()
                self._client = None
            if self._accounts is not None:
                self._accounts.close()
            if self._filter is not None:
                self._filter.close()

    def _prepared(self, client: DockerClient, spec: RunSpec) -> ContainerRun | Known:
        image = self._image(client, spec.image or "")
        if spec.limits.gpus > len(spec.gpus):
            return self._unsupported(spec, image, f"{spec.limits.gpus} GPU asked for, {len(spec.gpus)} given")
        if spec.gpus and self._filter is not None:
            return self._unsupported(spec, image, podman.NO_DEVICES)
        # An engine refuses more cores than it has; the result says what was given.
        limits = spec.limits.model_copy(update={"cpus": min(spec.limits.cpus, float(self._about["NCPU"]))})
        spec = spec.model_copy(update={"limits": limits})
        try:
            return ContainerRun(spec, self._place(client, spec, image), self._closing.is_set, self._end)
        except SandboxError as problem:
            if spec.gpus and any(words in str(problem).lower() for words in NO_DEVICE):
                return self._unsupported(spec, image, str(problem))
            raise

    def _place(self, client: DockerClient, spec: RunSpec, image: Resolved) -> Place:
        mode, options = self._options.output, self._options
        bind = mode == "bind" or (mode == "auto" and spec.limits.out_mb > SHELF_MB)
        adds: dict[str, Any] = {"user": BindBox.user()} if bind else {}
        if self._filter is not None:
            adds |= self._filter.adds(spec.limits)
        if options.runtime is not None:
            adds["runtime"] = options.runtime

        def outbox() -> Outbox | BindBox:
            if bind:
                return BindBox(spec.out.parent, spec.limits, spec.expect)
            return self._shelves.take(client, image.image_id, spec.limits)

        return Place(
            client=client,
            backend=options.backend,
            image=image,
            labels=self._owner.labels(spec.run_id, self._clock().timestamp() + WAITING_S + spec.limits.wall_s),
            account=self._accounts.new() if self._accounts is not None else None,
            outbox=outbox,
            adds=adds,
            sees_oom=options.backend == "docker",
        )

    def _unsupported(self, spec: RunSpec, image: Resolved, why: str) -> Known:
        result = RunResult(
            run_id=spec.run_id,
            outcome=Outcome.UNSUPPORTED,
            reason=why,
            backend=self._options.backend,
            image_id=image.image_id,
            limits=spec.limits,
        )
        return Known(result, lambda: self._end(None))

    def _image(self, client: DockerClient, name: str) -> Resolved:
        """Look an image up; one that is named by its id cannot become another, and is looked up once."""
        if name not in self._images:
            found = resolve(client, name)
            if found.image_id != name:
                return found
            self._images[name] = found
        return self._images[name]

    def _shelf_labels(self) -> dict[str, str]:
        """A shelf serves many runs; whether it may be reaped is told by whether its owner lives."""
        return self._owner.labels("shelf", self._clock().timestamp() + SHELF_S)

    def _begin(self) -> None:
        with self._changed:
            if self._closing.is_set():
                raise SandboxError("This sandbox is closed.")
            self._running += 1

    def _end(self, run: ContainerRun | None) -> None:
        with self._changed:
            self._running -= 1
            if run is not None:
                self._open.discard(run)
            self._changed.notify_all()

    def _connected(self) -> DockerClient:
        """Return the client; the first call connects and removes what earlier, dead owners left."""
        with self._changed:
            if self._client is None:
                client = connect(self._options.base_url)
                self._about = client.info()
                self._accounts = Accounts(self._about, is_local(client))
                reap(client, self._owner, self._clock().timestamp())
                self._client = client
            return self._client

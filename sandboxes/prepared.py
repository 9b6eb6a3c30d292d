"""One run in a container: made ready at a gate ahead of its turn, let go, watched, collected, removed."""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandboxes.accounting import Account
from sandboxes.bindbox import BindBox
from sandboxes.collect import Collector
from sandboxes.connection import engine_errors
from sandboxes.contract import Outcome, Promise, RunResult, RunSpec
from sandboxes.errors import SandboxError
from sandboxes.images import Resolved
from sandboxes.inside import environment, gated
from sandboxes.outbox import Outbox
from sandboxes.profile import CODE, DATA, HOME, OUT, PATH, workload
from sandboxes.stop import Stop
from sandboxes.trees import is_readable_by_others, make_fresh, make_readable, remove_tree
from sandboxes.workload import End, Workload

if TYPE_CHECKING:
    from docker import DockerClient


log = logging.getLogger(__name__)
Done = Callable[["ContainerRun"], None]


@dataclass(frozen=True)
class Place:
    """Where a run is made: the engine, the image on it, and what the sandbox adds to the profile."""

    client: DockerClient
    backend: str
    image: Resolved
    labels: Mapping[str, str]
    account: Account | None
    outbox: Callable[[], Outbox | BindBox]
    adds: Mapping[str, Any]
    sees_oom: bool = True
    """Whether the engine tells when the kernel killed for memory; else the exit code and the peak must do."""


class ContainerRun:
    """A run whose container waits at the gate. It ends with `run` or `close`; `done` is called once, when it has."""

    def __init__(self, spec: RunSpec, place: Place, ends: Callable[[], bool], done: Done) -> None:
        """Make and start everything; `ends` says whether the run must end at once.

        Raises:
            SandboxError: the platform could not; nothing is left.
        """
        self._spec, self._place, self._ends, self._done = spec, place, ends, done
        self._container = Workload(place.client, spec.limits, place.account)
        self._stack = ExitStack()
        self._claim = threading.Lock()
        self._phases: dict[str, float] = {}
        with self._errors():
            make_fresh(spec.out)
            self._failed = self._stack.enter_context(ExitStack())
            self._failed.callback(remove_tree, spec.out)
            self._copies = self._stack.enter_context(ExitStack())
            try:
                self._make_ready()
            except BaseException:
                self._stack.close()
                raise

    def run(self, cancel: threading.Event | None = None) -> RunResult:
        """Let the program go, see it to its end or its limits, collect its output, leave nothing behind.

        Raises:
            SandboxError: the platform could not run it.
        """
        began = time.monotonic()
        if not self.claim():
            raise SandboxError("This sandbox is closed.")

        def cancelled() -> bool:
            return self._ends() or (cancel is not None and cancel.is_set())

        try:
            with self._errors():
                result = self._carried_out(cancelled, began)
        except BaseException:
            self.give_up()
            raise
        if isinstance(self._outbox, BindBox):
            self.give_up()
        else:
            # The container is over and its output is here: nobody needs to wait until the engine has cleared it away.
            threading.Thread(target=self._clear, name="hypoloop-remove").start()
        return result

    def _carried_out(self, cancelled: Callable[[], bool], began: float) -> RunResult:
        if cancelled():
            self._keep_output()
            return self._result(End(Stop(Outcome.CANCELLED), 0, False, 0.0), None, began)
        self._container.release()
        end = self._container.watch(cancelled, self._outbox.over)
        self._phases["wait"] = time.monotonic() - began - end.wall_s
        with self._timed("collect"):
            collector = Collector(self._spec.out, self._spec.limits, self._spec.expect)
            if isinstance(self._outbox, BindBox):
                self._container.remove()  # only then no process of it can write any more
            over = self._outbox.over()  # a fast writer ends between two looks of the watchdog
            self._outbox.collect(collector)
        self._copies.close()
        self._keep_output()
        return self._result(end, collector, began, over)

    def _clear(self) -> None:
        try:
            self.give_up()
        except SandboxError as problem:
            log.warning("%s It is left to the next reaping.", problem)

    def close(self) -> None:
        """Give the run up; nothing of it is left.

        Raises:
            SandboxError: the platform could not remove it.
        """
        if self.claim():
            self.give_up()

    def claim(self) -> bool:
        """Say to one caller only, the first, that it is the one who ends this run."""
        return self._claim.acquire(blocking=False)

    def give_up(self) -> None:
        """Remove everything; for who holds the claim."""
        try:
            with self._errors():
                self._stack.close()
        finally:
            self._done(self)

    @contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self._phases[phase] = time.monotonic() - began

    def _errors(self) -> Any:
        return engine_errors(f"run {self._spec.run_id}", self._spec.image or "")

    def _make_ready(self) -> None:
        spec, place = self._spec, self._place
        paths = {"python": place.image.python, "code": CODE, "out": OUT}
        paths |= {name: f"{DATA}/{name}" for name in spec.data}
        binds = [
            _bind(self._visible(path), target)
            for path, target in ((spec.code, CODE), *((spec.data[name], paths[name]) for name in spec.data))
        ]
        self._outbox = place.outbox()
        self._stack.callback(self._outbox.close)
        self._stack.callback(self._container.remove)
        chosen = workload(spec.limits, place.labels, spec.gpus) | dict(place.adds)
        chosen["environment"] = environment(spec, home=HOME, path=PATH)
        chosen["mounts"] = [*binds, self._outbox.mount()]
        with self._timed("create"):
            self._container.create(place.image.image_id, gated(spec, paths), spec.run_id, chosen)
        with self._timed("start"):
            self._container.start()

    def _keep_output(self) -> None:
        """From now on the output directory stays, whatever comes."""
        self._failed.pop_all()

    def _visible(self, path: Path) -> Path:
        """Return `path`, or a copy that the container's user can read where the modes of `path` forbid it.

        The copy lies beside the output, in a directory closed to other users of the host.
        """
        if is_readable_by_others(path):
            return path.resolve()
        closed = Path(tempfile.mkdtemp(prefix=".mount-", dir=self._spec.out.parent))
        self._copies.callback(remove_tree, closed)
        copy = closed / "copy"
        shutil.copytree(path, copy, symlinks=True)
        make_readable(copy)
        return copy.resolve()

    def _result(self, end: End, collector: Collector | None, began: float, over: Promise | None = None) -> RunResult:
        spec, container = self._spec, self._container
        head, tail = container.log.text()
        oom_killed = end.oom_killed or (not self._place.sees_oom and self._near_its_memory(end))
        stop = _stop(end, oom_killed, Promise.LOG if container.log.flooded else over, collector)
        return RunResult(
            run_id=spec.run_id,
            outcome=stop.outcome,
            limit=stop.limit,
            exit_code=None if end.killed_for else end.exit_code,
            oom_killed=oom_killed,
            wall_s=round(end.wall_s, 4),
            total_s=round(time.monotonic() - began, 4),
            cpu_s=container.use.cpu_s,
            peak_memory_mb=container.use.peak_memory_mb,
            usage_source=container.use.source,
            phases={name: round(seconds, 4) for name, seconds in self._phases.items()},
            log_head=head,
            log_tail=tail,
            log_bytes=container.log.length,
            artifacts=collector.artifacts if collector else (),
            refused=collector.refused if collector else (),
            backend=self._place.backend,
            image_id=self._place.image.image_id,
            limits=spec.limits,
        )

    def _near_its_memory(self, end: End) -> bool:
        peak = self._container.use.peak_memory_mb
        return end.killed_for is None and end.exit_code == 137 and (peak or 0.0) > 0.9 * self._spec.limits.memory_mb


def _bind(source: Path, target: str) -> Any:
    from docker.types import Mount

    return Mount(target, str(source), type="bind", read_only=True)


def _stop(end: End, oom_killed: bool, over: Promise | None, collector: Collector | None) -> Stop:
    """Decide in the contract's order; a full disk is the reason of a failure, not of a success."""
    if end.killed_for is not None:
        return end.killed_for
    met = over or (collector.met if collector and end.exit_code != 0 else None)
    if met is not None:
        return Stop(Outcome.OUTPUT_LIMIT, met)
    if oom_killed:  # even at exit code 0: then a child of the program was the victim
        return Stop(Outcome.OOM, Promise.MEMORY)
    if end.exit_code == 0:
        return Stop(Outcome.OK)
    return Stop(Outcome.KILLED if end.exit_code == 137 else Outcome.FAILED)

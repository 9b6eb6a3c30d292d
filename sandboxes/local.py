"""Running programs as processes of this host: what the process and the bubblewrap sandbox have in common.

A prepared run is a program that waits at its gate, with its directories made; its turn costs one byte.
"""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import NamedTuple, Protocol

from sandboxes.accounting import Use
from sandboxes.child import Child
from sandboxes.collect import Collector, collect_directory
from sandboxes.contract import Capabilities, Outcome, Prepared, Promise, RunResult, RunSpec
from sandboxes.errors import SandboxError
from sandboxes.inside import check_spec
from sandboxes.keeper import Keeper
from sandboxes.known import Known
from sandboxes.logs import LogKeeper
from sandboxes.quota import broken_quota
from sandboxes.scratch import Scratches
from sandboxes.stop import Stop
from sandboxes.trees import make_fresh, remove_tree

log = logging.getLogger(__name__)
CLOSING_S = 30.0
CLOSED = "This sandbox is closed."
KILLED = 128 + 9
NO_MEMORY = ("MemoryError", "numpy._core._exceptions._ArrayMemoryError")


class End(NamedTuple):
    """How a program ended, by its exit code (128 + n for signal n), what it used, and whether memory ended it."""

    exit_code: int
    use: Use
    oom_killed: bool = False


class Program(Protocol):
    """A program at its gate, with everything that comes of it."""

    child: Child

    def release(self) -> None:
        """Open the gate.

        Raises:
            SandboxError: it never came to wait there.
        """
        ...

    def output(self) -> str:
        """Return where its output lies on this host since the release."""
        ...

    def look(self) -> Stop | None:
        """Measure what it uses; name the limit that is broken, if one is."""
        ...

    def end(self) -> End:
        """End whatever of it still runs, and say how it ended; again, the same.

        Raises:
            SandboxError: it cannot be ended, or it never began.
        """
        ...


Start = Callable[[RunSpec, ExitStack], Program]
"""Starts a program; what goes only after its end and its output's collection is put on the stack."""


class LocalRun:
    """A run whose program waits at the gate. It ends with `run` or `close`; `done` is called once, when it has."""

    def __init__(
        self, spec: RunSpec, backend: str, start: Start, ends: Callable[[], bool], done: Callable[[LocalRun], None]
    ) -> None:
        """Make and start everything; `ends` says whether the run must end at once.

        Raises:
            SandboxError: this host could not; nothing is left.
        """
        self._spec, self._backend, self._ends, self._done = spec, backend, ends, done
        self._claim = threading.Lock()
        self._phases: dict[str, float] = {}
        self._stack = ExitStack()
        make_fresh(spec.out)
        self._failed = self._stack.enter_context(ExitStack())
        self._failed.callback(remove_tree, spec.out)
        try:
            with self._errors():
                self._program = start(spec, self._stack)
        except BaseException:
            self._stack.close()
            raise
        self._stack.callback(self._program.end)

    def run(self, cancel: threading.Event | None = None) -> RunResult:
        """Let the program go, see it to its end or its limits, collect its output, leave nothing behind.

        Raises:
            SandboxError: this host could not run it.
        """
        began = time.monotonic()
        if not self.claim():
            raise SandboxError(CLOSED)

        def cancelled() -> bool:
            return self._ends() or (cancel is not None and cancel.is_set())

        try:
            with self._errors(), self._stack:
                result = self._carried_out(cancelled)
                self._failed.pop_all()  # from now on the output directory stays, whatever comes
                clearing = time.monotonic()
        finally:
            self._done(self)
        now = time.monotonic()
        self._phases["clear"] = now - clearing
        phases = {name: round(seconds, 5) for name, seconds in self._phases.items()}
        return result.model_copy(update={"total_s": round(now - began, 4), "phases": phases})

    def close(self) -> None:
        """Give the run up; nothing of it is left.

        Raises:
            SandboxError: its program could not be ended.
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
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as problem:
            raise SandboxError(f"This host could not run {self._spec.run_id}: {problem}") from problem

    @contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self._phases[phase] = time.monotonic() - began

    def _carried_out(self, cancelled: Callable[[], bool]) -> RunResult:
        spec, program = self._spec, self._program
        collector = Collector(spec.out, spec.limits, spec.expect)
        if cancelled():
            return self._result(Stop(Outcome.CANCELLED), 0.0, program.end(), collector)
        with self._timed("open"):
            program.release()
        killed_for = program.child.watch(self._look, cancelled)
        wall_s = program.child.wall_s()
        with self._timed("end"):
            end = program.end()
        with self._timed("collect"):
            # Written faster than the watch looks, perhaps; and this opens what the program closed.
            over = broken_quota(program.output(), spec.limits)
            collect_directory(program.output(), collector, spec.expect)
        stop = _stop(killed_for, end, program.child.log, over or (collector.met if end.exit_code != 0 else None))
        return self._result(stop, wall_s, end, collector, given=killed_for is None)

    def _look(self) -> Stop | None:
        limit = broken_quota(self._program.output(), self._spec.limits)
        return self._program.look() if limit is None else Stop(Outcome.OUTPUT_LIMIT, limit)

    def _result(self, stop: Stop, wall_s: float, end: End, collector: Collector, *, given: bool = False) -> RunResult:
        """Put it together; `given` says that the exit code is the program's own."""
        child = self._program.child
        head, tail = child.log.text()
        return RunResult(
            run_id=self._spec.run_id,
            outcome=stop.outcome,
            limit=stop.limit,
            exit_code=end.exit_code if given else None,
            oom_killed=end.oom_killed or (stop.outcome is Outcome.OOM and not given),
            wall_s=round(wall_s, 4),
            cpu_s=end.use.cpu_s,
            peak_memory_mb=end.use.peak_memory_mb,
            usage_source=end.use.source,
            log_head=head,
            log_tail=tail,
            log_bytes=child.log.length,
            artifacts=collector.artifacts,
            refused=collector.refused,
            backend=self._backend,
            limits=self._spec.limits,
        )


def _stop(killed_for: Stop | None, end: End, said: LogKeeper, met: Promise | None) -> Stop:
    """Decide in the contract's order; `met` is a limit of the output that is broken."""
    if killed_for is not None and killed_for.outcome in (Outcome.CANCELLED, Outcome.TIMEOUT):
        return killed_for
    limit = Promise.LOG if said.flooded else met
    if limit is not None:
        return Stop(Outcome.OUTPUT_LIMIT, limit)
    if end.oom_killed:  # even at exit code 0: then a child of the program was the victim
        return Stop(Outcome.OOM, Promise.MEMORY)
    if killed_for is not None:
        return killed_for
    if end.exit_code == 0:
        return Stop(Outcome.OK)
    last = "".join(said.text()).rstrip().rpartition("\n")[2]
    if last.startswith(NO_MEMORY):  # one grab beyond the address space, read from the log in want of better
        return Stop(Outcome.OOM, Promise.MEMORY)
    return Stop(Outcome.KILLED if end.exit_code == KILLED else Outcome.FAILED)


class LocalSandbox(ABC):
    """A backend whose programs are processes of this host."""

    backend: str

    def __init__(self, gpus: Sequence[str] = ()) -> None:
        """Nothing is started before the first run; `gpus` are the device ids that may be handed out."""
        self._gpus = tuple(gpus)
        self._keeper = Keeper()
        self._scratches = Scratches()
        self._closing = threading.Event()
        self._changed = threading.Condition()
        self._open: set[LocalRun] = set()
        self._making = 0

    @abstractmethod
    def capabilities(self) -> Capabilities:
        """Say what this backend holds programs to."""

    @abstractmethod
    def _start(self, spec: RunSpec, stack: ExitStack) -> Program:
        """Start the program of `spec` behind a gate; what goes only after its collection is put on `stack`."""

    def prepare(self, spec: RunSpec) -> Prepared:
        """Start the program's interpreter; it waits at a gate, its code not looked at.

        Raises:
            SandboxError: this host could not; nothing is left.
        """
        check_spec(spec)
        with self._changed:
            if self._closing.is_set():
                raise SandboxError(CLOSED)
            self._making += 1
        try:
            return self._prepared(spec)
        finally:
            with self._changed:
                self._making -= 1
                self._changed.notify_all()

    def run(self, spec: RunSpec, cancel: threading.Event | None = None) -> RunResult:
        """Run one program to its end or its limits, collect its output, leave nothing behind.

        Raises:
            SandboxError: this host could not run it.
        """
        return self.prepare(spec).run(cancel)

    def reap(self) -> int:
        """Remove the directories that dead processes left; return how many. Programs end with this process anyway."""
        return self._scratches.reap()

    def close(self) -> None:
        """End what this object still runs, with outcome `cancelled`, and give up what waits."""
        self._closing.set()
        with self._changed:
            waiting = [run for run in self._open if run.claim()]
        for run in waiting:
            with suppress(SandboxError):  # its program dies with this process
                run.give_up()
        with self._changed:
            if not self._changed.wait_for(lambda: not self._open and not self._making, timeout=CLOSING_S):
                log.warning("%d runs did not end within %.0f s.", len(self._open), CLOSING_S)
        self._keeper.close()
        self._scratches.close()

    def _prepared(self, spec: RunSpec) -> Prepared:
        why = self._lacks(spec)
        if why is not None:
            unsupported = RunResult(
                run_id=spec.run_id, outcome=Outcome.UNSUPPORTED, reason=why, backend=self.backend, limits=spec.limits
            )
            return Known(unsupported)
        run = LocalRun(spec, self.backend, self._start, self._closing.is_set, self._end)
        with self._changed:
            if not self._closing.is_set():
                self._open.add(run)
                return run
        run.close()
        raise SandboxError(CLOSED)

    def _lacks(self, spec: RunSpec) -> str | None:
        """Say what the run asks for that cannot be given here, if anything."""
        if spec.limits.gpus > len(spec.gpus):
            return f"{spec.limits.gpus} GPU asked for, {len(spec.gpus)} given"
        return None

    def _end(self, run: LocalRun) -> None:
        with self._changed:
            self._open.discard(run)
            self._changed.notify_all()

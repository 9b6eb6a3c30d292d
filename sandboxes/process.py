"""A plain process of this host: for code that hypoloop itself wrote, where no engine answers. It isolates nothing."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from sandboxes.collect import MIB, Collector, collect_directory
from sandboxes.contract import Capabilities, Hold, Limits, Outcome, Prepared, Promise, RunResult, RunSpec
from sandboxes.deferred import Deferred
from sandboxes.errors import SandboxError
from sandboxes.inside import arguments, check_spec, environment
from sandboxes.logs import LogKeeper
from sandboxes.quota import broken_quota
from sandboxes.session import kill_session, session_use
from sandboxes.stop import Stop
from sandboxes.trees import remove_tree

SLICE_S = 0.1
LOG_END_S = 2.0
LATE_S = 10
# Address space is not memory: numpy's thread pools reserve gigabytes they never touch. This only stops one huge grab.
ADDRESS_SPACE_MB = 8192
LIMITED = (
    "ulimit -c 0; ulimit -n {files}; ulimit -f {blocks}; ulimit -t {cpu}; ulimit -v {space} 2>/dev/null; "
    # Should this program be killed, nobody is left to watch the time; then the group ends itself a little later.
    "(sleep {late}; kill -KILL 0) </dev/null >/dev/null 2>&1 & "
    'exec "$@" </dev/null'
)


class ProcessSandbox:
    """Runs programs as child processes with limits that are watched, not enforced by a kernel boundary."""

    def __init__(self, gpus: Sequence[str] = ()) -> None:
        """Nothing is started before the first run; `gpus` are the device ids that may be handed out."""
        self._gpus = tuple(gpus)
        self._closing = threading.Event()

    def capabilities(self) -> Capabilities:
        """Say what this backend holds programs to."""
        watched = (Promise.MEMORY, Promise.PIDS, Promise.OUT_BYTES, Promise.OUT_FILES, Promise.LOG)
        enforced = (Promise.ENVIRONMENT, Promise.WALL, Promise.OPEN_FILES, Promise.FILE_SIZE)
        return Capabilities(
            backend="process",
            isolates=False,
            holds=dict.fromkeys(watched, Hold.WATCHED) | dict.fromkeys(enforced, Hold.ENFORCED),
            gpus=self._gpus,
            notes=(
                "The program has this user's rights: it can read and write this user's files and use the network.",
                "Memory, processes and output are watched ten times a second, so a fast program overshoots.",
                "A child that starts a session of its own outlives the run.",
            ),
        )

    def prepare(self, spec: RunSpec) -> Prepared:
        """Check the spec and make the output directory; a process starts fast enough to be started at its turn.

        Raises:
            SandboxError: the spec cannot be run.
        """
        check_spec(spec)
        if self._closing.is_set():
            raise SandboxError("This sandbox is closed.")
        return Deferred(spec, self._run)

    def run(self, spec: RunSpec, cancel: threading.Event | None = None) -> RunResult:
        """Run one program to its end or its limits, collect its output, leave no file behind.

        Raises:
            SandboxError: the platform could not run it.
        """
        return self.prepare(spec).run(cancel)

    def _run(self, spec: RunSpec, cancel: threading.Event | None) -> RunResult:
        started = time.monotonic()
        if spec.limits.gpus > len(spec.gpus):
            remove_tree(spec.out)
            return RunResult(run_id=spec.run_id, outcome=Outcome.UNSUPPORTED, backend="process", limits=spec.limits)
        try:
            result = self._execute(spec, cancel)
        except OSError as problem:
            raise SandboxError(f"This host could not run {spec.run_id}: {problem}") from problem
        return result.model_copy(update={"total_s": round(time.monotonic() - started, 4)})

    def reap(self) -> int:
        """Remove nothing: child processes end with their watcher, or by themselves soon after their time is over."""
        return 0

    def close(self) -> None:
        """End what this object still runs, with outcome `cancelled`."""
        self._closing.set()

    def _execute(self, spec: RunSpec, cancel: threading.Event | None) -> RunResult:
        scratch = Path(tempfile.mkdtemp(prefix=f".{spec.out.name[:40]}-", dir=spec.out.parent))
        try:
            work, home = scratch / "out", scratch / "tmp"
            work.mkdir()
            home.mkdir()
            paths = {"python": sys.executable, "code": str(spec.code.resolve()), "out": str(work)}
            paths |= {name: str(path.resolve()) for name, path in spec.data.items()}
            path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
            env = environment(spec, home=str(home), path=path)
            env["CUDA_VISIBLE_DEVICES"] = ",".join(spec.gpus)
            child = Child(_limited(arguments(spec, paths), spec.limits), work, env, spec.limits)
            end = child.watch(work, lambda: self._closing.is_set() or (cancel is not None and cancel.is_set()))
            end = end._replace(over=broken_quota(work, spec.limits))  # written faster than the watch looks
            collector = Collector(spec.out, spec.limits, spec.expect)
            collect_directory(work, collector, spec.expect)
        finally:
            remove_tree(scratch)
        return _result(spec, end, child.log, collector)


class End(NamedTuple):
    """How the process ended: what we killed it for, if we did, and what the kernel says."""

    killed_for: Stop | None
    exit_code: int
    wall_s: float
    cpu_s: float
    peak_memory_mb: float | None
    over: Promise | None = None


class Child:
    """One process in a session of its own, with its log and its limits."""

    def __init__(self, argv: Sequence[str], work: Path, env: dict[str, str], limits: Limits) -> None:
        """Start it."""
        self._limits = limits
        self._started = time.monotonic()
        self._ended = threading.Event()
        self._wake = threading.Event()
        self._peak_mb = 0.0
        self._taken: tuple[int, int, resource.struct_rusage] | None = None
        self.log = LogKeeper(limits.log_mb * MIB)
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=work,
            env=env,
            start_new_session=True,
            bufsize=0,
        )
        self._reader = threading.Thread(target=self._read, name="hypoloop-log", daemon=True)
        self._reader.start()
        threading.Thread(target=self._await_end, name="hypoloop-wait", daemon=True).start()

    def watch(self, work: Path, cancelled: Callable[[], bool]) -> End:
        """Wait for the end, bring it about where a limit is met, and say how it came."""
        try:
            killed_for = self._wait(work, cancelled)
            wall_s = time.monotonic() - self._started
        finally:
            kill_session(self._process.pid)  # whatever it left running, too
            self._ended.wait()
            cpu_s = self._take_end()
        self._reader.join(LOG_END_S)
        # Not the kernel's ru_maxrss: that of a young process still counts the memory of the one it came from.
        peak = round(self._peak_mb, 1) if self._peak_mb else None
        return End(killed_for, self._process.returncode, wall_s, cpu_s, peak)

    def _wait(self, work: Path, cancelled: Callable[[], bool]) -> Stop | None:
        deadline = self._started + self._limits.wall_s
        while True:
            self._wake.wait(max(0.0, min(SLICE_S, deadline - time.monotonic())))
            if self._ended.is_set():
                return None
            if cancelled():
                return Stop(Outcome.CANCELLED)
            if time.monotonic() >= deadline:
                return Stop(Outcome.TIMEOUT, Promise.WALL)
            broken = self._broken_limit(work)
            if broken is not None:
                return broken

    def _broken_limit(self, work: Path) -> Stop | None:
        limit = Promise.LOG if self.log.flooded else broken_quota(work, self._limits)
        if limit is not None:
            return Stop(Outcome.OUTPUT_LIMIT, limit)
        use = session_use(self._process.pid)
        self._peak_mb = max(self._peak_mb, use.memory_mb)
        if use.memory_mb > self._limits.memory_mb:
            return Stop(Outcome.OOM, Promise.MEMORY)
        return Stop(Outcome.KILLED, Promise.PIDS) if use.tasks > self._limits.pids else None

    def _read(self) -> None:
        stream = self._process.stdout
        if stream is None:
            return
        with stream:
            while data := stream.read(65536):
                self.log.add(data)
                if self.log.flooded:
                    self._wake.set()

    def _await_end(self) -> None:
        """Notice the end without taking it, where the system can: until then the number stays this process's."""
        if hasattr(os, "waitid"):
            os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        else:
            self._taken = os.wait4(self._process.pid, 0)
        self._ended.set()
        self._wake.set()

    def _take_end(self) -> float:
        """Take the exit code; return the CPU seconds of the process and of the children it waited for."""
        _, status, usage = self._taken or os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        return round(usage.ru_utime + usage.ru_stime, 3)


def _limited(argv: Sequence[str], limits: Limits) -> list[str]:
    """Return `argv` behind a shell that sets resource limits first: safe in a program with threads, unlike a hook."""
    script = LIMITED.format(
        late=int(limits.wall_s) + LATE_S,
        files=limits.open_files,
        blocks=limits.file_mb * 2048,
        cpu=int(limits.wall_s * max(1.0, limits.cpus)) + 5,
        space=(limits.memory_mb + ADDRESS_SPACE_MB) * 1024,
    )
    return [shutil.which("sh") or "/bin/sh", "-c", script, "sh", *argv]


def _stop(end: End, log: LogKeeper, met: Promise | None) -> Stop:
    """Decide in the contract's order."""
    if end.killed_for is not None and end.killed_for.outcome in (Outcome.CANCELLED, Outcome.TIMEOUT):
        return end.killed_for
    limit = Promise.LOG if log.flooded else end.over or (met if end.exit_code != 0 else None)
    if limit is not None:
        return Stop(Outcome.OUTPUT_LIMIT, limit)
    if end.killed_for is not None:
        return end.killed_for
    if end.exit_code == 0:
        return Stop(Outcome.OK)
    last = "".join(log.text()).rstrip().rpartition("\n")[2]
    if last.startswith(("MemoryError", "numpy._core._exceptions._ArrayMemoryError")):
        return Stop(
            Outcome.OOM, Promise.MEMORY
        )  # one grab beyond the address space, read from the log in want of better
    return Stop(Outcome.KILLED if end.exit_code == -9 else Outcome.FAILED)


def _result(spec: RunSpec, end: End, log: LogKeeper, collector: Collector) -> RunResult:
    head, tail = log.text()
    stop = _stop(end, log, collector.met)
    return RunResult(
        run_id=spec.run_id,
        outcome=stop.outcome,
        limit=stop.limit,
        # A shell says 128 + n for signal n, and so do containers.
        exit_code=None if end.killed_for else end.exit_code if end.exit_code >= 0 else 128 - end.exit_code,
        oom_killed=end.killed_for is not None and end.killed_for.outcome is Outcome.OOM,
        wall_s=round(end.wall_s, 4),
        cpu_s=end.cpu_s,
        peak_memory_mb=end.peak_memory_mb,
        usage_source="kernel, memory sampled",
        log_head=head,
        log_tail=tail,
        log_bytes=log.length,
        artifacts=collector.artifacts,
        refused=collector.refused,
        backend="process",
        limits=spec.limits,
    )

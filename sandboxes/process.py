"""A plain process of this host: for code that hypoloop itself wrote, where no engine answers. It isolates nothing."""

from __future__ import annotations

import shutil
import sys
from contextlib import ExitStack
from pathlib import Path

from sandboxes.accounting import Use
from sandboxes.child import Child, Command
from sandboxes.contract import Capabilities, Hold, Limits, Outcome, Promise, RunSpec
from sandboxes.inside import environment, gated
from sandboxes.local import End, LocalSandbox
from sandboxes.rlimits import limited
from sandboxes.session import kill_session, members, use_of
from sandboxes.stop import Stop


class ProcessSandbox(LocalSandbox):
    """Runs programs as child processes with limits that are watched, not enforced by a kernel boundary."""

    backend = "process"

    def capabilities(self) -> Capabilities:
        """Say what this backend holds programs to."""
        watched = (Promise.MEMORY, Promise.PIDS, Promise.OUT_BYTES, Promise.OUT_FILES, Promise.LOG)
        enforced = (Promise.WALL, Promise.OPEN_FILES, Promise.FILE_SIZE)
        return Capabilities(
            backend=self.backend,
            isolates=False,
            holds=dict.fromkeys(watched, Hold.WATCHED) | dict.fromkeys(enforced, Hold.ENFORCED),
            gpus=self._gpus,
            notes=(
                "The program has this user's rights: it can read and write this user's files and use the network.",
                "Its environment is its own, but it can read that of this user's other processes.",
                "Memory, processes and output are watched ten times a second, so a fast program overshoots.",
                "A child that starts a session of its own outlives the run.",
            ),
        )

    def _start(self, spec: RunSpec, stack: ExitStack) -> ProcessProgram:
        scratch = self._scratches.make(spec.out, spec.limits.out_mb, stack)
        out, home = scratch / "out", scratch / "tmp"
        out.mkdir()
        home.mkdir()
        paths = {"python": sys.executable, "code": str(spec.code.resolve()), "out": str(out)}
        paths |= {name: str(path.resolve()) for name, path in spec.data.items()}
        path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
        env = environment(spec, home=str(home), path=path)
        env["CUDA_VISIBLE_DEVICES"] = ",".join(spec.gpus)
        shell = shutil.which("sh") or "/bin/sh"
        command = Command(limited(gated(spec, paths), spec.limits, shell=shell), env, out)
        return ProcessProgram(Child(command, spec.limits, self._keeper), out, spec.limits)


class ProcessProgram:
    """A program of this user, and whatever it starts in its session."""

    def __init__(self, child: Child, out: Path, limits: Limits) -> None:
        self.child = child
        self._out = out
        self._limits = limits
        self._peak_mb = 0.0

    def release(self) -> None:
        """Open the gate."""
        self.child.release()

    def output(self) -> str:
        """Return where its output lies."""
        return str(self._out)

    def look(self) -> Stop | None:
        """Measure the session; name the limit that is broken, if one is."""
        use = use_of(members(self.child.pid))
        self._peak_mb = max(self._peak_mb, use.memory_mb)
        if use.memory_mb > self._limits.memory_mb:
            return Stop(Outcome.OOM, Promise.MEMORY)
        return Stop(Outcome.KILLED, Promise.PIDS) if use.tasks > self._limits.pids else None

    def end(self) -> End:
        """Kill the session; say how its leader ended.

        Raises:
            SandboxError: it cannot be ended.
        """
        if not self.child.taken:
            kill_session(self.child.pid)
        code, cpu_s = self.child.take()
        # Not the kernel's ru_maxrss: that of a young process still counts the memory of the one it came from.
        peak_mb = round(self._peak_mb, 1) if self._peak_mb else None
        # A shell says 128 + n for signal n, and so do containers.
        return End(code if code >= 0 else 128 - code, Use(cpu_s, peak_mb, "kernel, memory sampled"))

"""Bubblewrap: namespaces without an engine. It contains, and says what it cannot limit on this machine.

Programs run as a user who owns nothing, in namespaces of their own, behind a filter of system calls. The kernel limits
the number of their processes, and memory and CPU time where this process may make control groups; else memory is
watched. Everything is done by unprivileged means; root gives its rights away before anything else.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from sandboxes.cell import Cell, Status, texts
from sandboxes.child import Child, Command
from sandboxes.contract import Capabilities, Hold, Limits, Outcome, Promise, RunSpec
from sandboxes.enclosure import CONFINED, WRITTEN, devices, host_view, lacking, sealed, walls
from sandboxes.errors import BubblewrapUnavailable, SandboxError
from sandboxes.groups import Group, Groups
from sandboxes.inside import environment, gated
from sandboxes.local import LocalSandbox
from sandboxes.profile import CODE, DATA, HOME, OUT, PATH, USER
from sandboxes.rlimits import limited
from sandboxes.seccomp import syscall_filter
from sandboxes.tools import find_tools
from sandboxes.trees import is_readable_by_others, make_readable, remove_tree

SHELL = "/bin/sh"
FILTER = "filter"
IN_MEMORY_MB = 256
TRIED = 12
PROBE = f"""
import os, time
made = 0
try:
    while made < {TRIED}:
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)
        made += 1
except OSError:
    pass
print(made)
"""
PROBE_LIMITS = Limits(wall_s=20, pids=4)


class BubblewrapSandbox(LocalSandbox):
    """Runs every program in namespaces of its own, with this host's interpreter and packages, read-only."""

    backend = "bubblewrap"

    def __init__(self, gpus: Sequence[str] = ()) -> None:
        """Run a harmless program to see what holds here; `gpus` are the numbers of devices that may be handed out.

        Raises:
            BubblewrapUnavailable: it is not installed, or this machine does not let it make namespaces.
            SandboxRefused: this interpreter cannot be shown without the home directory.
        """
        super().__init__(gpus)
        self._view = host_view()
        self._tools = find_tools()
        self._groups = Groups()
        self._filter = syscall_filter(platform.machine())
        self._texts = {path: text.encode() for path, text in WRITTEN.items()}
        if self._filter is not None:
            self._texts[FILTER] = self._filter
        # A program dies with the thread that started it, so one that lives as long as this object starts them all.
        self._starter = ThreadPoolExecutor(1, "hypoloop-start")
        self._counted, self._in_memory = True, True
        try:
            self._counted = self._probed()
        except SandboxError as problem:
            self.close()
            raise BubblewrapUnavailable(str(problem)) from problem

    def capabilities(self) -> Capabilities:
        """Say what this backend holds programs to, on this machine and for this user."""
        enforced = {Promise.NETWORK, Promise.FILES, Promise.ENVIRONMENT, Promise.WALL}
        enforced |= {Promise.OPEN_FILES, Promise.FILE_SIZE, *self._groups.holds}
        enforced |= {Promise.SYSCALLS} if self._filter is not None else set()
        enforced |= {Promise.PIDS} if self._counted else set()
        enforced |= {Promise.OUT_BYTES} if self._in_memory else set()
        watched = {Promise.MEMORY, Promise.PIDS, Promise.OUT_BYTES, Promise.OUT_FILES, Promise.LOG} - enforced
        needed = {Promise.NETWORK, Promise.FILES, Promise.SYSCALLS, Promise.MEMORY, Promise.PIDS}
        return Capabilities(
            backend=self.backend,
            isolates=needed <= enforced,
            holds=dict.fromkeys(watched, Hold.WATCHED) | dict.fromkeys(enforced, Hold.ENFORCED),
            gpus=self._gpus,
            notes=tuple(_notes(enforced)),
        )

    def close(self) -> None:
        """End what this object still runs, with outcome `cancelled`."""
        super().close()
        self._starter.shutdown()
        self._groups.close()

    def _lacks(self, spec: RunSpec) -> str | None:
        return super()._lacks(spec) or lacking(spec.gpus)

    def _start(self, spec: RunSpec, stack: ExitStack) -> Cell:
        out = self._out(spec, stack)
        folders = {CODE: spec.code} | {f"{DATA}/{name}": path for name, path in spec.data.items()}
        if self._tools.is_root:
            folders = {path: _visible(folder, spec.out.parent, stack) for path, folder in folders.items()}
        group = self._groups.group()
        status = Status()
        try:
            if group is not None:
                group.make(spec.limits)
            with texts(self._texts) as given:
                options = [*self._options(spec, folders, out, given), *status.arguments()]
                argv = [*_joining(group), *self._tools.command(), *options, "--", *self._program(spec)]
                command = Command(argv, self._environment(spec), Path("/"), (*given.values(), *status.writing))
                child = self._starter.submit(Child, command, spec.limits, self._keeper).result()
        except BaseException:
            status.close()
            if group is not None:
                group.close()
            raise
        disk = out if isinstance(out, Path) else None
        cell = Cell(child, status, spec.limits, group, out=disk, counts=not self._counted)
        stack.callback(cell.forget)
        if self._tools.is_root:
            try:
                cell.admit()
            except BaseException:
                cell.end()
                raise
        return cell

    def _out(self, spec: RunSpec, stack: ExitStack) -> Path | int:
        """Return how many MiB of memory the output may take, or the folder on disk where that is too much."""
        if self._in_memory and spec.limits.out_mb <= IN_MEMORY_MB:
            return spec.limits.out_mb
        out = self._scratches.make(spec.out, spec.limits.out_mb, stack) / "out"
        out.mkdir()
        if self._tools.is_root:
            os.chown(out, USER, USER)
        return out

    def _options(
        self, spec: RunSpec, folders: Mapping[str, Path], out: Path | int, given: Mapping[str, int]
    ) -> Iterator[str]:
        yield from CONFINED
        yield from walls(self._view, folders, {path: given[path] for path in WRITTEN}, out)
        yield from devices(spec.gpus)
        yield from sealed()
        if FILTER in given:
            yield from ("--seccomp", str(given[FILTER]))

    def _program(self, spec: RunSpec) -> list[str]:
        paths = {"python": self._view.python, "code": CODE, "out": OUT}
        paths |= {name: f"{DATA}/{name}" for name in spec.data}
        return limited(gated(spec, paths), spec.limits, shell=SHELL, processes=spec.limits.pids + 1)

    def _environment(self, spec: RunSpec) -> dict[str, str]:
        return environment(spec, home=HOME, path=f"{Path(self._view.python).parent}:{PATH}")

    def _probed(self) -> bool:
        """Find out how outputs are read and whether the kernel counts processes.

        Raises:
            SandboxError: no program can be run.
        """
        try:
            return self._probe()
        except SandboxError as problem:
            if not isinstance(problem.__cause__, PermissionError):
                raise
        self._in_memory = False  # this process may not look into the program's namespace
        return self._probe()

    def _probe(self) -> bool:
        """Run a program that does what all of them need; say whether the kernel counts its processes.

        Raises:
            SandboxError: it did not get through.
        """
        with tempfile.TemporaryDirectory(prefix="hypoloop-probe-") as folder:
            code = Path(folder) / "code"
            code.mkdir()
            argv = ("{python}", "-I", "-S", "-c", PROBE)
            spec = RunSpec(run_id="probe", argv=argv, code=code, out=Path(folder) / "out", limits=PROBE_LIMITS)
            result = self.run(spec)
        if result.outcome is not Outcome.OK or not result.log_head.strip().isdigit():
            raise SandboxError(f"A harmless program ended as {result.outcome}: {result.log_tail or result.log_head}")
        return int(result.log_head) < PROBE_LIMITS.pids


def _joining(group: Group | None) -> list[str]:
    """Return the start of a command that joins `group` first; only then what it becomes is limited from the start."""
    if group is None:
        return []
    joins = "".join(f"echo 0 >{shlex.quote(str(entrance))} && " for entrance in group.entrances())
    return [shutil.which("sh") or SHELL, "-c", f'{joins}exec "$@"', "sh"]


def _visible(path: Path, beside: Path, stack: ExitStack) -> Path:
    """Return `path`, or a copy that the program's user can read where the modes of `path` forbid it."""
    if is_readable_by_others(path):
        return path
    closed = Path(tempfile.mkdtemp(prefix=".mount-", dir=beside))
    stack.callback(remove_tree, closed)
    copy = closed / "copy"
    shutil.copytree(path, copy, symlinks=True)
    make_readable(copy)
    return copy


def _notes(enforced: set[Promise]) -> list[str]:
    notes = [
        "The kernel is shared with the host; host facts such as /proc/meminfo and the paths of folders can be read.",
    ]
    if Promise.OUT_BYTES in enforced:
        notes.append(f"Output over {IN_MEMORY_MB} MiB lies on the host's disk, where its bytes are watched.")
    if Promise.MEMORY not in enforced:
        notes.append(
            "Memory is watched ten times a second, and files in memory are not seen (of /tmp, /dev/shm and the output "
            "each has a limit, of memfd none): that takes control groups, which only root makes here."
        )
    if Promise.CPUS not in enforced:
        notes.append("CPU time is not limited below what the machine has: that takes control groups.")
    if Promise.PIDS not in enforced:
        notes.append("The kernel does not count processes by namespace (Linux 5.14 does); they are watched.")
    if Promise.SYSCALLS not in enforced:
        notes.append(f"System calls are not filtered on {platform.machine()}.")
    return notes

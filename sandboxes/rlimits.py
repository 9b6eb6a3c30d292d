"""Limits that the kernel keeps for each process, set by a shell which then becomes the program.

A shell is safe where this process has threads, unlike a hook between fork and exec, and costs a millisecond ahead of
the program's turn.
"""

from __future__ import annotations

from collections.abc import Sequence

from sandboxes.contract import Limits

# What the interpreter used at the gate counts too, and is far less than these seconds.
CPU_GRACE_S = 5
# Address space is not memory: numpy's thread pools reserve gigabytes they never touch. This only stops one huge grab.
ADDRESS_SPACE_MB = 8192
SCRIPT = '{first}ulimit -c 0; ulimit -n {files}; ulimit -f {blocks}; ulimit -t {cpu}; {more}exec "$@"'
SPACE = "ulimit -v {space} 2>/dev/null; "
# The letter differs from shell to shell; one that knows neither must not go on without the limit.
PROCESSES = "ulimit -p {count} 2>/dev/null || ulimit -u {count} || exit 1; "


def limited(argv: Sequence[str], limits: Limits, *, shell: str, processes: int | None = None) -> list[str]:
    """Return `argv` behind a shell that sets the limits first.

    `processes` counts all of this user in the program's namespace, threads included; where it is given, the shell says
    first, by an empty line, that the namespace is laid out. A program with a graphics device maps more address space
    than any machine has, and gets no limit on it.
    """
    first = "" if processes is None else "echo; "
    more = "" if limits.gpus else SPACE.format(space=(limits.memory_mb + ADDRESS_SPACE_MB) * 1024)
    if processes is not None:
        more += PROCESSES.format(count=processes)
    script = SCRIPT.format(
        first=first,
        files=limits.open_files,
        blocks=limits.file_mb * 2048,
        cpu=int(limits.wall_s * max(1.0, limits.cpus)) + CPU_GRACE_S,
        more=more,
    )
    return [shell, "-c", script, "sh", *argv]

"""The sandbox contract: what goes in, what comes out, and what a backend must promise."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field


class Record(BaseModel):
    """Base of the records that cross this boundary: frozen, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Outcome(StrEnum):
    """How a run ended. Precedence: cancelled, timeout, output_limit, oom, then the exit code."""

    OK = "ok"
    FAILED = "failed"
    TIMEOUT = "timeout"
    OOM = "oom"
    OUTPUT_LIMIT = "output_limit"
    KILLED = "killed"
    CANCELLED = "cancelled"
    UNSUPPORTED = "unsupported"


class Promise(StrEnum):
    """What a backend may hold a program to. Templates require some of these by name."""

    NETWORK = "network"
    """No network but loopback."""
    FILES = "files"
    """Nothing of the host can be written, and nothing of its users read."""
    ENVIRONMENT = "environment"
    """No variable of the host is seen."""
    SYSCALLS = "syscalls"
    """System calls that reach for the kernel are filtered, and no capability is held."""
    WALL = "wall"
    MEMORY = "memory"
    CPUS = "cpus"
    PIDS = "pids"
    OPEN_FILES = "open_files"
    FILE_SIZE = "file_size"
    OUT_BYTES = "out_bytes"
    OUT_FILES = "out_files"
    LOG = "log"


class Hold(StrEnum):
    """How a promise is kept: by the kernel, by looking several times a second and killing, or not at all."""

    ENFORCED = "enforced"
    WATCHED = "watched"
    ABSENT = "absent"


class Limits(Record):
    """What one run may use. Memory includes tmpfs (/tmp, shared memory and the output volume)."""

    wall_s: float = Field(default=60.0, gt=0)
    memory_mb: int = Field(default=512, ge=32)
    cpus: float = Field(default=1.0, gt=0)
    pids: int = Field(default=64, ge=4)
    out_mb: int = Field(default=32, ge=1)
    out_files: int = Field(default=500, ge=1)
    file_mb: int = Field(default=32, ge=1)
    log_mb: int = Field(default=4, ge=1)
    open_files: int = Field(default=1024, ge=32)
    gpus: int = Field(default=0, ge=0)


class RunSpec(Record):
    """One run of one program.

    `argv` may hold the tokens `{python}`, `{code}`, `{out}` and `{NAME}` for every key of `data`; the backend puts
    in the paths that hold inside the sandbox. `code` and every `data` directory are mounted read-only. `out` is a
    directory on the host that does not exist yet: the backend creates it and puts the collected artifacts there.
    Names in `expect` are collected first, so that a flood of files cannot push them past the cap.
    """

    run_id: str = Field(pattern=r"^[a-zA-Z0-9_.-]{1,80}$")
    argv: tuple[str, ...]
    code: Path
    out: Path
    data: Mapping[str, Path] = Field(default_factory=dict)
    image: str | None = None
    gpus: tuple[str, ...] = ()
    """The devices that this run was given, by id; as many as `limits.gpus` asks for."""
    env: Mapping[str, str] = Field(default_factory=dict)
    expect: tuple[str, ...] = ()
    limits: Limits = Limits()


class Artifact(Record):
    """A regular file that was collected: path relative to the output directory, bytes, SHA-256."""

    name: str
    size: int
    sha256: str


class Refused(Record):
    """Something in the output that was not collected, its name in ASCII escapes, and why."""

    name: str
    why: str


class RunResult(Record):
    """What happened. Times in seconds, memory in MiB; `usage_source` says who measured `cpu_s` and `peak_memory_mb`.

    `limit` is the one that ended the run, where one did; `reason` says what the outcome alone does not.
    """

    run_id: str
    outcome: Outcome
    limit: Promise | None = None
    reason: str = ""
    exit_code: int | None = None
    oom_killed: bool = False
    wall_s: float = 0.0
    total_s: float = 0.0
    cpu_s: float | None = None
    peak_memory_mb: float | None = None
    usage_source: str = "none"
    phases: Mapping[str, float] = Field(default_factory=dict)
    """Seconds of the platform's own parts, by name: where the time beyond the program's own went."""
    log_head: str = ""
    log_tail: str = ""
    log_bytes: int = 0
    artifacts: tuple[Artifact, ...] = ()
    refused: tuple[Refused, ...] = ()
    backend: str
    image_id: str | None = None
    limits: Limits


class Capabilities(Record):
    """What a backend holds programs to, and the devices it can hand out.

    `isolates`: model-written code may run in it. A promise that `holds` does not name is not kept.
    """

    backend: str
    isolates: bool
    holds: Mapping[Promise, Hold]
    gpus: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def hold(self, promise: Promise) -> Hold:
        """Return how `promise` is kept."""
        return self.holds.get(promise, Hold.ABSENT)


class Prepared(Protocol):
    """A run that has been got ready as far as it can be before its turn: it waits, and uses nothing but memory.

    Exactly one of `run` and `close` is called, once.
    """

    def run(self, cancel: threading.Event | None = None) -> RunResult:
        """Let the program go, see it to its end or its limits, collect its output, leave nothing behind.

        Raises:
            SandboxError: the platform could not run it.
        """
        ...

    def close(self) -> None:
        """Give the run up; nothing of it is left, not even its output directory."""
        ...


class Sandbox(Protocol):
    """A place where untrusted code runs, and nothing else.

    The workload's failure is a `RunResult`; the platform's failure is a `SandboxError`. Everything but `close` may be
    called from several threads. A set `cancel` event ends a run within about a second with outcome `cancelled`.
    """

    def capabilities(self) -> Capabilities:
        """Say what this backend holds programs to."""
        ...

    def prepare(self, spec: RunSpec) -> Prepared:
        """Get a run ready while another computes. Its directories must exist now; what is in `data` is read at the run.

        The output directory is made now, so that a later run, prepared too, may name it under `data`.

        Raises:
            SandboxError: the platform could not get it ready; nothing is left.
        """
        ...

    def run(self, spec: RunSpec, cancel: threading.Event | None = None) -> RunResult:
        """Prepare and run at once.

        Raises:
            SandboxError: the platform could not run it.
        """
        ...

    def reap(self) -> int:
        """Remove what dead owners of this host left behind; return how many things went."""
        ...

    def close(self) -> None:
        """Give back connections; end what this object still runs."""
        ...

"""The host before and after: what a battery, or what it ran, could have left on it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from docker import DockerClient

PATIENCE_S = 10.0
OWNER = "hypoloop.owner"
MARKS = ("hypoloop-battery-", "hypoloop-hypo-", "hypoloop-flood-", "hypoloop-was-here")


class Host(NamedTuple):
    """What there is of each kind, by name."""

    engine: frozenset[str]
    mounts: frozenset[str]
    files: frozenset[str]
    processes: frozenset[str]
    shared: frozenset[str]
    groups: frozenset[str]


def look(engine: DockerClient | None) -> Host:
    """Return what is there now; of what others keep on the same engine, nothing."""
    foreign = set(_foreign(engine)) if engine is not None else {"docker"}
    return Host(
        engine=frozenset(_things(engine)) if engine is not None else frozenset(),
        mounts=frozenset(line for line in _mounts() if not any(name in line for name in foreign)),
        files=frozenset(_files()),
        processes=frozenset(_processes()),
        shared=frozenset(_shared()),
        groups=frozenset(_groups()),
    )


def left_since(before: Host, engine: DockerClient | None, patience_s: float = PATIENCE_S) -> list[str]:
    """Return what is there that was not, and stays while what others do in passing has its time to go."""
    end = time.monotonic() + patience_s
    left = _new(before, look(engine))
    while left and time.monotonic() < end:
        time.sleep(0.5)
        left &= _new(before, look(engine))
    return sorted(left)


def _new(before: Host, now: Host) -> set[str]:
    return {f"{kind}: {name}" for kind in Host._fields for name in getattr(now, kind) - getattr(before, kind)}


def _things(engine: DockerClient) -> Iterator[str]:
    """Containers, volumes and networks: ours, by their label, and those that carry no label at all."""
    for found in engine.api.containers(all=True):
        if _ours(found["Labels"]):
            yield f"container {found['Id'][:12]} {found['Names']}"
    for found in engine.api.volumes()["Volumes"] or []:
        if _ours(found["Labels"]):
            yield f"volume {found['Name']}"
    for found in engine.api.networks():
        yield f"network {found['Name']}"


def _ours(labels: dict[str, str] | None) -> bool:
    return (labels or {}).get("hypoloop.pid", str(os.getpid())) == str(os.getpid())


def _foreign(engine: DockerClient) -> Iterator[str]:
    """Yield words by which the mounts of other owners' containers and volumes are told."""
    from docker.errors import NotFound

    for found in engine.api.containers(all=True):
        if _ours(found["Labels"]):
            continue
        try:
            about: dict[str, Any] = engine.api.inspect_container(found["Id"])
        except NotFound:
            continue  # it ended in between
        yield about["Id"]
        yield from (str(path) for path in (about["GraphDriver"]["Data"] or {}).values() if "/" in str(path))
        yield Path(about["NetworkSettings"]["SandboxKey"] or about["Id"]).name
    yield from (found["Name"] for found in engine.api.volumes()["Volumes"] or [] if not _ours(found["Labels"]))


def _mounts() -> Iterator[str]:
    """Yield what is mounted, but for what others mount in a temporary folder of theirs."""
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        if not line.split()[4].startswith("/tmp/") or any(mark in line for mark in MARKS):
            yield line


def _files() -> Iterator[str]:
    for folder in (Path("/tmp"), Path("/dev/shm"), Path("/var/tmp"), Path("/dev/mqueue"), Path("/")):
        if folder.is_dir():
            yield from (str(path) for path in folder.iterdir() if path.name.startswith(MARKS))


def _processes() -> Iterator[str]:
    for entry in Path("/proc").iterdir():
        try:
            name = (entry / "comm").read_text(encoding="utf-8", errors="replace") if entry.name.isdigit() else ""
            words = (entry / "cmdline").read_text(encoding="utf-8", errors="replace") if name else ""
        except OSError:
            continue  # it ended in between
        if name.startswith("hypo-") or "hypoloop-battery-" in words:
            yield f"{entry.name} {words[:100]!a}"


def _shared() -> Iterator[str]:
    for kind in ("shm", "sem", "msg"):
        path = Path("/proc/sysvipc", kind)
        lines = path.read_text(encoding="ascii").splitlines()[1:] if path.is_file() else []
        yield from (f"{kind} {line.split()[1]}" for line in lines)


def _groups() -> Iterator[str]:
    """Yield the control groups that this process made; others make and remove theirs while these are looked for."""
    for folder, names, _ in os.walk("/sys/fs/cgroup"):
        if Path(folder).name == "hypoloop":
            yield from (f"{folder}/{name}" for name in names if name.startswith(f"{os.getpid()}-"))

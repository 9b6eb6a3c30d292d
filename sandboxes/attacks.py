"""The attacks of the self-check. This file is copied into the sandbox and run there: `attacks.py NAME OUT TOLD`.

It needs nothing but the standard library of any Python 3.9 or newer. TOLD is a JSON object of what an attack is to
reach for. What was seen goes to standard output as one JSON object. Each attack is such that it harms nothing and ends
by itself within seconds even where nothing holds it back and it has all rights.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import platform
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

MIB = 1 << 20
MEMORY_MB = 400
FORKS = 200
ENTRIES = 400
FILES_MB = 16
FLOOD_MB = 64
HOG_S = 1.2
HOGS = 4
LINGER_S = 3.0
WALK_S = 1.5
WALL_S = 6.0
KEYCTL = {"x86_64": 250, "aarch64": 219}
CLONE = {"x86_64": 56, "aarch64": 220}
CLONE_NEWUSER = 0x10000000
OUTSIDE = "192.0.2.1"  # an address of nobody: a route to it is looked for, nothing is sent
IN_MEMORY = frozenset({"tmpfs", "ramfs", "devtmpfs", "devpts", "mqueue", "proc", "sysfs", "cgroup", "cgroup2"})
SOCKETS = ("/var/run/docker.sock", "/run/docker.sock", "/run/podman/podman.sock", "/run/containerd/containerd.sock")
PLACES = ("/", "/etc", "/usr", "/usr/local/bin", "/var", "/home", "/root", "/opt", "/srv")
Facts = dict[str, Any]


class Mount(NamedTuple):
    """Where something is mounted, of what kind it is, and how."""

    point: str
    kind: str
    options: list[str]


def probe(out: Path, told: Facts) -> Facts:
    """Look around: what can be reached, read, written and asked of the kernel. Only what was promised is tried."""
    looks: dict[str, Callable[[], Any]] = {
        "network": lambda: _network(told),
        "files": lambda: [*_read_of_host(told), *_written_of_host(out, told)],
        "environment": lambda: dict(os.environ),
        "syscalls": _syscalls,
        "open_files": lambda: _opened(told["open_files"]),
        "file_size": lambda: max(_grown(folder / "big", told["file_bytes"]) for folder in (out, _home())),
    }
    return {name: look() for name, look in looks.items() if name in told["promises"]}


def forks(out: Path, told: Facts) -> Facts:
    """Fork as often as it goes."""
    made = 0
    with suppress(OSError):
        while made < FORKS:
            if os.fork() == 0:
                time.sleep(20)
                os._exit(0)
            made += 1
    if made == FORKS:
        time.sleep(LINGER_S)
    return {"forks": made}


def memory(out: Path, told: Facts) -> Facts:
    """Take memory in pieces and keep it."""
    taken = [bytearray(MIB) for _ in range(MEMORY_MB)]
    time.sleep(LINGER_S)
    return {"memory_mb": len(taken)}


def wall(out: Path, told: Facts) -> Facts:
    """Outlive the time, deaf to every signal that can be ignored."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    time.sleep(WALL_S)
    return {}


def cpus(out: Path, told: Facts) -> Facts:
    """Compute in several processes; say how many cores that came to."""
    began, before = time.monotonic(), sum(os.times()[:4])
    children = []
    for _ in range(HOGS):
        child = os.fork()
        if child == 0:
            while time.monotonic() - began < HOG_S:
                pass
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    return {"cpus": (sum(os.times()[:4]) - before) / (time.monotonic() - began)}


def out_bytes(out: Path, told: Facts) -> Facts:
    """Fill the output with files of one MiB."""
    written = 0
    with suppress(OSError):
        for number in range(FILES_MB):
            with (out / str(number)).open("wb", buffering=0) as file:
                written += file.write(bytes(MIB))
    if written == FILES_MB * MIB:
        time.sleep(LINGER_S)
    return {"bytes": written}


def out_files(out: Path, told: Facts) -> Facts:
    """Fill the output with empty files."""
    made = 0
    with suppress(OSError):
        while made < ENTRIES:
            (out / str(made)).touch()
            made += 1
    if made == ENTRIES:
        time.sleep(LINGER_S)
    return {"entries": made}


def log(out: Path, told: Facts) -> Facts:
    """Flood the log."""
    for _ in range(FLOOD_MB):
        os.write(1, b"x" * MIB)
    time.sleep(LINGER_S)
    return {}


def _network(told: Facts) -> list[str]:
    found = [f"sees the interface {name}" for _, name in socket.if_nameindex() if name != "lo"]
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.connect((OUTSIDE, 9))
        found.append("has a route to other machines")
    with suppress(OSError), socket.create_connection(("127.0.0.1", told["port"]), timeout=1):
        found.append("reaches a port of the host")
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as abstract:
        abstract.connect("\0" + told["abstract"])
        found.append("reaches a socket of the host that has no file")
    return found


def _read_of_host(told: Facts) -> list[str]:
    found = [f"sees the engine's socket {path}" for path in SOCKETS if _exists(Path(path))]
    canary = Path(told["canary"])
    roots = [process / "root" for process in Path("/proc").iterdir() if process.name.isdigit()]
    paths = [canary, *(root.joinpath(*canary.parts[1:]) for root in roots)]
    if any(map(_readable, paths)) or _walked_into(canary.name):
        found.append("reads a file of the host's user")
    process = Path("/proc") / str(told["pid"])
    if _start_time(process) == told["started"] and _readable(process / "environ"):
        found.append("reads the environment of a process of the host")
    return found


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _readable(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return bool(file.read(1))
    except OSError:
        return False


def _walked_into(name: str) -> bool:
    """Look for a file by its name wherever it might have been mounted, for as long as a look may take."""
    end = time.monotonic() + WALK_S
    for folder, folders, files in os.walk("/"):
        if folder == "/":
            folders[:] = [inner for inner in folders if inner not in ("proc", "sys")]
        if name in files and _readable(Path(folder, name)):
            return True
        if time.monotonic() > end:
            return False
    return False


def _start_time(process: Path) -> str:
    try:
        return (process / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
    except OSError:
        return ""


def _written_of_host(out: Path, told: Facts) -> list[str]:
    ours = {str(Path(__file__).parent), told["data"], str(Path(told["canary"]).parent)}
    python = str(Path(sys.executable).resolve().parent)
    mounts = _mounts()
    # What lies in memory was made for this run; what of the host lies in memory is found by the first three.
    places = {place for place in (python, *PLACES) if _mount_of(place, mounts).kind not in IN_MEMORY}
    found = [f"writes into {folder}" for folder in sorted(ours | places) if _writable(Path(folder))]
    allowed = (str(out), str(out.resolve()), str(_home()))
    return found + [
        f"has {mount.point} mounted so that it can be written"
        for mount in mounts
        if mount.kind not in IN_MEMORY and mount.point not in allowed and "ro" not in mount.options
    ]


def _mounts() -> list[Mount]:
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    halves = [(before.split(), after.split()) for before, _, after in (line.partition(" - ") for line in lines)]
    return [Mount(before[4], after[0], before[5].split(",")) for before, after in halves]


def _mount_of(path: str, mounts: list[Mount]) -> Mount:
    real = f"{Path(path).resolve()}/"
    over = [mount for mount in mounts if real.startswith(mount.point.rstrip("/") + "/")]
    return max(over, key=lambda mount: len(mount.point), default=Mount("", "", []))


def _writable(folder: Path) -> bool:
    path = folder / ".hypoloop-attack"
    try:
        path.touch(exist_ok=False)
    except OSError:
        return False
    path.unlink()
    return True


def _syscalls() -> list[str]:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    status = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    held = [name for name in sorted(status) if name.startswith("Cap") and int(status[name], 16)]
    found = [f"holds {name} {status[name]}" for name in held]
    if status.get("NoNewPrivs") != "1":
        found.append("can gain privileges by running a program")
    if status.get("Seccomp") != "2":
        found.append("its system calls are not filtered")
    if os.getuid() == 0:
        found.append("is root")
    return found + [f"may call {name}" for name in _calls()]


def _calls() -> list[str]:
    """Try, each in a child of its own, what only a way out of the sandbox needs."""
    libc = ctypes.CDLL(None, use_errno=True)
    keyctl, clone = (numbers.get(platform.machine()) for numbers in (KEYCTL, CLONE))

    def mount() -> bool:
        # Of a kind that does not exist, so that nothing is mounted: who may mount is told so, others are denied.
        return libc.mount(b"none", b"/", b"hypoloop-none", 0, None) != 0 and ctypes.get_errno() == errno.ENODEV

    def cloned() -> bool:
        child = -1 if clone is None else int(libc.syscall(clone, CLONE_NEWUSER | signal.SIGCHLD, 0, 0, 0, 0))
        if child == 0:
            os._exit(0)
        return child > 0

    attempts: dict[str, Callable[[], bool]] = {
        "setuid": lambda: bool(libc.setuid(0) == 0),
        "mount": mount,
        "chroot": lambda: bool(libc.chroot(b"/") == 0),
        "keyctl": lambda: keyctl is not None and bool(libc.syscall(keyctl, 0, -3, 0) != -1),
        "clone with a new namespace": cloned,
        "unshare": lambda: bool(libc.unshare(CLONE_NEWUSER) == 0),
    }
    return [name for name, attempt in attempts.items() if _succeeds_in_a_child(attempt)]


def _succeeds_in_a_child(attempt: Callable[[], bool]) -> bool:
    child = os.fork()
    if child == 0:
        os._exit(0 if attempt() else 1)
    return os.waitpid(child, 0)[1] == 0


def _opened(limit: int) -> int:
    """Open files until there are twice as many as may be, after an attempt to be allowed more."""
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (4 * limit, 4 * limit))
    held: list[int] = []
    with suppress(OSError):
        while len(held) < 2 * limit:
            held.append(os.open(os.devnull, os.O_RDONLY))
    for descriptor in held:
        os.close(descriptor)
    return len(held)


def _grown(path: Path, limit: int) -> int:
    """Make a file twice the size that it may have, by writing and by stretching; return how large it got."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with path.open("wb", buffering=0) as file:
        with suppress(OSError):
            while file.tell() < 2 * limit:
                file.write(bytes(limit // 4))
        with suppress(OSError):
            file.truncate(2 * limit)
    size = path.stat().st_size
    path.unlink()
    return size


def _home() -> Path:
    return Path(os.environ.get("HOME") or "/tmp")  # noqa: S108 - the sandbox's own


ATTACKS = {attack.__name__: attack for attack in (probe, forks, memory, wall, cpus, out_bytes, out_files, log)}

if __name__ == "__main__":
    seen = ATTACKS[sys.argv[1]](Path(sys.argv[2]), json.loads(sys.argv[3]))
    os.write(1, json.dumps(seen).encode() + b"\n")
    # A program that the disk held back has failed.
    sys.exit(1 if seen.get("bytes", FILES_MB * MIB) < FILES_MB * MIB or seen.get("entries", ENTRIES) < ENTRIES else 0)

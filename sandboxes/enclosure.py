"""What a program in bubblewrap sees of this host: the arguments of `bwrap`, in one place.

The system's programs and libraries, the interpreter's own folders, the run's code and data: read-only. Its output:
writable. Memory for what it writes elsewhere, of a limited size. Nothing of any home, of `/etc`, of other runs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from sandboxes.errors import SandboxRefused
from sandboxes.profile import HOME, OUT, SCRATCH_MB, USER

MIB = 2**20
SYSTEM = Path("/usr")
# Links into /usr on most systems, folders of their own on others.
BESIDE = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
# How libraries are found; nothing in them is about this host's users.
SETTINGS = ("/etc/ld.so.cache", "/etc/alternatives")
# What the kernel shows of keys that this user holds.
MASKED = ("/proc/keys", "/proc/key-users")
WRITTEN: Mapping[str, str] = {
    "/etc/passwd": f"lab:x:{USER}:{USER}::{HOME}:/bin/sh\n",
    "/etc/group": f"lab:x:{USER}:\n",
    "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
}
NODES = Path("/dev")
NVIDIA = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset")
NVIDIA_FACTS = ("/sys/bus/pci", "/sys/devices")  # without them its library finds no device


class View(NamedTuple):
    """What every program sees alike: the interpreter's path, and the folders it and its packages lie in."""

    python: str
    prefixes: tuple[Path, ...]


def host_view() -> View:
    """Return the view of this process's own interpreter and packages.

    Raises:
        SandboxRefused: its folders hold more than an interpreter and its packages.
    """
    named = {Path(sys.base_prefix), Path(sys.prefix)}
    prefixes: list[Path] = []
    # Both as they are named and where they lie: an environment refers to its interpreter by the name it was made with.
    for prefix in sorted(named | {prefix.resolve() for prefix in named}):
        if Path.home().resolve().is_relative_to(prefix.resolve()):
            raise SandboxRefused(f"Python is installed in {prefix}, which holds the home directory; it is not shown.")
        if not any(prefix.is_relative_to(seen) for seen in (SYSTEM, *prefixes)):
            prefixes.append(prefix)
    for python in (Path(sys.prefix) / "bin" / Path(sys.executable).name, Path(sys.executable).resolve()):
        if python.exists() and any(python.is_relative_to(seen) for seen in (SYSTEM, *prefixes)):
            return View(str(python), tuple(prefixes))
    raise SandboxRefused(f"The interpreter {sys.executable} lies outside its own folders, {prefixes}; it is not shown.")


def walls(view: View, shown: Mapping[str, Path], texts: Mapping[str, int], out: Path | int) -> list[str]:
    """Return the arguments that lay out the file system.

    `shown` maps paths inside to folders of this host; `texts` maps files of `WRITTEN` to descriptors of their content.
    The output is the folder `out` of this host, or memory of at most `out` MiB.
    """
    return [
        *("--ro-bind", str(SYSTEM), str(SYSTEM)),
        *_beside(),
        *("--proc", "/proc"),
        *(word for path in MASKED if Path(path).exists() for word in ("--ro-bind", "/dev/null", path)),
        *("--dev", "/dev"),
        *("--size", str(SCRATCH_MB * MIB), "--tmpfs", "/dev/shm"),  # noqa: S108 - the program's own
        *("--size", str(SCRATCH_MB * MIB), "--tmpfs", HOME),
        *(word for path in SETTINGS for word in ("--ro-bind-try", path, path)),
        *(word for path, descriptor in texts.items() for word in ("--ro-bind-data", str(descriptor), path)),
        *(word for prefix in view.prefixes for word in ("--ro-bind", str(prefix), str(prefix))),
        *(word for path, folder in shown.items() for word in ("--ro-bind", str(folder.resolve()), path)),
        *(("--bind", str(out), OUT) if isinstance(out, Path) else ("--size", str(out * MIB), "--tmpfs", OUT)),
    ]


def sealed() -> list[str]:
    """Return the arguments that come last: what was laid out in memory stays as it is."""
    return ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", OUT]


def devices(gpus: Sequence[str], nodes: Path = NODES) -> Iterator[str]:
    """Yield the arguments that show the graphics devices `gpus`, by number."""
    for gpu in gpus:
        yield from ("--dev-bind", str(nodes / f"nvidia{gpu}"), str(nodes / f"nvidia{gpu}"))
    if gpus:
        for name in NVIDIA:
            yield from ("--dev-bind-try", str(nodes / name), str(nodes / name))
        for path in NVIDIA_FACTS:
            yield from ("--ro-bind-try", path, path)


def lacking(gpus: Sequence[str], nodes: Path = NODES) -> str | None:
    """Say why one of the graphics devices `gpus` cannot be shown, if so."""
    for gpu in gpus:
        if not gpu.isdigit():
            return f"the device {gpu!r} is not named by its number, and only such can be shown one by one"
        if not (nodes / f"nvidia{gpu}").exists():
            return f"this host has no device {nodes / f'nvidia{gpu}'}"
    return None


def _beside() -> Iterator[str]:
    for path in map(Path, BESIDE):
        if path.is_symlink():
            yield from ("--symlink", os.readlink(path), str(path))  # noqa: PTH115 - as it is written
        elif path.is_dir():
            yield from ("--ro-bind", str(path), str(path))


CONFINED = (
    *("--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
    *("--uid", str(USER), "--gid", str(USER), "--hostname", "sandbox"),
    *("--die-with-parent", "--new-session", "--cap-drop", "ALL"),
)
"""Namespaces of its own, nobody's rights, and an end together with whoever started it."""

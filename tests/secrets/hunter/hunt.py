"""Look for secrets wherever a program in a sandbox can look, within bounds, and tell all that was seen."""

import json
import os
import socket
import sys
import urllib.request
from pathlib import Path

ENTRIES = 20_000
FILE_BYTES = 16 * 1024
BYTES = 128 * 1024
CODE = (".py", ".pyc", ".so")
SYSTEM = ("/proc", "/sys", "/dev")
TELLING = ("cred", "secret", "key", "token", "netrc", "config", "conf", "env", "history", ".ini", ".toml", ".pem")
METADATA = "http://169.254.169.254/latest/meta-data/iam/security-credentials/"
PLACES = ("/run/secrets", "/var/run/secrets", "/run/user", "/root", "/home", "/lab", "/mnt", "/srv", "/opt", "/etc")
SOCKETS = (
    "/var/run/docker.sock",
    "/run/podman/podman.sock",
    "/run/containerd/containerd.sock",
    "/run/dbus/system_bus_socket",
)


def hunt():
    """Return what was seen, by where."""
    return {
        "environment": dict(os.environ),
        "processes": _processes(),
        "places": {place: _listing(place) for place in (*PLACES, *_above(Path.cwd()), str(_home()))},
        "kernel": {name: _text(name) for name in ("/proc/self/mountinfo", "/proc/keys", "/proc/cmdline", "/etc/hosts")},
        "files": _files(),
        "metadata": _metadata(),
        "sockets": {path: _connects(path) for path in SOCKETS},
    }


def tell(where):
    """Write what was seen into the folder `where` and print it."""
    said = json.dumps(hunt(), indent=0)
    (Path(where) / "seen.json").write_text(said)
    sys.stdout.write(f"HUNTED\n{said}\n")
    sys.stdout.flush()


def _home():
    try:
        return Path.home()
    except RuntimeError:
        return Path("/nowhere")


def _above(path):
    return [str(parent) for parent in (path, *path.parents)]


def _processes():
    seen = {}
    for process in [path for path in Path("/proc").iterdir() if path.name.isdigit()][:200]:
        told = {name: _text(process / name) for name in ("environ", "cmdline", "status")}
        links = [process / "cwd", process / "root", process / "exe", *_entries(process / "fd")]
        told["links"] = {str(link): _target(link) for link in links}
        seen[process.name] = told
    return seen


def _files():
    """Read small files everywhere but in what Python itself is made of, where only telling names are opened."""
    seen, met, left, entries = {}, set(), BYTES, ENTRIES
    for start in (str(_home()), str(Path.cwd()), *PLACES, "/"):
        for folder, folders, names in os.walk(start):
            folders[:] = [name for name in folders if str(Path(folder, name)) not in (*SYSTEM, *met)]
            met.add(folder)
            entries -= len(names)
            for path in (Path(folder, name) for name in names):
                if entries < 0 or left < 0:
                    return seen
                ours = not folder.startswith((sys.base_prefix, sys.prefix, "/usr", "/lib/", "/lib64"))
                telling = path.suffix not in CODE and any(word in path.name.lower() for word in TELLING)
                if str(path) not in seen and (ours or telling):
                    seen[str(path)] = _text(path)
                    left -= len(seen[str(path)])
    return seen


def _text(path):
    try:
        with Path(path).open("rb") as file:
            content = file.read(FILE_BYTES)
    except OSError as problem:
        return type(problem).__name__
    return "a program" if content.startswith(b"\x7fELF") else content.decode("utf-8", "backslashreplace")


def _entries(path):
    try:
        return list(path.iterdir())
    except OSError:
        return []


def _listing(path):
    return [entry.name for entry in _entries(Path(path))]


def _target(link):
    try:
        return str(link.readlink())
    except OSError as problem:
        return type(problem).__name__


def _metadata():
    try:
        with urllib.request.urlopen(METADATA, timeout=1) as answer:
            return answer.read(FILE_BYTES).decode("utf-8", "backslashreplace")
    except OSError as problem:
        return str(problem)


def _connects(path):
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError as problem:
            return type(problem).__name__
    return "connected"

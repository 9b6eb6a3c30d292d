"""A Podman service for tests: its own socket and its own store, both gone afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandboxes.trees import remove_tree

START_S = 20.0
SETTINGS = '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\n'


def require_podman() -> None:
    """Skip the test where there is no Podman, or fail it where one is required."""
    lacking = [name for name in ("podman", "conmon", "runc", "catatonit") if not _which(name)]
    why = f"Podman needs {', '.join(lacking)}, not found here" if lacking else ""
    why = why or ("Podman as a user needs cgroups of its own; the test runs it as root" if os.getuid() else "")
    if why and os.environ.get("HYPOLOOP_REQUIRE_PODMAN") == "1":
        pytest.fail(f"HYPOLOOP_REQUIRE_PODMAN=1, but: {why}")
    if why:
        pytest.skip(why)


@contextmanager
def podman_service(home: Path) -> Iterator[str]:
    """Serve on a socket in `home`, keep everything there, and yield the address."""
    socket, settings = home / "podman.sock", home / "containers.conf"
    settings.write_text(SETTINGS, encoding="utf-8")  # crun refuses cgroups of both versions side by side
    store = ["--root", str(home / "store"), "--runroot", str(home / "run"), "--tmpdir", str(home / "tmp")]
    with (home / "service.log").open("wb") as log:
        service = subprocess.Popen(
            ["podman", *store, "system", "service", "--time", "0", f"unix://{socket}"],
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | {"CONTAINERS_CONF": str(settings), "TMPDIR": str(home)},
        )
    try:
        _await(socket, service, home / "service.log")
        yield f"unix://{socket}"
    finally:
        service.terminate()
        service.wait(timeout=30)
        subprocess.run(["umount", "--recursive", str(home / "store/overlay")], capture_output=True, check=False)
        remove_tree(home)


def _await(socket: Path, service: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(int(START_S / 0.1)):
        if socket.exists():
            return
        if service.poll() is not None:
            break
        threading.Event().wait(0.1)
    pytest.fail(f"podman did not serve: {log.read_text(encoding='utf-8', errors='replace')[-2000:]}")


def _which(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/libexec/podman:/usr/sbin:/sbin:/usr/lib/podman")

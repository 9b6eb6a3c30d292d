"""Whatever a battery leaves on the host is found; each kind is planted once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.battery.host import left_since, look
from tests.battery.scene import Segment

if TYPE_CHECKING:
    from docker import DockerClient

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes and mounts are read from /proc")
NAMED = """
import ctypes, time
ctypes.CDLL(None).prctl(15, b"hypo-planted", 0, 0, 0)
print("up", flush=True)
time.sleep(60)
"""


def test_a_file_is_found() -> None:
    before, path = look(None), Path("/tmp/hypoloop-flood-planted")
    path.touch()
    try:
        assert f"files: {path}" in left_since(before, None, 0.0)
    finally:
        path.unlink()
    assert f"files: {path}" not in left_since(before, None, 0.0)


def test_shared_memory_is_found() -> None:
    before, segment = look(None), Segment("canary")
    try:
        assert f"shared: shm {segment.number}" in left_since(before, None, 0.0)
    finally:
        segment.remove()


def test_a_process_is_found() -> None:
    before = look(None)
    with subprocess.Popen([sys.executable, "-c", NAMED], stdout=subprocess.PIPE) as planted:
        assert planted.stdout is not None
        planted.stdout.readline()
        assert any(left.startswith(f"processes: {planted.pid} ") for left in left_since(before, None, 0.0))
        planted.kill()


@pytest.mark.docker
def test_a_container_and_a_volume_without_an_owner_are_found(engine: DockerClient, lab_image: str) -> None:
    before = look(engine)
    container, volume = engine.containers.create(lab_image, ["true"]), engine.volumes.create()
    try:
        left = left_since(before, engine, 0.0)
        assert any(str(container.id)[:12] in name for name in left)
        assert f"engine: volume {volume.name}" in left
    finally:
        container.remove()
        volume.remove()

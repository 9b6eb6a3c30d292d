from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sandboxes.devices import Devices, visible_gpus
from sandboxes.errors import LeaseCancelled, SandboxError


def nodes(tmp_path: Path, *names: str) -> Path:
    for name in names:
        (tmp_path / name).touch()
    return tmp_path


def test_device_nodes_are_counted_and_others_are_not(tmp_path: Path) -> None:
    assert visible_gpus({}, nodes(tmp_path, "nvidia10", "nvidia0", "nvidiactl", "nvidia-uvm", "null")) == ("0", "10")


def test_the_environment_decides_before_the_nodes(tmp_path: Path) -> None:
    folder = nodes(tmp_path, "nvidia0", "nvidia1")
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": "1"}, folder) == ("1",)
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": "1", "HYPOLOOP_GPUS": "0, 1"}, folder) == ("0", "1")
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": "-1"}, folder) == ()
    assert visible_gpus({"HYPOLOOP_GPUS": ""}, folder) == ()


def test_two_leases_never_share_a_device(tmp_path: Path) -> None:
    devices = Devices(("0", "1", "2"), tmp_path / "locks")
    with devices.lease(1) as first, devices.lease(2) as second:
        assert len({*first, *second}) == 3
    with devices.lease(3) as all_of_them:
        assert all_of_them == ("0", "1", "2")


def test_who_must_wait_gets_the_device_once_it_is_free(tmp_path: Path) -> None:
    devices = Devices(("0",), tmp_path / "locks")
    got: list[tuple[str, ...]] = []

    def wait() -> None:
        with devices.lease(1) as mine:
            got.append(mine)

    waiter = threading.Thread(target=wait)
    with devices.lease(1):
        waiter.start()
        waiter.join(0.5)
        assert got == []
    waiter.join()
    assert got == [("0",)]


def test_another_process_is_kept_out_and_its_death_frees_the_device(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib\nfrom sandboxes.devices import Devices\n"
        "with Devices(('0',), pathlib.Path(sys.argv[1])).lease(1): print('held', flush=True); sys.stdin.read()"
    )
    argv = [sys.executable, "-c", program, str(tmp_path / "locks")]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        devices = Devices(("0",), tmp_path / "locks")
        stop = threading.Event()
        stop.set()
        with pytest.raises(LeaseCancelled), devices.lease(1, stop):
            pass
        other.kill()
        other.wait()
        with devices.lease(1) as mine:
            assert mine == ("0",)


def test_more_than_there_are_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="2 GPU were asked for and 1"), Devices(("0",), tmp_path).lease(2):
        pass


def test_nobody_who_needs_none_waits(tmp_path: Path) -> None:
    with Devices((), tmp_path / "locks").lease(0) as none:
        assert none == ()
    assert not (tmp_path / "locks").exists()

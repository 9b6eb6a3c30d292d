"""What bubblewrap is told, and what is said where it cannot be had; that it holds is tested in the sandbox."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest

from sandboxes import BubblewrapSandbox, BubblewrapUnavailable, SandboxRefused
from sandboxes.enclosure import CONFINED, WRITTEN, devices, host_view, lacking, sealed, walls
from sandboxes.tools import find_tools

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="bubblewrap needs Linux")


def test_every_namespace_is_its_own() -> None:
    kinds = ("user", "pid", "net", "ipc", "uts", "cgroup-try")
    assert {f"--unshare-{kind}" for kind in kinds} <= set(CONFINED)
    assert {"--die-with-parent", "--new-session"} <= set(CONFINED)
    assert not [word for word in CONFINED if "share-net" in word and word != "--unshare-net"]


def test_only_the_output_is_bound_to_be_written(tmp_path: Path) -> None:
    words = [*walls(host_view(), {"/lab/code": tmp_path}, dict.fromkeys(WRITTEN, 5), tmp_path / "out"), *sealed()]
    assert [after for before, after in pairwise(words) if before == "--bind"] == [str(tmp_path / "out")]
    in_memory = list(walls(host_view(), {}, {}, 7))
    assert "--bind" not in in_memory
    assert [after for before, after in pairwise(in_memory) if before == "--size"][-1] == str(7 << 20)
    assert in_memory.count("--size") == in_memory.count("--tmpfs")  # no memory without a limit


def test_no_home_and_no_settings_of_the_host_are_shown() -> None:
    words = list(walls(host_view(), {}, {}, 1))
    sources = {Path(after) for before, after in pairwise(words) if before in ("--ro-bind", "--ro-bind-try")}
    for hidden in (Path.home(), Path("/etc"), Path("/etc/passwd"), Path("/var/run"), Path("/tmp"), Path.cwd()):
        assert not [source for source in sources if hidden.is_relative_to(source)]


def test_an_interpreter_among_the_users_files_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "base_prefix", str(Path.home()))
    with pytest.raises(SandboxRefused, match="holds the home directory"):
        host_view()


def test_an_interpreter_outside_its_own_folders_is_not_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "other-python").touch()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "other-python"))
    with pytest.raises(SandboxRefused, match="outside its own folders"):
        host_view()


def test_devices_are_shown_one_by_one(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"nvidia{number}").touch()
    shown = list(devices(("0", "2"), tmp_path))
    assert {str(tmp_path / "nvidia0"), str(tmp_path / "nvidia2"), str(tmp_path / "nvidiactl")} <= set(shown)
    assert str(tmp_path / "nvidia1") not in shown
    assert list(devices((), tmp_path)) == []


def test_a_device_that_cannot_be_shown_alone_is_named(tmp_path: Path) -> None:
    (tmp_path / "nvidia0").touch()
    assert lacking(("0",), tmp_path) is None
    assert "nvidia1" in (lacking(("0", "1"), tmp_path) or "")
    assert "GPU-ab" in (lacking(("GPU-ab",), tmp_path) or "")


def programs(folder: Path, **scripts: str) -> str:
    """Make a folder of programs; every other comes from the host."""
    folder.mkdir()
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    return str(folder)


def test_a_host_without_bubblewrap_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", programs(tmp_path / "bin"))
    with pytest.raises(BubblewrapUnavailable, match="package is called bubblewrap"):
        BubblewrapSandbox()


def test_root_that_cannot_give_its_rights_away_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", programs(tmp_path / "bin", bwrap="true"))
    monkeypatch.setattr(os, "getuid", lambda: 0)
    with pytest.raises(BubblewrapUnavailable, match="util-linux"):
        find_tools()


@pytest.mark.parametrize(
    "fault",
    ["echo 'No permissions to create new namespace' >&2; exit 1", "exit 0", "kill -9 $$"],
    ids=["refused", "nothing done", "killed"],
)
def test_a_host_that_makes_no_namespaces_is_refused(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    if os.getuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("root needs setpriv (package util-linux)")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # whoever root becomes must be able to start it
        monkeypatch.setenv("PATH", f"{programs(Path(folder) / 'bin', bwrap=fault)}:{os.environ['PATH']}")
        with pytest.raises(BubblewrapUnavailable) as caught:
            BubblewrapSandbox()
    assert "could not" in str(caught.value)
    assert ("No permissions" in str(caught.value)) is ("No permissions" in fault)


def test_an_old_bubblewrap_that_forbids_no_user_namespaces_is_not_asked_to(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    monkeypatch.setenv("PATH", programs(tmp_path / "old", bwrap="echo --unshare-user"))
    assert "--disable-userns" not in find_tools().command()
    monkeypatch.setenv("PATH", programs(tmp_path / "new", bwrap="echo --disable-userns"))
    assert "--disable-userns" in find_tools().command()

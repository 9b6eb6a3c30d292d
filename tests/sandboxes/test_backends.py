from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from sandboxes import DockerOptions, EngineUnavailable, SandboxRefused
from sandboxes.backends import BACKENDS, CONTAINERS, open_sandbox, podman_socket, usable


def listening(path: Path) -> socket.socket:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    return made


def test_podmans_socket_is_the_one_named_then_the_users_then_the_systems(tmp_path: Path) -> None:
    own, system = tmp_path / "user/podman/podman.sock", tmp_path / "system.sock"
    environ = {"XDG_RUNTIME_DIR": str(tmp_path / "user")}
    with pytest.raises(EngineUnavailable, match="podman system service"):
        podman_socket(environ, system)
    with listening(system):
        assert podman_socket(environ, system) == f"unix://{system}"
        with listening(own):
            assert podman_socket(environ, system) == f"unix://{own}"
            assert podman_socket(environ | {"CONTAINER_HOST": "tcp://far:1"}, system) == "tcp://far:1"


def test_a_file_where_the_socket_should_be_is_no_service(tmp_path: Path) -> None:
    (tmp_path / "system.sock").touch()
    with pytest.raises(EngineUnavailable):
        podman_socket({"XDG_RUNTIME_DIR": str(tmp_path)}, tmp_path / "system.sock")


def test_a_backend_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(SandboxRefused, match="docker, podman, bubblewrap, process"):
        open_sandbox("chroot", "test")


@pytest.mark.parametrize("name", sorted(set(BACKENDS) - set(CONTAINERS)))
def test_a_runtime_is_not_silently_ignored(name: str) -> None:
    with pytest.raises(SandboxRefused, match="runtimes"):
        open_sandbox(name, "test", DockerOptions(runtime="runsc"))


@pytest.mark.parametrize("name", CONTAINERS)
def test_an_engine_that_does_not_answer_is_found_when_it_is_opened(name: str, tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=f"No {name.title()} engine answers"):
        open_sandbox(name, "test", DockerOptions(base_url=f"unix://{tmp_path}/none.sock"))


def test_why_a_backend_cannot_be_used_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    monkeypatch.setenv("CONTAINER_HOST", f"unix://{tmp_path}/none.sock")
    for name in CONTAINERS:
        about = usable(name)
        assert not about.ok
        assert "No such file" in about.says
    assert usable("process").ok


@pytest.mark.docker
@pytest.mark.usefixtures("engine")
def test_docker_is_usable_and_says_its_version() -> None:
    about = usable("docker")
    assert about.ok
    assert "cgroup v" in about.says


@pytest.mark.docker
@pytest.mark.usefixtures("engine")
def test_a_runtime_that_the_engine_does_not_know_is_refused_with_those_it_knows() -> None:
    with pytest.raises(SandboxRefused, match=r"no runtime 'no-such-runtime'; it knows .*runc"):
        open_sandbox("docker", f"test-{os.getpid()}", DockerOptions(runtime="no-such-runtime"))

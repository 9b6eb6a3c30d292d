"""The backends by name: how each is opened, and which of them this machine can use."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxes.errors import EngineUnavailable, SandboxError, SandboxRefused

if TYPE_CHECKING:
    from docker import DockerClient

    from sandboxes.contract import Sandbox
    from sandboxes.docker import DockerOptions

BACKENDS = ("docker", "podman", "bubblewrap", "process")
CONTAINERS = ("docker", "podman")
SYSTEM_SOCKET = Path("/run/podman/podman.sock")


class Usable(NamedTuple):
    """Whether this machine can use a backend, and a sentence that says why not or what it is."""

    backend: str
    ok: bool
    says: str


def podman_socket(environ: Mapping[str, str] = os.environ, system: Path = SYSTEM_SOCKET) -> str:
    """Return the address of Podman's service: `$CONTAINER_HOST`, else this user's socket, else the system's.

    Raises:
        EngineUnavailable: there is none.
    """
    named = environ.get("CONTAINER_HOST")
    if named:
        return named
    own = Path(environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}") / "podman/podman.sock"
    for socket in (own, system):
        if socket.is_socket():
            return f"unix://{socket}"
    raise EngineUnavailable(
        f"there is no socket {own} or {system}, and CONTAINER_HOST names none; `systemctl start podman.socket` or "
        "`podman system service --time 0`, as root, makes one",
        "Podman",
    )


def connect_to(backend: str, base_url: str | None = None) -> DockerClient:
    """Return a client of the engine behind `backend`, "docker" or "podman", where it answers.

    Raises:
        EngineUnavailable: it does not answer, or another engine answers in its place.
    """
    from sandboxes.connection import connect, is_podman

    if backend == "podman":
        return connect(base_url or podman_socket(), "Podman")
    client = connect(base_url)
    if is_podman(client):
        client.close()
        raise EngineUnavailable("what answers in its place is Podman, which is a backend of its own: name `podman`")
    return client


def open_sandbox(name: str, owner: str, options: DockerOptions | None = None) -> Sandbox:
    """Open the backend `name` in the name of `owner`, once it is sure that this machine can use it.

    Backends without an engine heed the devices of `options` alone, and take no other runtime.

    Raises:
        EngineUnavailable: its engine does not answer.
        SandboxError: this machine lacks what it needs.
        SandboxRefused: there is no such backend, or it cannot keep `options`.
    """
    from sandboxes.docker import DockerOptions, DockerSandbox

    given = options or DockerOptions()
    if name in CONTAINERS:
        url = given.base_url or (podman_socket() if name == "podman" else None)
        given = given.model_copy(update={"backend": name, "base_url": url})
        sandbox = DockerSandbox(owner, given)
        _require_engine(given)
        return sandbox
    if given.runtime is not None:
        raise SandboxRefused(f"The {name} sandbox knows no runtimes such as {given.runtime!r}; Docker does.")
    if name == "bubblewrap":
        from sandboxes.bubblewrap import BubblewrapSandbox

        return BubblewrapSandbox(given.gpus)
    if name == "process":
        from sandboxes.process import ProcessSandbox

        return ProcessSandbox(given.gpus)
    raise SandboxRefused(f"There is no sandbox called {name!r}; there are {', '.join(BACKENDS)}.")


def _require_engine(options: DockerOptions) -> None:
    """Refuse an engine that does not answer, does not know the runtime, or cannot give the output back."""
    info = _info(options.backend, options.base_url)
    known = sorted(info.get("Runtimes") or ())
    if options.runtime is not None and options.runtime not in known:
        raise SandboxRefused(
            f"The engine knows no runtime {options.runtime!r}; it knows {', '.join(known) or 'none by name'}. "
            "A runtime is added in the engine's own settings, under `runtimes`."
        )
    if options.backend == "podman" and "name=rootless" in (info.get("SecurityOptions") or ()):
        raise SandboxRefused(
            "This Podman serves without root, and what its containers write could not be read back. Use root's: "
            "`sudo podman system service --time 0`, and name its socket in CONTAINER_HOST."
        )


def _info(backend: str, base_url: str | None) -> dict[str, Any]:
    from sandboxes.connection import engine_errors

    client = connect_to(backend, base_url)
    try:
        with engine_errors("say what it is"):
            info: dict[str, Any] = client.info()
    finally:
        client.close()
    return info


def usable(name: str) -> Usable:
    """Say whether this machine can use the backend `name`."""
    try:
        open_sandbox(name, "usable").close()
        info = _info(name, None) if name in CONTAINERS else {}
    except EngineUnavailable as problem:
        return Usable(name, False, problem.why)
    except SandboxError as problem:
        return Usable(name, False, str(problem))
    version = info.get("ServerVersion")
    return Usable(name, True, f"{version}, cgroup v{info.get('CgroupVersion', '1')}" if version else "ready")

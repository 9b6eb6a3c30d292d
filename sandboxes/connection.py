"""The way to an engine, Docker's or Podman's: one client, and the engine's failures in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sandboxes.errors import EngineUnavailable, ImageMissing, SandboxError

if TYPE_CHECKING:
    from docker import DockerClient

CLIENT_TIMEOUT_S = 60


def connect(base_url: str | None = None, engine: str = "Docker") -> DockerClient:
    """Return a client of the engine at `base_url`, or of the one the environment names; `engine` is for the message.

    Raises:
        EngineUnavailable: nothing answers there.
    """
    import docker
    from docker.errors import DockerException
    from requests import RequestException

    try:
        # Every concurrent run holds one connection for its log and one for its end, so the default pool of 10 is small.
        if base_url is None:
            return docker.from_env(timeout=CLIENT_TIMEOUT_S, max_pool_size=64, version="auto")
        return docker.DockerClient(base_url=base_url, timeout=CLIENT_TIMEOUT_S, max_pool_size=64, version="auto")
    except (DockerException, RequestException, OSError) as problem:
        raise EngineUnavailable(str(problem), engine) from problem


def is_local(client: DockerClient) -> bool:
    """Say whether the engine runs on this host, as far as its address tells."""
    return str(client.api.base_url).startswith(("http+docker://", "http+unix://", "unix://"))


def is_podman(client: DockerClient) -> bool:
    """Say whether the engine is Podman, which answers Docker's API and differs in places.

    Raises:
        SandboxError: it does not say.
    """
    with engine_errors("say what it is"):
        return any("Podman" in part.get("Name", "") for part in client.version().get("Components") or ())


@contextmanager
def engine_errors(action: str, image: str = "") -> Iterator[None]:
    """Turn the engine's and the connection's failures into `SandboxError`, said as "could not `action`"."""
    from docker.errors import DockerException, ImageNotFound, NotFound
    from requests import ConnectionError as Disconnected
    from requests import RequestException

    try:
        yield
    except ImageNotFound as problem:
        raise ImageMissing(image or str(problem)) from problem
    except NotFound as problem:
        if "no such image" in str(problem).lower():
            raise ImageMissing(image or str(problem)) from problem
        raise SandboxError(f"The engine could not {action}: {problem}") from problem
    except Disconnected as problem:
        raise EngineUnavailable(f"could not {action}: {problem}") from problem
    except (DockerException, RequestException) as problem:
        raise SandboxError(f"The engine could not {action}: {problem}") from problem
    except OSError as problem:  # this host's own disk or files
        raise SandboxError(f"This host could not {action}: {problem}") from problem

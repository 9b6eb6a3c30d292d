"""bundle.json: what a bundle is, whose tools made it, and what is not in it."""

from __future__ import annotations

import importlib.metadata
import platform
from pathlib import Path
from typing import Literal

from agents.records import Record


class LeftOut(Record):
    """A file of the campaign that is not in the bundle: its name in it, bytes, and why it is not."""

    name: str
    size: int
    why: str


class Tools(Record):
    """What made a bundle, or reads it. `engine` is what ran the containers, None where there was none to ask."""

    hypoloop: str
    python: str
    machine: str
    engine: str | None = None

    @classmethod
    def here(cls, engine: str | None = None) -> Tools:
        """Ask this process."""
        version = importlib.metadata.version("hypoloop")
        return cls(hypoloop=version, python=platform.python_version(), machine=platform.machine(), engine=engine)


class Facts(Record):
    """What a bundle says of itself. `head` is the number and hash of the journal's last event."""

    format: Literal[1] = 1
    campaign: str
    template: str
    stands: Literal["open", "closed"]
    why: str = ""
    head: str
    tools: Tools
    outputs_mb: float
    """How much of the collected outputs was to go in at the most, in MiB."""
    left_out: tuple[LeftOut, ...] = ()
    names_folders: bool = False
    """Its records name folders of the machine it was made on, and whoever exported it let them."""


class Image(Record):
    """How the sandbox image was made, as far as the engine still knows it: enough to make it again."""

    backend: str
    image_id: str | None
    requirements: tuple[str, ...]
    base: str | None = None
    installed: tuple[str, ...] = ()
    note: str = ""


def image_of(backend: str, image_id: str | None, requirements: tuple[str, ...]) -> Image:
    """Return the recipe of a campaign's image; what only the engine knows is asked of it, if it answers."""
    from sandboxes.backends import connect_to
    from sandboxes.errors import SandboxError
    from sandboxes.imagestore import list_images

    recipe = Image(backend=backend, image_id=image_id, requirements=requirements)
    if image_id is None:
        return recipe.model_copy(update={"note": "This sandbox has no images: programs ran on the host's own Python."})
    try:
        client = connect_to(backend)
        try:
            found = next((image for image in list_images(client) if image.image_id == image_id), None)
        finally:
            client.close()
    except SandboxError:
        return recipe.model_copy(update={"note": "The engine did not answer when this was written."})
    if found is None:
        return recipe.model_copy(update={"note": "The engine no longer had the image when this was written."})
    return recipe.model_copy(update={"base": found.base, "installed": found.installed})


def engine_of(backend: str) -> str | None:
    """Return what the engine behind a backend says it is; None where there is none, or it does not answer."""
    from sandboxes.backends import CONTAINERS, usable

    if backend not in CONTAINERS:
        return None
    answer = usable(backend)
    return f"{backend} {answer.says}" if answer.ok else None


def installed() -> bytes:
    """Return every distribution of this environment as `name==version`, one a line."""
    found = {f"{each.metadata['Name'].lower()}=={each.version}" for each in importlib.metadata.distributions()}
    return "".join(f"{line}\n" for line in sorted(found)).encode()


def lock_file() -> Path | None:
    """Return the lock of the project's own checkout, None where hypoloop was installed without it."""
    root = Path(__file__).parents[2]
    lock, project = root / "requirements.lock", root / "pyproject.toml"
    ours = project.is_file() and 'name = "hypoloop"' in project.read_text(encoding="utf-8")
    return lock if ours and lock.is_file() else None

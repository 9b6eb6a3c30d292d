"""One real campaign of a user whose every secret is a canary, and everything that was left of it."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sandboxes.images import ImageSpec, image_tag
from tests.campaign.running import command
from tests.campaign.running import environment as plain_environment
from tests.secrets.canaries import Canaries, environment, plant
from tests.secrets.decoding import Part, folder_parts, parts
from tests.secrets.index import PackageIndex, package_index
from tests.secrets.watching import Seen, watched

if TYPE_CHECKING:
    from docker import DockerClient

HERE = Path(__file__).parent
SPEC = """
# What a careless user notes beside the settings: {note}
name = "{name}"
template = "hunter"
template_folder = "{folder}"
sandbox = "docker"
slots = 2
[budget]
rounds = 1
ideas_per_round = 3
plans_per_round = 1
executions = 60
"""


@dataclass(frozen=True)
class Area:
    """The folders of one user: hypoloop's home, the user's own, temporary files, templates, bundles."""

    root: Path

    def folder(self, name: str) -> Path:
        """Return one of them, made on first use."""
        path = self.root / name
        path.mkdir(exist_ok=True)
        return path


@dataclass(frozen=True)
class Campaign:
    """What a campaign left, and what was seen while it ran."""

    name: str
    area: Area
    canaries: Canaries
    index: PackageIndex
    seen: Seen
    planted: Mapping[Path, str] = field(repr=False)
    said: tuple[Part, ...] = field(repr=False)
    image_parts: tuple[Part, ...] = field(repr=False)

    @property
    def home(self) -> Path:
        """The home of hypoloop."""
        return self.area.folder("home")

    def sinks(self) -> Mapping[str, Callable[[], Iterator[Part]]]:
        """Name -> everything that could have taken a secret in."""
        return {
            "what the engine says of containers": lambda: iter(self.seen.told),
            "what containers printed": self.seen.log_parts,
            "the home": lambda: folder_parts(self.home),
            "what the command printed": lambda: iter(self.said),
            "temporary files": lambda: folder_parts(self.area.folder("scratch")),
            "the user's own folder": self._new_files,
            "the bundle": lambda: folder_parts(self.area.folder("bundles")),
            "the image": lambda: iter(self.image_parts),
            "command lines": lambda: iter(self.index.arguments),
        }

    def _new_files(self) -> Iterator[Part]:
        """Yield what lies in the user's own folder and was not planted there, or was changed."""
        own = self.area.folder("user")
        kept = {str(path.relative_to(own)) for path, text in self.planted.items() if path.read_text() == text}
        return (part for part in folder_parts(own) if part.where.split(" > ")[0] not in kept)


@contextmanager
def staged(root: Path, client: DockerClient) -> Iterator[Campaign]:
    """Run the campaign, export it, save its image; remove the image at the end."""
    canaries, area = Canaries(), Area(root)
    name = f"canary{secrets.token_hex(4)}"
    planted = plant(canaries, area.folder("user")) | _work(canaries, area, name)
    with package_index(name, canaries.of("PIP_INDEX_URL")) as index:
        run = partial(_run, area, environment(canaries, area.folder("user"), index.place))
        _template(area.folder("templates") / "hunter", index.package)
        tag = image_tag(ImageSpec(requirements=(f"{index.package}==1.0",)))
        with image_removed(client, tag):
            with watched(client, name) as seen:
                said = run("run", "campaign.toml")
            said += run("export", name, "--out", str(area.folder("bundles") / "bundle.zip"), "--host-paths")
            said += run("status", name)
            yield Campaign(name, area, canaries, index, seen, planted, said, tuple(saved_image(client, tag)))


@contextmanager
def image_removed(client: DockerClient, tag: str) -> Iterator[None]:
    """Remove the image at the end of the block, if it was made."""
    from docker.errors import ImageNotFound

    try:
        yield
    finally:
        with suppress(ImageNotFound):
            client.images.remove(tag)


def saved_image(client: DockerClient, image: str) -> Iterator[Part]:
    """Yield everything in an image: the engine's words about it, its history, and every file of every layer."""
    found = client.images.get(image)
    yield Part("inspect", json.dumps(found.attrs).encode())
    yield Part("history", json.dumps(found.history()).encode())
    yield from parts("image", b"".join(found.save()))


def _work(canaries: Canaries, area: Area, name: str) -> dict[Path, str]:
    """Write what a user has in the folder where the command runs; return it."""
    work = area.folder("user/work")
    files = {
        work / "campaign.toml": SPEC.format(note=canaries.of("note"), name=name, folder=area.folder("templates")),
        work / ".env": f"PREFECT_API_KEY={canaries.of('env file')}\nOPENAI_API_KEY={canaries.of('env file')}\n",
    }
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
    return files


def _run(area: Area, user: Mapping[str, str], *arguments: str) -> tuple[Part, ...]:
    done = subprocess.run(
        command(area.folder("home"), *arguments),
        capture_output=True, check=False, timeout=500, cwd=area.folder("user/work"),
        env=plain_environment() | user | {"TMPDIR": str(area.folder("scratch"))},
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr).decode()
    return (Part(f"stdout of {arguments[0]}", done.stdout), Part(f"stderr of {arguments[0]}", done.stderr))


def _template(target: Path, package: str) -> None:
    shutil.copytree(HERE / "hunter", target, ignore=shutil.ignore_patterns("__pycache__", "hunt.py"))
    for part in ("workload", "evaluator"):
        shutil.copy(HERE / "hunter" / "hunt.py", target / part)
    manifest = target / "template.toml"
    text = manifest.read_text(encoding="utf-8")
    assert "requirements = []" in text
    manifest.write_text(text.replace("requirements = []", f'requirements = ["{package}==1.0"]'), encoding="utf-8")

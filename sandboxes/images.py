"""Images that workloads run in: a base with Python, plus the packages a template asks for.

The base is a public `python:X.Y-slim` where the engine has it or can fetch it, else one made from the host's own
Python (see `hostbase`). Packages are installed on the host (see `wheels`) and copied in, so the build runs no code,
needs no network, and nothing of the host's package settings can remain in a layer or in the history.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import queue
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import field_validator

from sandboxes import podman
from sandboxes.connection import engine_errors, is_podman
from sandboxes.contract import Limits, Record
from sandboxes.errors import ImageBuildFailed, ImageMissing
from sandboxes.hostbase import write_base
from sandboxes.imagestore import BASE_REPOSITORY, IMAGE, RECIPE_LABEL, REPOSITORY, UNFINISHED, remove_leftovers, short
from sandboxes.owners import this_process
from sandboxes.profile import hardened
from sandboxes.wheels import install

if TYPE_CHECKING:
    from docker import DockerClient

RECIPE = "2"  # raise it when the same requirements must give another image
PULL_SILENCE_S = 5.0
PROBE_S = 60.0
PATH_INSIDE = "/usr/local/bin:/usr/bin:/bin"
PROBE = (
    "import json,platform,sys,sysconfig;print(json.dumps({'python':sys.executable,"
    "'version':'%d.%d'%sys.version_info[:2],'site':sysconfig.get_path('purelib'),'machine':platform.machine()}))"
)
Progress = Callable[[str], None]


class ImageSpec(Record):
    """What an image holds: PEP 508 requirements on top of `base` ("auto", "host" or the name of an image)."""

    requirements: tuple[str, ...] = ()
    base: str = "auto"

    @field_validator("requirements")
    @classmethod
    def _in_order(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """The same set is the same image; a word that starts with a dash would be an option of the installer."""
        cleaned = sorted({line.strip() for line in value if line.strip()})
        for line in cleaned:
            if line.startswith("-"):
                raise ValueError(f"{line!r} is an option, not a requirement")
        return tuple(cleaned)


def image_tag(spec: ImageSpec) -> str:
    """Return the tag of the image `spec` describes on this host; it changes with what would change the image."""
    told = [RECIPE, spec.base, platform.python_version(), platform.machine(), *spec.requirements]
    return f"{REPOSITORY}:{_hash(told)}"


def build(client: DockerClient, spec: ImageSpec, progress: Progress | None = None) -> str:
    """Return the id of the image for `spec`, building it if this engine has none; safe to call at the same time.

    Raises:
        ImageBuildFailed: the base or a package could not be had; the message says which.
    """
    say = progress or (lambda _: None)
    tag = image_tag(spec)
    with _alone(tag):
        known = _image_id(client, tag)
        if known is not None:
            return known
        base = _base(client, spec.base, say)
        with tempfile.TemporaryDirectory(prefix="hypoloop-image-") as folder:
            return _derive(client, spec, base, Path(folder), say)


class Resolved(NamedTuple):
    """An image the engine has, and the interpreter in it."""

    image_id: str
    python: str


def resolve(client: DockerClient, image: str) -> Resolved:
    """Return the id of `image` and where its Python is.

    Raises:
        ImageMissing: the engine does not have it.
    """
    with engine_errors(f"look for the image {image}", image):
        found = client.images.get(image)
    return Resolved(str(found.id), found.labels.get("hypoloop.python", "python3"))


def _base(client: DockerClient, wanted: str, say: Progress) -> str:
    """Return the id of the base image, fetching or making it."""
    public = f"python:{sys.version_info.major}.{sys.version_info.minor}-slim" if wanted == "auto" else wanted
    if wanted != "host":
        known = _image_id(client, public) or _pulled(client, public, say)
        if known is not None:
            return known
        if wanted != "auto":
            raise ImageMissing(wanted)
    tag = f"{BASE_REPOSITORY}:{_hash([RECIPE, sys.version, sys.base_prefix, platform.machine()])}"
    with _alone(tag):
        return _image_id(client, tag) or _from_host(client, tag, say)


def _from_host(client: DockerClient, tag: str, say: Progress) -> str:
    say(f"making a base image of this host's own Python {platform.python_version()}")
    with tempfile.TemporaryDirectory(prefix="hypoloop-base-") as folder:
        archive = Path(folder) / "base.tar"
        write_base(archive)
        changes = [f"ENV PATH={PATH_INSIDE}", f"LABEL {IMAGE}={tag}", f"LABEL {RECIPE_LABEL}={RECIPE}"]
        with engine_errors("import the base image"):
            # The whole tag as the repository: Podman does not look at a tag apart from it.
            said = client.api.import_image_from_file(str(archive), repository=tag, changes=changes)
    made = _image_id(client, tag)
    if made is None:
        raise ImageBuildFailed(f"The engine did not take the base image: {str(said)[-500:]}")
    return made


def _pulled(client: DockerClient, image: str, say: Progress) -> str | None:
    """Return the id of `image` fetched from its registry, or None if no registry answers in a few seconds."""
    say(f"looking for {image} in its registry")
    words: queue.Queue[dict[str, Any] | None] = queue.Queue()
    # The SDK pulls without any time limit: a registry behind a silent firewall would hold the build for minutes.
    threading.Thread(target=_pull, args=(client, image, words), name="hypoloop-pull", daemon=True).start()
    try:
        while (word := words.get(timeout=PULL_SILENCE_S)) is not None:
            if "error" in word:
                say(f"{image} cannot be fetched: {word['error']}")
                return None
    except queue.Empty:
        say(f"{image} cannot be fetched: no registry answers within {PULL_SILENCE_S:.0f} s")
        return None
    return _image_id(client, image)


def _pull(client: DockerClient, image: str, words: queue.Queue[dict[str, Any] | None]) -> None:
    """Put every word of the pull into `words`, then None."""
    from docker.errors import APIError, DockerException
    from docker.utils import parse_repository_tag
    from requests import RequestException

    repository, version = parse_repository_tag(image)
    try:
        for word in client.api.pull(repository, tag=version or "latest", stream=True, decode=True):
            words.put(word)
        words.put(None)
    except APIError as problem:
        words.put({"error": problem.explanation})
    except (DockerException, RequestException) as problem:
        words.put({"error": str(problem)})


def _derive(client: DockerClient, spec: ImageSpec, base: str, folder: Path, say: Progress) -> str:
    """Build the image: the base plus one layer of packages."""
    facts = _probe(client, base)
    site = folder / "site"
    site.mkdir()
    installed: tuple[str, ...] = ()
    if spec.requirements:
        say(f"installing {', '.join(spec.requirements)} for Python {facts['version']}")
        installed = install(spec.requirements, site, facts["version"], facts["machine"])
    tag = image_tag(spec)
    labels = {
        UNFINISHED: "",
        "hypoloop.base": _base_name(client, base),
        "hypoloop.python": facts["python"],
        "hypoloop.requirements": json.dumps(spec.requirements),
        "hypoloop.installed": json.dumps(installed),
    }
    steps = (
        f"FROM {base}",
        _label({IMAGE: tag, RECIPE_LABEL: RECIPE, UNFINISHED: tag}),  # first, so that what is left half done is known
        f"COPY site/ {facts['site']}/",
        f"ENV PATH={PATH_INSIDE}",
        _label(labels),
    )
    context = folder / "context.tar"
    _write_context(context, site, "\n".join(steps) + "\n")
    say(f"building {tag}")
    remove_leftovers(client, tag)
    try:
        return _built(client, context, tag)
    except BaseException:
        remove_leftovers(client, tag)
        raise


def _label(labels: dict[str, str]) -> str:
    """Return the step that sets `labels`; a dollar sign would be taken for a variable."""
    return "LABEL " + " ".join(f"{key}={json.dumps(value)}" for key, value in labels.items()).replace("$", "\\$")


def _built(client: DockerClient, context: Path, tag: str) -> str:
    with engine_errors("build the image"), context.open("rb") as file:
        image, _ = client.images.build(
            fileobj=file,
            custom_context=True,
            tag=tag,
            network_mode="none",
            use_config_proxy=False,
            rm=True,
            forcerm=True,
        )
    return str(image.id)


def _write_context(target: Path, site: Path, dockerfile: str) -> None:
    recipe = target.parent / "Dockerfile"
    recipe.write_text(dockerfile, encoding="utf-8")

    def readable(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
        return entry

    with tarfile.open(target, "w") as archive:
        archive.add(recipe, "Dockerfile", filter=readable)
        archive.add(site, "site", filter=readable)


def _probe(client: DockerClient, base: str) -> dict[str, str]:
    """Ask the base image for its interpreter, version and package directory."""
    limits = Limits(wall_s=PROBE_S)
    labels = this_process("image").labels("probe", time.time() + PROBE_S)
    chosen = hardened(limits, labels) | (podman.adds(limits) if is_podman(client) else {})
    with engine_errors(f"start Python in the base image {base}", base):
        said: bytes = client.containers.run(base, ["python3", "-I", "-c", PROBE], remove=True, **chosen)
    facts: dict[str, str] = json.loads(said)
    return facts


def _base_name(client: DockerClient, base: str) -> str:
    tags: list[str] = client.images.get(base).tags
    return f"{short(tags[0])}@{base}" if tags else base


def _image_id(client: DockerClient, image: str) -> str | None:
    from docker.errors import ImageNotFound

    with engine_errors(f"look for the image {image}", image):
        try:
            found: Any = client.images.get(image)
        except ImageNotFound:
            return None
        return str(found.id)


def _hash(told: list[str]) -> str:
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:12]


@contextmanager
def _alone(tag: str) -> Iterator[None]:
    """Hold a lock of this user on `tag`, so that two campaigns do not build the same image at once."""
    path = Path(tempfile.gettempdir()) / f"hypoloop-{os.getuid()}-{tag.replace('/', '-').replace(':', '-')}.lock"
    # The folder is everybody's: a link that somebody laid there is not followed.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)

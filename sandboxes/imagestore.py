"""The images we made on an engine: told by our labels, listed, and removed again.

An image that somebody built on one of ours inherits its labels. So ours is only what carries, as a tag, the name that
its label says; and what a build left half done says so in a label that the finished image no longer has.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from sandboxes.connection import engine_errors
from sandboxes.contract import Record

if TYPE_CHECKING:
    from docker import DockerClient

log = logging.getLogger(__name__)
REPOSITORY = "hypoloop/lab"
BASE_REPOSITORY = "hypoloop/base"
IMAGE = "hypoloop.image"
UNFINISHED = "hypoloop.unfinished"
RECIPE_LABEL = "hypoloop.recipe"


class LabImage(Record):
    """An image that we made and this engine has. `base` names the image it stands on, with its id."""

    tag: str
    image_id: str
    base: str
    size_mb: float
    installed: tuple[str, ...]


class Kept(Record):
    """An image of ours that was not removed, and why."""

    tag: str
    why: str


class Pruned(Record):
    """What was removed, by tag, half-built ones by id; and what was kept."""

    removed: tuple[str, ...]
    kept: tuple[Kept, ...]


def list_images(client: DockerClient) -> tuple[LabImage, ...]:
    """Return the images that we made on this engine, by tag.

    Raises:
        SandboxError: the engine does not say.
    """
    with engine_errors("list its images"):
        found = client.images.list(filters={"label": IMAGE})
    ours = [
        LabImage(
            tag=tag,
            image_id=str(image.id),
            base=image.labels.get("hypoloop.base", ""),
            size_mb=round(image.attrs["Size"] / 2**20, 1),
            installed=tuple(json.loads(image.labels.get("hypoloop.installed", "[]"))),
        )
        for image in found
        for tag in sorted(set(map(short, image.tags)))
        if tag == image.labels[IMAGE]
    ]
    return tuple(sorted(ours, key=lambda image: image.tag))


def prune(client: DockerClient, needed: Collection[str] | None) -> Pruned:
    """Remove the images of ours whose tag is not `needed` (None: none is), and what builds left half done.

    Kept besides are images that a container uses, running or not, and those that a kept one stands on.

    Raises:
        SandboxError: the engine fails.
    """
    images = list_images(client)
    kept = _to_keep(images, needed or (), _in_use(client))
    removed: list[str] = []
    for image in sorted(images, key=lambda image: image.tag.startswith(BASE_REPOSITORY)):  # bases after what is on them
        if image.tag in kept:
            continue
        why = _removed(client, image.tag)
        if why is None:
            removed.append(image.tag)
        else:
            kept[image.tag] = why
    return Pruned(
        removed=(*removed, *remove_leftovers(client)), kept=tuple(Kept(tag=tag, why=kept[tag]) for tag in sorted(kept))
    )


def remove_leftovers(client: DockerClient, tag: str | None = None) -> tuple[str, ...]:
    """Remove what builds, or those of `tag` alone, left half done; return their ids. None may be under way.

    Raises:
        SandboxError: the engine fails.
    """
    with engine_errors("look for what builds left half done"):
        found = client.images.list(filters={"dangling": True, "label": UNFINISHED})
    half_done = [image for image in found if image.labels[UNFINISHED] and tag in (None, image.labels[UNFINISHED])]
    return tuple(str(image.id) for image in half_done if _removed(client, str(image.id)) is None)


def _to_keep(images: Iterable[LabImage], needed: Collection[str], used: Collection[str]) -> dict[str, str]:
    """Return the tags that must stay, and why."""
    by_id = {image.image_id: image for image in images}
    kept: dict[str, str] = {}
    for image in by_id.values():
        if _bare(image.image_id) in used:
            kept[image.tag] = "a container uses it"
        elif image.tag in needed:
            kept[image.tag] = "a template needs it"
    waiting = [image for image in by_id.values() if image.tag in kept]
    while waiting:
        image = waiting.pop()
        below = by_id.get(image.base.rpartition("@")[2])
        if below is not None and below.tag not in kept:
            kept[below.tag] = f"{image.tag} stands on it"
            waiting.append(below)
    return kept


def _in_use(client: DockerClient) -> set[str]:
    with engine_errors("list its containers"):
        return {_bare(found["ImageID"]) for found in client.api.containers(all=True)}


def _removed(client: DockerClient, name: str) -> str | None:
    """Remove an image without force; return why the engine would not, None when it is gone."""
    from docker.errors import APIError, ImageNotFound

    with engine_errors(f"remove the image {name}"):
        try:
            client.images.remove(name)
        except ImageNotFound:
            return None
        except APIError as problem:
            if problem.status_code != 409:
                raise
            return str(problem.explanation)
    return None


def short(tag: str) -> str:
    """Return a tag without the registry that Podman puts before it."""
    return tag.removeprefix("docker.io/").removeprefix("localhost/")


def _bare(image_id: Any) -> str:
    return str(image_id).removeprefix("sha256:")

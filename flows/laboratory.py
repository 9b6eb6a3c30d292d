"""The laboratory: which sandbox a campaign runs in, whether it may, and the image it runs on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from flows.errors import BackendChanged
from flows.settings import CampaignSpec
from flows.soundness import require_device, require_sound
from sandboxes.backends import CONTAINERS, connect_to, open_sandbox
from sandboxes.contract import Capabilities, Hold, Promise, Sandbox
from sandboxes.devices import Devices, visible_gpus
from sandboxes.docker import DockerOptions
from sandboxes.errors import ImageMissing, SandboxError, SandboxRefused
from sandboxes.images import ImageSpec, build, resolve
from sandboxes.requirements import require
from templates.template import Template

AUTO = ("docker", "bubblewrap", "process")


@dataclass(frozen=True)
class Laboratory:
    """A sandbox that is ready, the devices it may hand out, the image id (None without images), and what to know."""

    sandbox: Sandbox
    backend: str
    image_id: str | None
    devices: Devices
    notices: tuple[str, ...] = ()


@contextmanager
def open_laboratory(
    spec: CampaignSpec, template: Template, before: str, home: Path, model_written: bool, image: str | None = None
) -> Iterator[Laboratory]:
    """Open the sandbox that the campaign asks for and clear what dead owners left behind.

    `before` is the backend that the campaign began with, empty for a new one; `model_written` says whether a model
    writes the code; `image` is the id of the image that is wanted, if the engine has it, whatever would be built now.

    Raises:
        EngineUnavailable: the backend is asked for, or was used before, and does not answer.
        BackendChanged: a campaign does not go on in another sandbox than it began in.
        SandboxRefused: the code is a model's, and the sandbox does not isolate.
        SandboxLacks: the template requires what the sandbox does not hold.
        SandboxUnsound: the sandbox failed its self-check.
    """
    wanted = before or spec.sandbox
    if before and spec.sandbox not in ("auto", before):
        raise BackendChanged(spec.name, before, spec.sandbox)
    laboratory = _opened(spec, wanted)
    try:
        offered = laboratory.sandbox.capabilities()
        require(f"Template {template.name!r}", template.manifest.requires, template.manifest.resources, offered)
        notices = (*laboratory.notices, *_weakness(spec, offered, model_written))
        image_id = _known(laboratory.backend, image) or _image(laboratory.backend, template)
        laboratory.sandbox.reap()
        require_sound(laboratory.sandbox, image_id, home, spec.runtime)
        require_device(laboratory.sandbox, laboratory.devices, template, image_id)
        yield replace(laboratory, image_id=image_id, notices=notices)
    finally:
        laboratory.sandbox.close()


def _opened(spec: CampaignSpec, wanted: str) -> Laboratory:
    """Return the laboratory in `wanted`, or in the first that this machine has when any will do."""
    if wanted != "auto":
        return _in(spec, wanted)
    reasons: list[str] = []
    for name in AUTO[:-1]:
        try:
            laboratory = _in(spec, name)
        except SandboxError as problem:
            reasons.append(str(problem))
            continue
        return replace(laboratory, notices=(_instead(laboratory),) if reasons else ())
    laboratory = _in(spec, AUTO[-1])
    return replace(laboratory, notices=(_instead(laboratory),))


def _in(spec: CampaignSpec, name: str) -> Laboratory:
    gpus = visible_gpus(os.environ)
    options = DockerOptions(runtime=spec.runtime, gpus=gpus)
    return Laboratory(open_sandbox(name, spec.name, options), name, None, Devices(gpus))


def _instead(laboratory: Laboratory) -> str:
    offered = laboratory.sandbox.capabilities()
    return (
        f"No Docker engine answers, so executions run in the {laboratory.backend} sandbox: {_gaps(offered)}. "
        "Only code that hypoloop itself wrote is run this way."
    )


def _gaps(offered: Capabilities) -> str:
    """Say in words what the sandbox does not enforce."""

    def named(hold: Hold) -> str:
        return ", ".join(promise.replace("_", " ") for promise in Promise if offered.hold(promise) is hold)

    watched, absent = named(Hold.WATCHED), named(Hold.ABSENT)
    return f"it watches {watched or 'nothing'}, and does not hold {absent or 'nothing'}"


def _weakness(spec: CampaignSpec, offered: Capabilities, model_written: bool) -> tuple[str, ...]:
    """Refuse code that nobody vouches for where nothing confines it; say so where the user wants it all the same.

    Raises:
        SandboxRefused: the user did not allow it.
    """
    if not model_written or offered.isolates:
        return ()
    if not spec.allow_weak_sandbox:
        raise SandboxRefused(
            f"A model writes the code of campaign {spec.name!r}, and the {offered.backend} sandbox does not isolate: "
            f"{_gaps(offered)}. Start a Docker engine, or set `allow_weak_sandbox = true` if this machine may be lost."
        )
    return (f"By the user's leave, code that a model wrote runs in the {offered.backend} sandbox: {_gaps(offered)}.",)


def _known(backend: str, image: str | None) -> str | None:
    """Return the id of `image` where the engine has it."""
    if image is None or backend not in CONTAINERS:
        return None
    client = connect_to(backend)
    try:
        return resolve(client, image).image_id
    except ImageMissing:
        return None
    finally:
        client.close()


def _image(backend: str, template: Template) -> str | None:
    if backend not in CONTAINERS:
        return None
    client = connect_to(backend)
    try:
        return build(client, ImageSpec(requirements=template.manifest.image.requirements))
    finally:
        client.close()

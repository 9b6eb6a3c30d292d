"""The laboratory: which sandbox a campaign runs in, and the image it runs on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flows.errors import BackendChanged
from flows.settings import CampaignSpec
from sandboxes.connection import connect
from sandboxes.contract import Sandbox
from sandboxes.docker import DockerSandbox
from sandboxes.errors import EngineUnavailable
from sandboxes.images import ImageSpec, build
from sandboxes.process import ProcessSandbox
from templates.template import Template

WEAK = (
    "No Docker engine answers, so executions run in the process sandbox: it limits time, memory and output, but it "
    "does not shut off network or files. Only code that hypoloop itself wrote is run this way."
)


@dataclass(frozen=True)
class Laboratory:
    """A sandbox that is ready, the image id (None without images), and what the user must know about it."""

    sandbox: Sandbox
    backend: str
    image_id: str | None
    notices: tuple[str, ...] = ()


@contextmanager
def open_laboratory(spec: CampaignSpec, template: Template, before: str) -> Iterator[Laboratory]:
    """Open the sandbox that the campaign asks for and clear what dead owners left behind.

    `before` is the backend that the campaign began with, empty for a new one.

    Raises:
        EngineUnavailable: `docker` is asked for, or was used before, and no engine answers.
        BackendChanged: a campaign does not go on in another sandbox than it began in.
    """
    wanted = before or spec.sandbox
    if before and spec.sandbox not in ("auto", before):
        raise BackendChanged(spec.name, before, spec.sandbox)
    laboratory = _docker(spec, template, wanted) if wanted != "process" else None
    laboratory = laboratory or Laboratory(ProcessSandbox(), "process", None, (WEAK,) if wanted == "auto" else ())
    laboratory.sandbox.reap()
    try:
        yield laboratory
    finally:
        laboratory.sandbox.close()


def _docker(spec: CampaignSpec, template: Template, wanted: str) -> Laboratory | None:
    """Return the docker laboratory; None when no engine answers and any sandbox will do."""
    try:
        client = connect()
    except EngineUnavailable:
        if wanted == "auto":
            return None
        raise
    image_id = build(client, ImageSpec(requirements=template.manifest.image.requirements))
    return Laboratory(DockerSandbox(spec.name), "docker", image_id)

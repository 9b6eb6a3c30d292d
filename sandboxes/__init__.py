"""Where untrusted code runs, and nothing else."""

from sandboxes.bubblewrap import BubblewrapSandbox
from sandboxes.contract import (
    Artifact,
    Capabilities,
    Hold,
    Limits,
    Outcome,
    Prepared,
    Promise,
    Refused,
    RunResult,
    RunSpec,
    Sandbox,
)
from sandboxes.docker import DockerOptions, DockerSandbox
from sandboxes.errors import (
    BubblewrapUnavailable,
    EngineUnavailable,
    ImageBuildFailed,
    ImageMissing,
    SandboxError,
    SandboxLacks,
    SandboxRefused,
    SandboxUnsound,
)
from sandboxes.fake import FakeSandbox
from sandboxes.images import ImageSpec, image_tag
from sandboxes.imagestore import LabImage
from sandboxes.process import ProcessSandbox
from sandboxes.selfcheck import Check, self_check

__all__ = [
    "Artifact",
    "BubblewrapSandbox",
    "BubblewrapUnavailable",
    "Capabilities",
    "Check",
    "DockerOptions",
    "DockerSandbox",
    "EngineUnavailable",
    "FakeSandbox",
    "Hold",
    "ImageBuildFailed",
    "ImageMissing",
    "ImageSpec",
    "LabImage",
    "Limits",
    "Outcome",
    "Prepared",
    "ProcessSandbox",
    "Promise",
    "Refused",
    "RunResult",
    "RunSpec",
    "Sandbox",
    "SandboxError",
    "SandboxLacks",
    "SandboxRefused",
    "SandboxUnsound",
    "image_tag",
    "self_check",
]

"""Where untrusted code runs, and nothing else."""

from sandboxes.contract import (
    Artifact,
    Capabilities,
    Limits,
    Outcome,
    Refused,
    RunResult,
    RunSpec,
    Sandbox,
)
from sandboxes.docker import DockerSandbox
from sandboxes.errors import EngineUnavailable, ImageBuildFailed, ImageMissing, SandboxError, SandboxRefused
from sandboxes.fake import FakeSandbox
from sandboxes.images import ImageSpec, LabImage, image_tag
from sandboxes.process import ProcessSandbox
from sandboxes.selfcheck import Check, self_check

__all__ = [
    "Artifact",
    "Capabilities",
    "Check",
    "DockerSandbox",
    "EngineUnavailable",
    "FakeSandbox",
    "ImageBuildFailed",
    "ImageMissing",
    "ImageSpec",
    "LabImage",
    "Limits",
    "Outcome",
    "ProcessSandbox",
    "Refused",
    "RunResult",
    "RunSpec",
    "Sandbox",
    "SandboxError",
    "SandboxRefused",
    "image_tag",
    "self_check",
]

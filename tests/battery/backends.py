"""The sandboxes that the battery can be run in, and what is said about each."""

from __future__ import annotations

import os
import platform
import subprocess

from sandboxes import ImageSpec, Sandbox, image_tag
from sandboxes.backends import CONTAINERS, connect_to, open_sandbox
from sandboxes.images import build
from tests.conftest import LAB_REQUIREMENTS

TRIED_IN = ("docker", "podman", "bubblewrap")


def opened(name: str) -> Sandbox:
    """Open the sandbox called `name` for the battery.

    Raises:
        SandboxError: this machine cannot use it.
    """
    return open_sandbox(name, f"battery-{os.getpid()}")


def image_for(name: str) -> str | None:
    """Return the image that programs run in, built on first use; None where there are no images."""
    if name not in CONTAINERS:
        return None
    spec = ImageSpec(requirements=LAB_REQUIREMENTS)
    client = connect_to(name)
    build(client, spec)
    client.close()
    return image_tag(spec)


def version(name: str) -> str:
    """Name what is behind the sandbox, and its version."""
    if name not in CONTAINERS:
        return subprocess.run(["bwrap", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    client = connect_to(name)
    about, parts = client.info(), client.version()
    client.close()
    runc = next((part["Version"] for part in parts.get("Components", []) if part["Name"] == "runc"), None)
    runtime = f"runc {runc}, " if runc else ""
    return f"{name} {about['ServerVersion']}, {runtime}cgroup v{about.get('CgroupVersion', '1')}"


def machine() -> str:
    """Name the kernel, the processor and the interpreter."""
    return f"Linux {platform.release()} on {platform.machine()}, Python {platform.python_version()}"

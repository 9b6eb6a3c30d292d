"""Packages for an image, installed on the host: the build itself needs no network, address, certificate or secret."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from sandboxes.errors import ImageBuildFailed

INSTALL_TIMEOUT_S = 1800


def install(requirements: Sequence[str], target: Path, python: str, machine: str) -> tuple[str, ...]:
    """Install `requirements` for Linux, `python` ("3.11") and `machine` into `target`; return "name==version" of all.

    Only wheels are taken: a source distribution would run its author's code on this host. The host's own settings
    (pip.conf, PIP_*, proxies, certificates) hold, and none of them reaches the image.

    Raises:
        ImageBuildFailed: no installer here, or it could not find or fetch a wheel.
    """
    command = [*_installer(), "--quiet", "--target", str(target), "--only-binary=:all:", "--python-version", python]
    command += [*_platform(machine), *requirements]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=INSTALL_TIMEOUT_S)
    except subprocess.TimeoutExpired as problem:
        raise ImageBuildFailed(f"Installing {', '.join(requirements)} took over {INSTALL_TIMEOUT_S} s.") from problem
    if done.returncode != 0:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-12:])
        raise ImageBuildFailed(f"The image's packages ({', '.join(requirements)}) could not be installed:\n{said}")
    shutil.rmtree(target / "bin", ignore_errors=True)  # their scripts name this host's interpreter
    return tuple(sorted(_name(info) for info in target.glob("*.dist-info")))


def _installer() -> list[str]:
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is not None:
        return [uv, "pip", "install", "--compile-bytecode"]
    raise ImageBuildFailed("Neither pip nor uv is here to fetch the image's packages. `python -m ensurepip` adds pip.")


def _platform(machine: str) -> list[str]:
    """Name the wheels' platform where it is not this host's own."""
    import platform

    if sys.platform == "linux" and platform.machine() == machine:
        return []
    if "pip" not in _installer():
        return ["--python-platform", f"{machine}-manylinux_2_28"]
    tags = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")
    return [word for tag in tags for word in ("--platform", f"{tag}_{machine}")]


def _name(info: Path) -> str:
    name, _, version = info.name.removesuffix(".dist-info").rpartition("-")
    return f"{name}=={version}"

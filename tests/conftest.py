"""Fixtures that tests of several packages share: the Docker engine and the image that workloads run in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from sandboxes.errors import EngineUnavailable
from tests.no_endpoints import no_real_endpoints  # noqa: F401 - a fixture that holds for all tests

if TYPE_CHECKING:
    from docker import DockerClient

LAB_REQUIREMENTS = ("numpy", "gymnasium")


@pytest.fixture(scope="session")
def engine() -> Iterator[DockerClient]:
    """A client of the Docker engine; without one the test is skipped, or fails where an engine is required."""
    from sandboxes.connection import connect

    try:
        client = connect()
    except EngineUnavailable as problem:
        if os.environ.get("HYPOLOOP_REQUIRE_DOCKER") == "1":
            pytest.fail(f"HYPOLOOP_REQUIRE_DOCKER=1, but: {problem}")
        pytest.skip(f"no Docker engine answers: {problem.why}")
    yield client
    client.close()


@pytest.fixture(scope="session")
def lab_image(engine: DockerClient) -> str:
    """The tag of an image with numpy and gymnasium, built on first use."""
    from sandboxes.images import ImageSpec, build, image_tag

    spec = ImageSpec(requirements=LAB_REQUIREMENTS)
    build(engine, spec)
    return image_tag(spec)

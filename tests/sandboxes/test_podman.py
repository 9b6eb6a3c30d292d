from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandboxes import (
    DockerOptions,
    DockerSandbox,
    Hold,
    Outcome,
    Promise,
    SandboxError,
    SandboxRefused,
    images,
    self_check,
)
from sandboxes.backends import connect_to, open_sandbox
from sandboxes.errors import EngineUnavailable
from sandboxes.images import ImageSpec, build, image_tag
from sandboxes.imagestore import UNFINISHED, list_images, prune
from sandboxes.podman import adds
from sandboxes.profile import NO_NEW_PRIVILEGES as NO_NEW
from tests.sandboxes.contract_suite import RealSandboxContract
from tests.sandboxes.lab import Lab
from tests.sandboxes.podman_service import podman_service, require_podman

if TYPE_CHECKING:
    from docker import DockerClient

SPEC = ImageSpec(base="host")


@pytest.fixture(scope="session")
def podman() -> Iterator[str]:
    """The address of a Podman service of our own."""
    require_podman()
    with podman_service(Path(tempfile.mkdtemp(prefix="hl-podman-"))) as url:  # a socket's path must be short
        yield url


@pytest.fixture(scope="session")
def podman_engine(podman: str) -> Iterator[DockerClient]:
    client = connect_to("podman", podman)
    yield client
    client.close()


@pytest.fixture(scope="session")
def podman_image(podman_engine: DockerClient) -> str:
    return build(podman_engine, SPEC)


@pytest.mark.docker
class TestPodman(RealSandboxContract):
    @pytest.fixture
    def sandbox(self, podman: str, podman_engine: DockerClient) -> Iterator[DockerSandbox]:
        sandbox = DockerSandbox("test-podman", DockerOptions(backend="podman", base_url=podman))
        yield sandbox
        sandbox.close()
        assert podman_engine.api.containers(all=True) == []
        assert podman_engine.volumes.list() == []

    @pytest.fixture
    def image(self, podman_image: str) -> str:
        return podman_image

    def test_its_output_is_watched_and_its_system_calls_are_filtered(self, sandbox: DockerSandbox) -> None:
        said = sandbox.capabilities()
        assert said.backend == "podman"
        assert said.hold(Promise.OUT_BYTES) is said.hold(Promise.OUT_FILES) is Hold.WATCHED
        assert said.hold(Promise.SYSCALLS) is Hold.ENFORCED

    def test_it_holds_every_promise(self, sandbox: DockerSandbox, image: str) -> None:
        assert [check for check in self_check(sandbox, image) if not check.ok] == []

    def test_a_device_is_refused_and_not_dropped(self, lab: Lab) -> None:
        spec = lab.spec("pass", gpus=1).model_copy(update={"gpus": ("0",)})
        result = lab.sandbox.run(spec)
        assert result.outcome is Outcome.UNSUPPORTED
        assert "devices" in result.reason

    def test_usage_is_measured(self, lab: Lab) -> None:
        result = lab.run("x = bytearray(80 << 20)\nfor _ in range(3_000_000): pass")
        assert result.cpu_s is not None
        assert result.peak_memory_mb is not None


@pytest.mark.docker
def test_an_image_is_built_listed_and_pruned_in_podmans_own_store(podman_engine: DockerClient) -> None:
    spec = ImageSpec(base="host", requirements=())
    build(podman_engine, spec)
    (lab,) = [image for image in list_images(podman_engine) if image.tag == image_tag(spec)]
    assert prune(podman_engine, needed={lab.tag}).removed == ()
    assert {kept.tag for kept in prune(podman_engine, needed={lab.tag}).kept} == {lab.tag, lab.base.partition("@")[0]}


@pytest.mark.docker
def test_a_build_that_fails_leaves_nothing_in_podmans_store(
    podman_engine: DockerClient, podman_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, half_done = images._write_context, {"dangling": True, "label": UNFINISHED}

    def broken(target: Path, site: Path, recipe: str) -> None:
        write(target, site, recipe.replace("ENV PATH", 'RUN ["/no-such-program"]\nENV PATH'))

    monkeypatch.setattr(images, "_write_context", broken)
    with monkeypatch.context() as patch:
        patch.setattr(images, "remove_leftovers", lambda client, tag: ())
        with pytest.raises(SandboxError, match="build the image"):
            build(podman_engine, ImageSpec(base=podman_image))
        assert podman_engine.images.list(filters=half_done)  # the planted fault: who does not clean up leaves something
    with pytest.raises(SandboxError, match="build the image"):
        build(podman_engine, ImageSpec(base=podman_image))
    assert podman_engine.images.list(filters=half_done) == []


@pytest.mark.docker
def test_podman_in_dockers_place_is_not_taken_for_docker(podman: str) -> None:
    with pytest.raises(EngineUnavailable, match="is Podman"):
        connect_to("docker", podman)


@pytest.mark.docker
def test_without_our_filter_its_self_check_fails(
    podman: str, podman_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandboxes.podman.Filter.adds", lambda self, limits: adds(limits) | {"security_opt": [NO_NEW]})
    sandbox = open_sandbox("podman", "test-podman", DockerOptions(base_url=podman))
    failed = {check.promise: check.detail for check in self_check(sandbox, podman_image) if not check.ok}
    sandbox.close()
    assert set(failed) == {Promise.SYSCALLS}
    assert "unshare" in failed[Promise.SYSCALLS]


def test_another_runtime_and_a_volume_are_refused_and_not_dropped() -> None:
    with pytest.raises(SandboxRefused, match="podman --runtime runsc"):
        DockerSandbox("x", DockerOptions(backend="podman", runtime="runsc"))
    with pytest.raises(SandboxRefused, match="bind"):
        DockerSandbox("x", DockerOptions(backend="podman", output="volume"))

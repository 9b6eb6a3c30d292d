from __future__ import annotations

import base64
import gzip
import io
import json
import subprocess
import tarfile
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from sandboxes import DockerSandbox, ImageBuildFailed, ImageMissing, ImageSpec, Outcome, image_tag
from sandboxes.hostbase import _Tree
from sandboxes.images import build
from sandboxes.imagestore import list_images
from sandboxes.wheels import install
from tests.sandboxes.lab import Lab
from tests.sandboxes.package_index import CONTENT, PACKAGE, package_index

if TYPE_CHECKING:
    from docker import DockerClient


def test_the_tag_depends_on_the_set_of_requirements_and_the_base() -> None:
    one = image_tag(ImageSpec(requirements=("numpy", "gymnasium")))
    assert one == image_tag(ImageSpec(requirements=(" gymnasium", "numpy", "numpy")))
    assert one != image_tag(ImageSpec(requirements=("numpy",)))
    assert one != image_tag(ImageSpec(requirements=("numpy", "gymnasium"), base="host"))
    assert one.startswith("hypoloop/lab:")


def test_an_option_is_no_requirement() -> None:
    with pytest.raises(ValidationError, match="option"):
        ImageSpec(requirements=("--index-url=http://elsewhere.invalid",))


def test_only_wheels_are_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        seen.append(command)
        return subprocess.CompletedProcess(command, 1, "", "ERROR: no matching distribution")

    monkeypatch.setattr("sandboxes.wheels.subprocess.run", run)
    with pytest.raises(ImageBuildFailed, match="no matching distribution"):
        install(("numpy",), tmp_path, "3.12", "aarch64")
    assert "--only-binary=:all:" in seen[0]
    assert "manylinux_2_28_aarch64" in seen[0]


def test_every_directory_of_a_base_can_be_walked_by_all(tmp_path: Path) -> None:
    closed = tmp_path / "home/prefix/bin/python"
    closed.parent.mkdir(parents=True)
    closed.write_text("binary", encoding="utf-8")
    closed.chmod(0o700)
    (tmp_path / "home").chmod(0o700)
    with tarfile.open(tmp_path / "base.tar", "w") as archive:
        _Tree(archive).copy(closed, "root/.pyenv/bin/python")
    with tarfile.open(tmp_path / "base.tar") as archive:
        modes = {member.name: member.mode for member in archive}
        owners = {member.uid for member in archive}
    assert modes == {"root": 0o755, "root/.pyenv": 0o755, "root/.pyenv/bin": 0o755, "root/.pyenv/bin/python": 0o755}
    assert owners == {0}


@pytest.mark.docker
def test_an_image_is_built_once_even_by_two_at_a_time(engine: DockerClient) -> None:
    spec = ImageSpec(base="host")
    before = {image.tag for image in list_images(engine)}
    said: list[str] = []
    ids: list[str] = []
    threads = [threading.Thread(target=lambda: ids.append(build(engine, spec, said.append))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 3
    assert len(set(ids)) == 1
    assert len([line for line in said if line.startswith("building")]) == (image_tag(spec) not in before)
    assert image_tag(spec) in {image.tag for image in list_images(engine)}


@pytest.mark.docker
def test_an_image_on_an_image_that_the_engine_has(engine: DockerClient, lab_image: str, tmp_path: Path) -> None:
    spec = ImageSpec(base=lab_image)
    build(engine, spec)
    sandbox = DockerSandbox("test-images")
    try:
        result = Lab(sandbox, image_tag(spec), tmp_path).run("import numpy; print(numpy.arange(3).sum())")
        assert result.outcome is Outcome.OK
        assert result.log_head == "3\n"
    finally:
        sandbox.close()
        engine.images.remove(image_tag(spec))


@pytest.mark.docker
def test_a_base_that_nobody_has_is_named(engine: DockerClient) -> None:
    with pytest.raises(ImageMissing, match="never-made"):
        build(engine, ImageSpec(base="hypoloop/base:never-made"))


@pytest.mark.docker
def test_nothing_of_the_hosts_package_settings_is_in_the_image(
    engine: DockerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, password, certificate = "canary-user", "canary-password", tmp_path / "canary-authority.pem"
    certificate.write_text("canary-of-the-authority", encoding="utf-8")
    with package_index(user, password) as address:
        for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX"):
            monkeypatch.setenv(name, address)
        for name in ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
            monkeypatch.setenv(name, str(certificate))
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            monkeypatch.setenv(name, "http://canary-proxy:canary-proxy-password@127.0.0.1:9")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        spec = ImageSpec(requirements=(PACKAGE,), base="host")
        image = engine.images.get(build(engine, spec))
    try:
        (listed,) = [each for each in list_images(engine) if each.tag == image_tag(spec)]
        assert listed.installed == (f"{PACKAGE}==1.0",)
        saved = b"".join(unpacked(image.save()))
        assert CONTENT.encode() in saved  # what is in a layer is found
        assert PACKAGE.encode() in saved
        assert b"canary" not in saved
        assert base64.b64encode(f"{user}:{password}".encode()) not in saved
        told = json.dumps([image.history(), image.attrs])
        assert "canary" not in told
        assert address.rpartition("@")[2] not in told + saved.decode("latin-1")
        assert [entry.partition("=")[0] for entry in image.attrs["Config"]["Env"]] == ["PATH"]
    finally:
        engine.images.remove(image_tag(spec))


def unpacked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield every file of a saved image, layers that are compressed in the clear."""
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file is not None:
                data = file.read()
                yield gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


@pytest.mark.docker
def test_the_image_holds_its_packages_and_no_secret_files(engine: DockerClient, lab_image: str, tmp_path: Path) -> None:
    sandbox = DockerSandbox("test-images")
    program = """
        import os, ssl, sqlite3, ctypes, lzma, numpy, gymnasium
        for folder, _, files in os.walk("/"):
            if not folder.startswith(("/proc", "/sys", "/lab")):
                for file in files:
                    print(os.path.join(folder, file))
    """
    result = Lab(sandbox, lab_image, tmp_path).run(program, log_mb=16)
    sandbox.close()
    assert result.outcome is Outcome.OK, result.log_head
    listed = {PurePosixPath(line).name for line in (result.log_head + result.log_tail).splitlines()}
    assert not listed & {"pip.conf", "ca-certificates.crt", ".netrc", "direct_url.json", "id_rsa", "shadow"}
    (found,) = [image for image in list_images(engine) if image.tag == lab_image]
    assert any(package.startswith("numpy==") for package in found.installed)

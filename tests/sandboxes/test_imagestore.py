from __future__ import annotations

import io
import secrets
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sandboxes import ImageSpec, SandboxError, image_tag, images
from sandboxes.images import build
from sandboxes.imagestore import UNFINISHED, LabImage, _to_keep, list_images, prune, remove_leftovers

if TYPE_CHECKING:
    from docker import DockerClient


def planted(engine: DockerClient, recipe: str, tag: str | None) -> str:
    """Build what somebody else might have built; return its id."""
    text = recipe.encode()
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as archive:
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
    context.seek(0)
    image, _ = engine.images.build(fileobj=context, custom_context=True, tag=tag, rm=True, forcerm=True)
    return str(image.id)


@pytest.fixture
def others(engine: DockerClient, lab_image: str) -> set[str]:
    """The images of ours that are not this test's: a run elsewhere on this engine may need them."""
    return {image.tag for image in list_images(engine)}


@pytest.fixture
def ours(engine: DockerClient, lab_image: str, others: set[str]) -> Iterator[str]:
    """An image of ours that nobody needs, on a tag of the test's own."""
    spec = ImageSpec(base=engine.images.get(lab_image).id)
    build(engine, spec)
    yield image_tag(spec)
    with suppress(Exception):
        engine.images.remove(image_tag(spec))


def ids(engine: DockerClient) -> set[str]:
    return {str(image.id) for image in engine.images.list(all=True)}


@pytest.mark.docker
def test_what_nobody_needs_goes_and_what_is_not_ours_stays(engine: DockerClient, ours: str, others: set[str]) -> None:
    mark = secrets.token_hex(4)
    foreign = planted(engine, f"FROM {ours}\nLABEL of={mark}\n", f"somebody-else/derived:{mark}")
    dangling = planted(engine, f"FROM {ours}\nLABEL of={mark} and=untagged\n", None)
    posing = planted(engine, f"FROM {ours}\nLABEL of={mark} and=posing\n", f"hypoloop/lab:{mark}")
    try:
        pruned = prune(engine, needed=others)
        assert ours in pruned.removed
        assert not others & set(pruned.removed)
        assert {foreign, dangling, posing} <= ids(engine)
        assert f"hypoloop/lab:{mark}" not in {image.tag for image in list_images(engine)}
        assert ours not in {tag for image in engine.images.list() for tag in image.tags}
    finally:
        for image in (foreign, dangling, posing):
            engine.images.remove(image, force=True)


@pytest.mark.docker
def test_what_a_template_needs_stays_with_the_base_under_it(engine: DockerClient, ours: str, others: set[str]) -> None:
    pruned = prune(engine, needed={*others, ours})
    assert ours not in pruned.removed
    assert {kept.tag: kept.why for kept in pruned.kept}[ours] == "a template needs it"


@pytest.mark.docker
def test_an_image_in_use_stays(engine: DockerClient, ours: str, others: set[str]) -> None:
    container = engine.containers.create(ours, ["true"])
    try:
        pruned = prune(engine, needed=others)
        assert ours not in pruned.removed
        assert {kept.tag: kept.why for kept in pruned.kept}[ours] == "a container uses it"
    finally:
        container.remove()


@pytest.mark.docker
def test_a_build_that_fails_leaves_nothing(
    engine: DockerClient, lab_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = images._write_context

    def broken(target: Path, site: Path, recipe: str) -> None:
        write(target, site, recipe.replace("ENV PATH", 'RUN ["/no-such-program"]\nENV PATH'))

    monkeypatch.setattr(images, "_write_context", broken)
    spec = ImageSpec(base=engine.images.get(lab_image).id)
    with pytest.raises(SandboxError, match="build the image"):
        build(engine, spec)
    assert half_done(engine, image_tag(spec)) == []


@pytest.mark.docker
def test_what_a_killed_build_left_is_pruned(
    engine: DockerClient, lab_image: str, others: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    test = test_a_build_that_fails_leaves_nothing
    monkeypatch.setattr(images, "remove_leftovers", lambda client, tag: ())
    with pytest.raises(AssertionError):  # the planted fault: who does not clean up leaves something
        test(engine, lab_image, monkeypatch)
    tag = image_tag(ImageSpec(base=engine.images.get(lab_image).id))
    (left,) = half_done(engine, tag)
    assert left in prune(engine, needed=others).removed
    assert half_done(engine, tag) == []
    assert remove_leftovers(engine, tag) == ()


def half_done(engine: DockerClient, tag: str) -> list[str]:
    found: list[Any] = engine.images.list(filters={"dangling": True, "label": f"{UNFINISHED}={tag}"})
    return [str(image.id) for image in found]


def test_all_that_a_kept_image_stands_on_is_kept() -> None:
    def image(name: str, base: str = "") -> LabImage:
        return LabImage(tag=name, image_id=f"id-{name}", base=f"{base}@id-{base}", size_mb=1, installed=())

    known = (image("top", "middle"), image("middle", "bottom"), image("bottom"), image("other", "bottom"))
    assert set(_to_keep(known, {"top"}, set())) == {"top", "middle", "bottom"}
    assert _to_keep(known, (), {"id-other"}) == {"other": "a container uses it", "bottom": "other stands on it"}
    assert _to_keep(known, (), set()) == {}

"""The image that a claim is run again on: the recorded one where the engine still has it, else one made anew."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flows import laboratory
from flows.bundle.facts import image_of
from flows.laboratory import open_laboratory
from flows.settings import CampaignSpec
from sandboxes.images import ImageSpec, build
from templates.template import Template
from tests.templates.making import make

if TYPE_CHECKING:
    from docker import DockerClient

pytestmark = pytest.mark.docker


@pytest.fixture
def template(tmp_path: Path) -> Template:
    return Template(make(tmp_path))


@pytest.fixture
def spec(monkeypatch: pytest.MonkeyPatch) -> CampaignSpec:
    monkeypatch.setattr(laboratory, "require_sound", lambda *_: None)  # Checked elsewhere; it takes seconds.
    return CampaignSpec(name="again", template="coin", sandbox="docker")


def test_the_recorded_image_is_used_where_the_engine_has_it(
    engine: DockerClient, lab_image: str, template: Template, spec: CampaignSpec, tmp_path: Path
) -> None:
    recorded = str(engine.images.get(lab_image).id)
    assert build(engine, ImageSpec()) != recorded, "or the test shows nothing"
    with open_laboratory(spec, template, "", tmp_path, False, recorded) as found:
        assert found.image_id == recorded


def test_an_image_that_is_gone_is_made_anew(
    engine: DockerClient, template: Template, spec: CampaignSpec, tmp_path: Path
) -> None:
    gone = "sha256:" + "0" * 64
    with open_laboratory(spec, template, "", tmp_path, False, gone) as found:
        assert found.image_id == build(engine, ImageSpec())
    assert image_of("docker", gone, ()).note == "The engine no longer had the image when this was written."


def test_the_recipe_tells_what_the_image_stands_on(engine: DockerClient, lab_image: str) -> None:
    recipe = image_of("docker", str(engine.images.get(lab_image).id), ("numpy", "gymnasium"))
    assert recipe.base is not None
    assert any(line.startswith("numpy==") for line in recipe.installed)
    assert recipe.note == ""

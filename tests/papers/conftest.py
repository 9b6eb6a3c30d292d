"""The sample paper, composed once."""

from __future__ import annotations

import pytest

from agents.team import Dossier
from flows.papers import Composed
from flows.papers.binding import Bindings
from templates.template import Template
from tests.papers import sample
from tests.papers.tiny import template


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return template(tmp_path_factory.mktemp("templates") / "tiny")


@pytest.fixture(scope="session")
def dossier() -> Dossier:
    return sample.dossier()


@pytest.fixture(scope="session")
def bindings(dossier: Dossier, tiny: Template) -> Bindings:
    return Bindings(dossier, tiny.manifest)


@pytest.fixture(scope="session")
def paper(dossier: Dossier, tiny: Template) -> Composed:
    return sample.composed(dossier, tiny)

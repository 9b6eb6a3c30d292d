from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile

import pytest

from agents.literature.library import Added, Library
from agents.literature.reading import seeds
from tests.agents.literature import making


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "home" / "library.db")


@pytest.fixture(scope="session")
def seeding(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Added]:
    """The file of a library of the seeds, and what came of adding them."""
    path = tmp_path_factory.mktemp("seeded") / "library.db"
    return path, Library(path).add(seeds().works)


@pytest.fixture
def seeded(seeding: tuple[Path, Added], tmp_path: Path) -> Library:
    """A library of the seeds, to do with as a test likes."""
    return Library(Path(copyfile(seeding[0], tmp_path / "seeded.db")))


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[making.Index]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with making.index() as playing:
        yield playing

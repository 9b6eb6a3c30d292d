"""Small recorded campaigns and their bundles, made once. Their template lies in the folder `mine` beside them."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from flows import reproducing
from flows.bundle.exporting import export
from tests.bundle.pretended import Machine
from tests.bundle.recorded import NAME, Recorded


@pytest.fixture(scope="session")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """A campaign with a challenged claim and a paper, closed. Not to be changed."""
    root = tmp_path_factory.mktemp("campaign")
    with contextlib.chdir(root):
        return Recorded(root).closed()


@pytest.fixture(scope="session")
def bundle(campaign: Recorded) -> Path:
    """Its bundle."""
    with contextlib.chdir(campaign.root):
        return export(campaign.home, NAME, campaign.root / f"{NAME}.zip", {}).path


@pytest.fixture(scope="session")
def open_one(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """A campaign that has a claim and is still open. Not to be changed."""
    root = tmp_path_factory.mktemp("open")
    with contextlib.chdir(root):
        return Recorded(root).confirmed()


@pytest.fixture(scope="session")
def open_bundle_file(open_one: Recorded) -> Path:
    """Its bundle."""
    with contextlib.chdir(open_one.root):
        return export(open_one.home, NAME, open_one.root / f"{NAME}.zip", {}).path


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorded:
    """A campaign of the test's own, just begun."""
    monkeypatch.chdir(tmp_path)
    return Recorded(tmp_path)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    machine = Machine()
    monkeypatch.setattr(reproducing, "open_laboratory", machine.open)
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    return machine


@pytest.fixture
def at(campaign: Recorded, monkeypatch: pytest.MonkeyPatch) -> Recorded:
    """The recorded campaign, with its template in reach."""
    monkeypatch.chdir(campaign.root)
    return campaign

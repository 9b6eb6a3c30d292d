"""One played campaign for all, and copies of it for those who spoil it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.played.playing import Played


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """A campaign with a narrowed claim, a combination and its ablations, closed. Not to be changed."""
    return Played(tmp_path_factory.mktemp("played")).play()


@pytest.fixture(scope="session")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """A campaign after its first round, open. Not to be changed."""
    return Played(tmp_path_factory.mktemp("begun")).play(rounds=1)


@pytest.fixture
def spoiled(played: Played, tmp_path: Path) -> Played:
    """A copy of the closed campaign; its template stays where it is."""
    return copied(played, tmp_path)


def copied(of: Played, root: Path) -> Played:
    """Copy a campaign's folder, but for what can be made again."""
    shutil.copytree(of.folder, root / "home" / "campaigns" / of.folder.name, ignore=shutil.ignore_patterns("sources"))
    return Played(root, made_by=of)

"""The honest campaign, and the hostile ones between which every payload comes to every place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.injection.payloads import payloads
from tests.injection.places import Planted
from tests.injection.playing import Ended, play

PARTS = 2


@pytest.fixture(scope="session")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """The campaign into which nobody put anything."""
    return play(tmp_path_factory.mktemp("honest") / "h", Planted({}))


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ended, ...]:
    """Campaigns with payloads in every place; each payload is in each place in one of them."""
    root: Path = tmp_path_factory.mktemp("hostile")
    return tuple(play(root / str(part), Planted.of(payloads(), part, PARTS)) for part in range(PARTS))

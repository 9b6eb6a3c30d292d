"""One copilot campaign for all who look at what people did in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.played.playing import Played


@pytest.fixture(scope="session")
def steered(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """A campaign of which a person rejected the first idea and the first plan. Not to be changed."""
    from tests.flows.asking import Asked, embedded, rejects_first

    played = embedded(tmp_path_factory.mktemp("steered"))
    with Asked({"ideas": rejects_first, "plans": rejects_first}).here():
        return played.play()

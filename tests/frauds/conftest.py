"""One ground for all: the campaigns that cases copy are played once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.frauds.cases import Ground
from tests.frauds.running import ground


@pytest.fixture(scope="session")
def on() -> Iterator[Ground]:
    with ground() as made:
        yield made

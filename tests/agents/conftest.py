from __future__ import annotations

from pathlib import Path

import pytest

from templates.template import Template
from tests.agents import making


@pytest.fixture
def tiny(tmp_path: Path) -> Template:
    """A template with three knobs and two interventions."""
    return making.template(tmp_path / "tiny")

"""The campaign file that `init` writes is one that `run` takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from flows.commands.campaigns import init
from flows.settings import read_spec


@pytest.mark.parametrize(("team", "models"), [("embedded", []), ("llm", ["default"])])
def test_what_is_written_can_be_run(team: str, models: list[str], tmp_path: Path) -> None:
    path = tmp_path / "campaign.toml"
    done = CliRunner().invoke(init, [str(path), "--team", team], obj=str(tmp_path))
    assert done.exit_code == 0, done.output
    spec = read_spec(path, {})
    assert spec.team == team
    assert list(spec.models) == models
    assert (spec.budget.money is not None) == bool(models)

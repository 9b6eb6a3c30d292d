"""A campaign file is validated with the line of its fault, and the environment overrides it."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.errors import SettingsInvalid
from flows.settings import CampaignSpec, home_folder, overridden, read_spec

GOOD = """\
name = "first"
template = "boltzmann-sampling"
seed = 4

[budget]
rounds = 3
plans_per_round = 2
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "campaign.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_file_is_read(tmp_path: Path) -> None:
    spec = read_spec(written(tmp_path, GOOD), {})
    assert (spec.name, spec.seed, spec.budget.rounds, spec.horizon) == ("first", 4, 3, 6)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("seed = 4", "sead = 4", "line 3"),
        ("seed = 4", 'seed = "four"', "line 3"),
        ("rounds = 3", "rounds = 0", "line 6"),
        ("rounds = 3", "round = 3", "line 6"),
        ('name = "first"', 'name = "No Spaces"', "line 1"),
        ("[budget]", "[budget", "line 5"),
        ('template = "boltzmann-sampling"\n', "", "template"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(SettingsInvalid, match=says):
        read_spec(written(tmp_path, GOOD.replace(old, new)), {})


def test_a_missing_file_names_the_next_command(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="hypoloop init"):
        read_spec(tmp_path / "nosuch.toml", {})


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    environ = {"HYPOLOOP__BUDGET__ROUNDS": "5", "HYPOLOOP__SEED": "9", "HYPOLOOP_HOME": "/elsewhere"}
    spec = read_spec(written(tmp_path, GOOD), environ)
    assert (spec.budget.rounds, spec.seed, spec.budget.plans_per_round) == (5, 9, 2)


def test_overriding_leaves_the_original_alone() -> None:
    values = {"budget": {"rounds": 1}}
    overridden(values, {"HYPOLOOP__BUDGET__ROUNDS": "2"})
    assert values == {"budget": {"rounds": 1}}


def test_an_override_that_is_wrong_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"budget\.rounds"):
        read_spec(written(tmp_path, GOOD), {"HYPOLOOP__BUDGET__ROUNDS": "many"})


def test_the_home_is_what_is_given_else_the_variable_else_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HYPOLOOP_HOME", raising=False)
    assert home_folder() == tmp_path / ".hypoloop"
    monkeypatch.setenv("HYPOLOOP_HOME", str(tmp_path / "a"))
    assert home_folder() == tmp_path / "a"
    assert home_folder(str(tmp_path / "b")) == tmp_path / "b"


def test_slots_default_to_the_cores_this_process_may_use() -> None:
    spec = CampaignSpec(name="a", template="b")
    assert spec.slot_count() >= 1
    assert spec.model_copy(update={"slots": 7}).slot_count() == 7

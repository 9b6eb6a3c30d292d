from __future__ import annotations

import pytest

from agents.errors import AgentError, TeamUnknown
from agents.team import Team
from agents.teams import load_team, model_writes


def test_the_embedded_team_says_what_it_is() -> None:
    team: Team = load_team("embedded")
    assert team.name == "embedded"


def test_a_team_that_does_not_ship_is_refused_with_what_does() -> None:
    with pytest.raises(TeamUnknown, match="embedded, llm") as caught:
        load_team("oracle")
    assert isinstance(caught.value, AgentError)


def test_a_team_that_thinks_by_models_needs_something_to_work_with() -> None:
    assert model_writes("llm")
    assert not model_writes("embedded")
    with pytest.raises(ValueError, match="needs a bench"):
        load_team("llm")

from __future__ import annotations

import pytest

from agents.errors import AgentError, TeamUnknown
from agents.team import Team
from agents.teams import load_team


def test_the_embedded_team_says_what_it_is() -> None:
    team: Team = load_team("embedded")
    assert team.name == "embedded"


def test_a_team_that_does_not_ship_is_refused_with_what_does() -> None:
    with pytest.raises(TeamUnknown, match="embedded") as caught:
        load_team("llm")
    assert isinstance(caught.value, AgentError)

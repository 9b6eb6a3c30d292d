"""Which teams ship, and how to get one by name."""

from __future__ import annotations

from agents.errors import TeamUnknown
from agents.team import Team

TEAMS = ("embedded",)


def load_team(name: str) -> Team:
    """Return the team `name`.

    Raises:
        TeamUnknown: this version has no such team.
    """
    if name != "embedded":
        raise TeamUnknown(name, TEAMS)
    # Its patcher brings a parser along, which commands that only print must not pay for.
    from agents.embedded.team import EmbeddedTeam

    return EmbeddedTeam()

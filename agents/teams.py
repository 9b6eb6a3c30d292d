"""Which teams ship, and how to get one by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.errors import TeamUnknown
from agents.team import Team

if TYPE_CHECKING:
    from agents.llm.team import Workbench

EMBEDDED, LLM = "embedded", "llm"
TEAMS = (EMBEDDED, LLM)


def model_writes(name: str) -> bool:
    """Say whether a model writes the code of the team `name`, so that nobody vouches for it.

    Raises:
        TeamUnknown: this version has no such team.
    """
    if name not in TEAMS:
        raise TeamUnknown(name, TEAMS)
    return name == LLM


def load_team(name: str, bench: Workbench | None = None) -> Team:
    """Return the team `name`; one that thinks by models works at `bench`, the embedded team needs none.

    Raises:
        TeamUnknown: this version has no such team.
        ValueError: the team needs a bench and got none.
    """
    # Each brings along what commands that only print must not pay for.
    if not model_writes(name):
        from agents.embedded.team import EmbeddedTeam

        return EmbeddedTeam()
    from agents.llm.team import LlmTeam

    if bench is None:
        raise ValueError(f"Team {name!r} needs a bench to work at.")
    return LlmTeam(bench)

"""Errors of the agents' floor.

AgentError                   the team could not do what it was asked
├── PatchFailed              a factor cannot be put into this source
└── TeamUnknown              no team of this name ships with hypoloop
"""

from collections.abc import Sequence


class AgentError(Exception):
    """The team could not do what it was asked."""


class PatchFailed(AgentError):
    """A factor cannot be put into this source: the template and its baseline do not fit each other."""


class TeamUnknown(AgentError):
    """No team of this name ships with hypoloop."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        """Name what was asked for and what there is."""
        self.name = name
        super().__init__(
            f"There is no team {name!r}. This version has: {', '.join(known)}. Set `team` to one of these."
        )

"""Errors of the search package.

SearchError
└── StrategyUnknown    no strategy of this name
"""

from collections.abc import Iterable


class SearchError(Exception):
    """The search cannot go on."""


class StrategyUnknown(SearchError):
    """No strategy of this name."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        """Name what was asked for and what there is."""
        self.name = name
        super().__init__(
            f"There is no strategy {name!r}. Known: {', '.join(sorted(known))}. Set `strategy` in the campaign file."
        )

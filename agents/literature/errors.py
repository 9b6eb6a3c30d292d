"""Errors of the literature.

LibraryError
├── LibraryBroken      the file of the library cannot be used
├── EntryUnknown       no work of this name is in the library
├── SourceUnreadable   a file cannot be read as literature
└── FetchFailed        an index gave nothing that can be used
"""

from __future__ import annotations

from pathlib import Path

from agents.errors import AgentError


class LibraryError(AgentError):
    """The library could not do what it was asked."""


class LibraryBroken(LibraryError):
    """The file of the library cannot be used."""

    def __init__(self, path: Path, why: str) -> None:
        """Name the file and what is wrong with it."""
        self.path, self.why = path, why
        super().__init__(
            f"The library {path} cannot be used: {why}. If it is not needed, move it away and add the works again."
        )


class EntryUnknown(LibraryError):
    """No work of this name is in the library."""

    def __init__(self, name: str) -> None:
        """Name what was asked for."""
        self.name = name
        super().__init__(f"The library has no work {name!r}. `hypoloop library search WORDS` finds works by content.")


class SourceUnreadable(LibraryError):
    """A file cannot be read as literature."""

    def __init__(self, path: Path | str, why: str) -> None:
        """Name the file and say why."""
        self.path, self.why = path, why
        super().__init__(f"{path} {why}")


class FetchFailed(LibraryError):
    """An index gave nothing that can be used. The sentence is empty when it was said before."""

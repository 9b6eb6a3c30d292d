"""References: the entries of a `references.bib`, and which of them their own authors or journals disown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

ENTRY = re.compile(r"^\s*@(?!comment|string|preamble)\w+\s*\{\s*([^,\s]+)\s*,", re.IGNORECASE | re.MULTILINE)
DISOWNED = re.compile(
    r"\b(?:keywords|note|status)\s*=\s*[{\"][^}\"]*\b(?:disowned|retracted|withdrawn)\b", re.IGNORECASE
)


class Entry(NamedTuple):
    """One work: its key, and whether it is disowned, retracted or withdrawn."""

    key: str
    disowned: bool


def entries(text: str) -> Iterator[Entry]:
    """Yield the works of a bibliography, in order. `keywords`, `note` or `status` say that one is disowned."""
    found = list(ENTRY.finditer(text))
    for index, match in enumerate(found):
        end = found[index + 1].start() if index + 1 < len(found) else len(text)
        yield Entry(match[1], DISOWNED.search(text, match.end(), end) is not None)

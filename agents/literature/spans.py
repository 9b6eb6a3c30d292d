"""Spans: the sentences of an abstract that state what is open, with where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from agents.literature.entry import Entry

ABBREVIATED = r"(?<!\be\.g)(?<!\bi\.e)(?<!\bet al)(?<!\bvs)(?<!\bcf)(?<!\bFig)(?<!\bEq)(?<!\bSec)(?<!\bapprox)"
END = re.compile(rf"{ABBREVIATED}[.!?][\"')\]]*(?=\s+[\"'(\[]?[A-Z0-9]|\s*$)")
CUES = (
    r"\bremain(?:s|ed|ing)?\s+(?:\w+\s+){0,3}?(?:unclear|unknown|open|unsolved|unresolved|elusive|limited|difficult|"
    r"challeng\w+|under-?explored|unexplored|poorly|largely|an?\b)",
    r"\bopen (?:problems?|questions?|challenges?|issues?)\b",
    r"\b(?:major|key|central|significant|long-standing|formidable|fundamental|critical|main|great|grand)"
    r" (?:\w+ )?(?:challenges?|obstacles?|bottlenecks?|barriers?|limitations?)\b",
    r"\bchallenges? (?:is|are|in|for|of|to|remains?)\b",
    r"\bfuture (?:work|research|directions?|studies)\b",
    r"\b(?:little is known|not (?:yet )?(?:well |fully |been )?(?:understood|known|solved|explored|studied)|"
    r"poorly understood|yet to be|under-?explored|understudied|unexplored|unsolved|has received little attention)\b",
    r"\b(?:lack of|lacks? (?:a|an|the|any)|there is no|no (?:existing|prior|previous))\b",
    r"\b(?:fail|fails|failed|struggles?|struggled) to\b",
    r"\b(?:it is|is still|are still) (?:unclear|unknown|an open)\b",
    r"\b(?:suffers? from|limited by|hindered by|hampered by)\b",
)
OPEN = re.compile("|".join(CUES), re.IGNORECASE)


class Span(NamedTuple):
    """A sentence: `entry`'s abstract from `start` to `end`, and the words in it that say that something is open."""

    entry: str
    start: int
    end: int
    text: str
    cue: str


def spans(entry: Entry) -> tuple[Span, ...]:
    """Return the sentences that state an open problem, a limit or a direction, in order."""
    return tuple(
        Span(entry.id, start, end, entry.abstract[start:end], cue[0])
        for start, end in sentences(entry.abstract)
        if (cue := OPEN.search(entry.abstract, start, end))
    )


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the sentences of a text begin and end."""
    start = 0
    for end in [match.end() for match in END.finditer(text)] + [len(text)]:
        begin = start + len(text[start:end]) - len(text[start:end].lstrip())
        if begin < end:
            yield begin, end
        start = end

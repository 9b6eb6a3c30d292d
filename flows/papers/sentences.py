"""Sentences: a draft taken apart, each sentence with the claims, ideas and values that it is bound to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from agents.records import Claim, Draft
from flows.papers.binding import CITATION, REFERENCE

END = re.compile(r"(?<=[.!?])[\"”’)]*\s+(?=[A-Z{“\"(\[])")
MARK = "\N{WHITE SQUARE}"
"""Stands for a bound value in a sentence's words."""


@dataclass(frozen=True)
class Value:
    """A binding in a sentence: its key, and the words before and after it up to the next one."""

    key: str
    before: str
    after: str

    @property
    def kind(self) -> str:
        """What stands before the colon."""
        return self.key.partition(":")[0]

    @property
    def record(self) -> str:
        """The id of the record it is a value of, where its kind has ids."""
        return self.key.partition(":")[2].partition(".")[0]

    @property
    def field(self) -> str:
        """The last step of its path."""
        return re.split(r"[.:]", self.key)[-1]


@dataclass(frozen=True)
class Sentence:
    """One sentence of a draft: `where` it stands, as `text` with bindings, and the `paragraph` it belongs to."""

    where: str
    text: str
    paragraph: str

    @property
    def words(self) -> str:
        """The sentence with every binding as a mark and without its citations."""
        return CITATION.sub("", REFERENCE.sub(MARK, self.text))

    @property
    def values(self) -> tuple[Value, ...]:
        """Every binding, in order."""
        parts = REFERENCE.split(CITATION.sub("", self.text))
        return tuple(Value(parts[i], parts[i - 1], parts[i + 1]) for i in range(1, len(parts), 2))

    def shown(self) -> str:
        """The sentence, short enough to be quoted."""
        flat = " ".join(self.text.split())
        return flat if len(flat) <= 160 else f"{flat[:158]}…"


class Fault(NamedTuple):
    """A sentence that cannot stay as it is, and why, in words that follow the place where it stands."""

    sentence: Sentence
    why: str

    def __str__(self) -> str:
        return f"the {self.sentence.where} {self.why}: {self.sentence.shown()!r}"


def sentences(draft: Draft) -> Iterator[Sentence]:
    """Yield every sentence of a draft: title, abstract, headings and sections."""
    places = [("title", draft.title), ("abstract", draft.abstract)]
    for section in draft.sections:
        places += [(f"heading of {section.key}", section.title), (section.key, section.body)]
    for where, text in places:
        for paragraph in re.split(r"\n\s*\n|\n(?=- )", text):
            yield from (Sentence(where, said, paragraph) for said in END.split(paragraph) if said.strip())


def claims_in(sentence: Sentence, claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """Return the claims that a sentence is bound to: by a value of theirs, of their idea, or of a plan behind them."""
    found: dict[str, Claim] = {}
    for value in sentence.values:
        for claim in claims:
            plans = {claim.plan} | {challenge.plan for challenge in claim.challenges}
            names: Mapping[str, set[str]] = {
                "claim": {claim.id}, "behind": {claim.id}, "idea": {claim.idea}, "plan": plans,
            }  # fmt: skip
            if value.record in names.get(value.kind, ()):
                found[claim.id] = claim
    return tuple(found.values())

"""Striking: sentences that say more than the evidence leave a draft before it is published, whoever wrote it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from agents.records import Claim, Draft
from flows.papers.quoting import misquoted
from flows.papers.sentences import END, Sentence
from flows.papers.wording import unbacked
from templates.manifest import Metric

PLAIN_TITLE = "{template:title}: a report on registered tests"


class Struck(NamedTuple):
    """A draft without what could not stay, and why each of it had to go."""

    draft: Draft
    why: tuple[str, ...]


def struck(draft: Draft, metric: Metric, claims: Sequence[Claim]) -> Struck:
    """Return the draft without the sentences that no verdict backs or that put a number beside the wrong words.

    A title or a heading of that kind gives way to a plain one.
    """
    found = [*unbacked(draft, claims), *misquoted(draft, metric, claims)]
    gone = {(fault.sentence.where, fault.sentence.text) for fault in found}
    if not gone:
        return Struck(draft, ())
    kept = draft.model_copy(
        update={
            "title": PLAIN_TITLE if any(where == "title" for where, _ in gone) else draft.title,
            "abstract": _without(draft.abstract, "abstract", gone),
            "sections": tuple(
                section.model_copy(
                    update={
                        "title": section.key.capitalize()
                        if any(where == f"heading of {section.key}" for where, _ in gone)
                        else section.title,
                        "body": _without(section.body, section.key, gone),
                    }
                )
                for section in draft.sections
            ),
        }
    )
    return Struck(kept, tuple(dict.fromkeys(_why(fault.sentence, fault.why) for fault in found)))


def _without(text: str, where: str, gone: set[tuple[str, str]]) -> str:
    kept = []
    for paragraph in re.split(r"\n\s*\n", text):
        lines = (
            " ".join(said for said in END.split(line) if (where, said) not in gone)
            for line in re.split(r"\n(?=- )", paragraph)
        )
        kept.append("\n".join(line for line in lines if line.strip(" -")))
    return "\n\n".join(paragraph for paragraph in kept if paragraph)


def _why(sentence: Sentence, why: str) -> str:
    return f"A sentence of the {sentence.where} was struck from the paper: it {why}. It read: {sentence.shown()}"

"""Drafting: one place of a paper at a time, held against the rules of papers and against what a reviewer looks for.

The rules on bindings, numbers, comparative words and citations belong to whoever renders papers; they come in as
`Faults`. They must be local: what is wrong with a sentence must not depend on other paragraphs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated

from pydantic import Field

from agents.asking import Answer
from agents.embedded.checks import flaws, plain
from agents.embedded.reviser import SENTENCE
from agents.embedded.setting import author_told
from agents.embedded.writer import SECTIONS
from agents.literature.entry import Entry
from agents.llm.evidence import listing, offers, table
from agents.records import Draft, Section
from agents.team import Dossier
from templates.template import Template

Faults = Callable[[Draft], tuple[str, ...]]
"""What is wrong with a draft, one sentence for each fault; nothing when it can be rendered and every word is backed."""

BY = "llm"
OPENING = "opening"
"""The place that holds title and abstract; every other place is a section, called by its key."""
TOLD = 8
"""Faults that a model is told at once."""
LEAST_WORDS = 15
"""A section of fewer words, its faulty sentences taken out, is not worth keeping."""
AUTHOR = (
    "This text was drafted by a language model. Its numbers are bound to records, and sentences that no verdict stands "
    "behind were taken out; no person has checked the argument."
)
INSTEAD = "This part was drafted by the embedded team, because the language model gave no text that could be used."


class Prose(Answer):
    """The text of one place: of the opening, the title and the abstract."""

    title: Annotated[str, Field(min_length=1, max_length=240)]
    body: Annotated[str, Field(min_length=1, max_length=12000)]


def material(
    template: Template, dossier: Dossier, works: Sequence[Entry], cited: Iterable[str] = ()
) -> Mapping[str, object]:
    """Return what every prompt of the writer holds, the same for each of its calls; `cited` may be cited again."""
    inspirations = (key for idea in dossier.ideas for key in idea.inspirations)
    own = dict.fromkeys((*template.manifest.source, *inspirations, *cited), "a work that the experiment builds on")
    named = {work.key: work.title for work in dossier.references}
    read = {work.id: f"{work.title} ({work.year or 'no year'}). {work.abstract[:300]}" for work in works}
    disowned = {work.key for work in dossier.references if work.status} | {work.id for work in works if work.disowned}
    citable = {key: told for key, told in {**own, **named, **read}.items() if key not in disowned}
    return {
        "template": template,
        "table": table(dossier),
        "bindings": listing(offers(template, dossier)),
        "works": "\n".join(f"[@{key}] {told}" for key, told in citable.items()),
    }


def prose_of(draft: Draft, place: str) -> Prose | None:
    """Return what stands in a place, None where there is no such section."""
    if place == OPENING:
        return Prose(title=draft.title, body=draft.abstract)
    return next((Prose(title=s.title, body=s.body) for s in draft.sections if s.key == place), None)


def put(draft: Draft, place: str, prose: Prose) -> Draft:
    """Return the draft with other words in a place."""
    if place == OPENING:
        return draft.model_copy(update={"title": prose.title, "abstract": prose.body})
    new = Section(key=place, title=prose.title, body=prose.body)
    return draft.model_copy(update={"sections": tuple(new if s.key == place else s for s in draft.sections)})


def alone(place: str, prose: Prose) -> Draft:
    """Return a draft in which nothing stands but this."""
    if place == OPENING:
        return Draft(title=prose.title, abstract=prose.body, sections=(), by=BY)
    section = Section(key=place, title=prose.title, body=prose.body)
    return Draft(title="", abstract="", sections=(section,), by=BY)


def objections(dossier: Dossier, before: Draft, place: str, prose: Prose, faults: Faults) -> tuple[str, ...]:
    """Return what is wrong with other words in a place: broken rules, and what a reviewer of the whole now misses."""
    known = {flaw.text for flaw in flaws(dossier, before)}
    missed = [flaw.text for flaw in flaws(dossier, signed(put(before, place, prose))) if flaw.text not in known]
    return tuple(dict.fromkeys((*faults(alone(place, prose)), *missed)))


def told(wrong: Sequence[str]) -> str:
    """Return objections as they are told to a model, empty when there are none."""
    more = f" (and {len(wrong) - TOLD} more)" if len(wrong) > TOLD else ""
    return "; ".join(wrong[:TOLD]) + more


def tidied(place: str, prose: Prose, instead: Prose, faults: Faults) -> Prose | None:
    """Return the words without the sentences that break a rule, None where too little stays.

    A title or heading that breaks one gives way to that of `instead`.
    """

    def wrong(title: str, body: str) -> int:
        return len(faults(alone(place, prose.model_copy(update={"title": title, "body": body}))))

    title = prose.title if not wrong(prose.title, "") else instead.title
    body = without(prose.body, lambda text: wrong("", text))
    if wrong("", body) or len(plain(body).split()) < LEAST_WORDS:
        return None
    return prose.model_copy(update={"title": title, "body": body})


def without(text: str, wrong: Callable[[str], int]) -> str:
    """Return a text without its faulty sentences.

    A sentence stays if nothing is wrong with it alone, or in its paragraph among those of which that is true.
    """
    kept = []
    for paragraph in text.split("\n\n"):
        sentences = SENTENCE.split(paragraph)
        sound = [not wrong(sentence) for sentence in sentences]
        kept.append([
            sentence
            for at, sentence in enumerate(sentences)
            if sound[at] or not wrong(" ".join(s for k, s in enumerate(sentences) if sound[k] or k == at))
        ])  # fmt: skip
    return "\n\n".join(" ".join(sentences) for sentences in kept if sentences)


def signed(draft: Draft) -> Draft:
    """Return the draft with its true author in the limits, in place of what the embedded team says of itself."""
    limits = prose_of(draft, "limits")
    if limits is None:
        return draft
    body = limits.body.replace(author_told(), "").strip()
    if AUTHOR not in body:
        body = f"{body}\n\n{AUTHOR}".strip()
    return put(draft, "limits", limits.model_copy(update={"body": body}))


def heading(place: str) -> str:
    """Return the plain heading of a section."""
    return SECTIONS[place][0] if place in SECTIONS else place.capitalize()

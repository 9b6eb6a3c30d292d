"""Writer: a model drafts the paper section by section; what it says is held against the evidence before it stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from agents.asking import Answer, Asker
from agents.embedded.writer import SECTIONS
from agents.embedded.writer import write as write_embedded
from agents.literature.entry import Entry
from agents.llm.answers import asked
from agents.llm.drafting import (
    BY,
    INSTEAD,
    OPENING,
    Faults,
    Prose,
    material,
    objections,
    prose_of,
    put,
    signed,
    tidied,
    told,
)
from agents.model import Call
from agents.prompting import render
from agents.records import Draft
from agents.team import Dossier
from templates.template import Template

Points = Annotated[tuple[Annotated[str, Field(max_length=300)], ...], Field(max_length=8)]


class Planned(Answer):
    """What a section is to say."""

    key: str
    points: Points


class Outline(Answer):
    """What the paper is to say, in a sentence and by section."""

    thread: Annotated[str, Field(max_length=600)]
    sections: Annotated[tuple[Planned, ...], Field(max_length=12)]

    def of(self, key: str) -> str:
        """Return the thread and the points of a section as text."""
        points = next((planned.points for planned in self.sections if planned.key == key), ())
        return "\n".join((self.thread, *(f"- {point}" for point in points)))


def write(asker: Asker, template: Template, dossier: Dossier, works: Sequence[Entry], faults: Faults) -> Draft:
    """Return a draft: an outline, then each section, then title and abstract.

    Each part is told once what is wrong with it. Sentences that break a rule after that are taken out; a part of which
    too little stays, or that the model does not write, comes from the embedded writer and says so.

    Raises:
        ModelUnavailable: the endpoint failed for good.
        ModelBudgetSpent: a cap does not allow a call.
    """
    desk = _Desk(asker, template, dossier, works, faults)
    outline = desk.outline()
    for key in SECTIONS:
        desk.part(key, "section", key=key, plan=outline.of(key))
    text = "\n\n".join(f"{section.key}\n{section.body}" for section in desk.draft.sections)
    desk.part(OPENING, "opening", text=text)
    return signed(desk.draft)


class _Desk:
    """The paper in the making: the embedded writer's, whose parts give way to the model's one by one."""

    def __init__(
        self, asker: Asker, template: Template, dossier: Dossier, works: Sequence[Entry], faults: Faults
    ) -> None:
        self.asker, self.dossier, self.faults = asker, dossier, faults
        self.material = material(template, dossier, works)
        self.draft = signed(write_embedded(template, dossier).model_copy(update={"by": BY}))

    def outline(self) -> Outline:
        """Ask what the paper is to say; it is written all the same if no plan comes."""

        def check(outline: Outline) -> str:
            missing = [key for key in SECTIONS if key not in {planned.key for planned in outline.sections}]
            return f"these sections are not planned: {', '.join(missing)}" if missing else ""

        return asked(self.asker, self._call("outline", keys=list(SECTIONS)), Outline, check) or Outline(
            thread="", sections=()
        )

    def part(self, place: str, part: str, **values: object) -> None:
        """Ask for the words of a place and put them there, or leave the embedded writer's and say so."""
        before = prose_of(self.draft, place)
        assert before is not None

        def check(prose: Prose) -> str:
            return told(objections(self.dossier, self.draft, place, prose, self.faults))

        said = asked(self.asker, self._call(part, about=place, **values), Prose, check)
        kept = tidied(place, said, before, self.faults) if said else None
        instead = before.model_copy(update={"body": f"{before.body}\n\n{INSTEAD}"})
        self.draft = put(self.draft, place, kept or instead)

    def _call(self, part: str, about: str = "outline", **values: object) -> Call:
        messages = render("writer", part=part, **self.material, **values)
        return Call(role="writer", stage="paper", about=about, messages=messages)

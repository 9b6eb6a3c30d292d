"""Personas: colleagues who propose, object to one another, and revise, for as many rounds as a setting says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import Field

from agents.asking import Answer, Asker
from agents.errors import AnswerInvalid, ModelRefused
from agents.llm.settings import IdeaSettings
from agents.llm.thoughts import Thought, Thoughts
from agents.model import Call
from agents.prompting import render

ROLE, STAGE = "ideator", "ideas"


class Objection(Answer):
    """What is wrong with the idea of a number."""

    idea: int
    text: str = Field(max_length=2000)


class Objections(Answer):
    """What one colleague has against the ideas of the others."""

    objections: tuple[Objection, ...] = Field(max_length=60)


@dataclass(frozen=True)
class Said:
    """An idea on the table, and the number of the colleague who brought it."""

    by: int
    thought: Thought


@dataclass(frozen=True)
class Discussion:
    """Colleagues who talk. `values` fill the prompts, `sample` tells this discussion apart from one that is alike.

    Each round has two steps: all object (antithesis), then all revise what is theirs (synthesis).
    """

    asker: Asker
    settings: IdeaSettings
    values: Mapping[str, object]
    sample: int

    def held(self, wanted: int, **values: object) -> tuple[Thought, ...]:
        """Return about `wanted` ideas, as they are after the last round; `values` fill the first prompt.

        A colleague whose answer cannot be used does without a say in that step.

        Raises:
            AnswerInvalid: nobody proposed anything that can be used.
            ModelRefused: nobody would propose anything.
        """
        table = self._theses(wanted, values)
        for number in range(self.settings.discussion_rounds):
            objections = self._antitheses(table, 2 * number + 1)
            table = self._syntheses(table, objections, 2 * number + 2)
        return tuple(said.thought for said in table)

    @property
    def colleagues(self) -> tuple[str, ...]:
        """The personas, or one without a name."""
        return self.settings.personas or ("",)

    def _theses(self, wanted: int, values: Mapping[str, object]) -> list[Said]:
        each = -(-wanted // len(self.colleagues))
        table: list[Said] = []
        failed: AnswerInvalid | ModelRefused | None = None
        for by in range(len(self.colleagues)):
            call = self._call("ideator", 0, by, {**values, "wanted": each})
            try:
                table += [Said(by, thought) for thought in self.asker.ask(call, Thoughts).ideas[:each]]
            except (AnswerInvalid, ModelRefused) as error:
                failed = error
        if failed is not None and not table:
            raise failed
        return table

    def _antitheses(self, table: Sequence[Said], step: int) -> dict[int, list[str]]:
        """Return the objections to each idea of the table, by its number. Who is alone objects to himself."""
        found: dict[int, list[str]] = {}
        for by in range(len(self.colleagues)):
            others = [n for n, said in enumerate(table) if said.by != by or len(self.colleagues) == 1]
            ideas = [f"{n}\n{worded(table[n].thought)}" for n in others]
            if ideas:
                for objection in self._objections(self._call("refine-objections", step, by, {"ideas": ideas})):
                    if objection.idea in others:
                        found.setdefault(objection.idea, []).append(objection.text)
        return found

    def _objections(self, call: Call) -> tuple[Objection, ...]:
        try:
            return self.asker.ask(call, Objections).objections
        except (AnswerInvalid, ModelRefused):
            return ()

    def _syntheses(self, table: Sequence[Said], objections: Mapping[int, Sequence[str]], step: int) -> list[Said]:
        return [said for by in range(len(self.colleagues)) for said in self._revised(table, objections, step, by)]

    def _revised(
        self, table: Sequence[Said], objections: Mapping[int, Sequence[str]], step: int, by: int
    ) -> Iterator[Said]:
        mine = [n for n, said in enumerate(table) if said.by == by]
        kept = [table[n] for n in mine]
        if not any(n in objections for n in mine):
            yield from kept
            return
        ideas = ["\n".join([worded(table[n].thought), *map(_objected, objections.get(n, ()))]) for n in mine]
        try:
            revised = self.asker.ask(self._call("refine-revision", step, by, {"ideas": ideas}), Thoughts).ideas
        except (AnswerInvalid, ModelRefused):
            revised = ()
        for n, said in enumerate(kept):
            yield Said(by, revised[n]) if n < len(revised) else said

    def _call(self, prompt: str, step: int, by: int, values: Mapping[str, object]) -> Call:
        steps = self.settings.temperatures
        filled = {**self.values, **values, "persona": self.colleagues[by]}
        return Call(
            role=ROLE,
            stage=STAGE,
            messages=render(prompt, **filled),
            max_tokens=self.settings.max_tokens,
            temperature=steps[min(step, len(steps) - 1)] if steps else None,
            sample=self.sample + step,
        )


def worded(thought: Thought) -> str:
    """Return all of an idea but its marks for itself, as JSON."""
    own = thought.model_dump(mode="json", exclude={"novelty", "feasibility", "effect"})
    return json.dumps(own, ensure_ascii=False, indent=1)


def _objected(text: str) -> str:
    return f"Objection: {text}"

"""Analyst: a model words what the outcomes have in common; how far that is believed is computed from the outcomes.

A principle keeps the words it was first said in, so that a belief always belongs to one sentence. Its `factors` are
the ideas that bear on it: those that do what it says, and, with a minus before their id, those that do the opposite.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field

from agents.asking import Answer, Asker
from agents.embedded.analyst import CRASHED, SURE, beliefs
from agents.llm.answers import asked, unprintable
from agents.model import Call, Message
from agents.prompting import render
from agents.records import Lesson
from agents.team import Tried
from templates.template import Template

WEIGHTS: Mapping[str, tuple[float, float]] = {
    "supported": (4.0, 0.0),
    "survived": (1.0, 0.0),
    "inconclusive": (0.5, 0.5),
    "screened": (0.0, 1.0),
    "refuted": (0.0, 4.0),
    "crashed": (0.0, 0.0),
}
"""Outcome -> what it adds to the successes and failures of a principle that its idea follows.

A registered test on held-out data weighs as much as four screens; a crash says nothing about an effect.
"""
PRIOR: Mapping[str, tuple[float, float]] = {"likely": (1.2, 0.8), "even": (1.0, 1.0), "unlikely": (0.8, 1.2)}
"""What the model expects -> pseudo-counts: two in all, so that one registered test outweighs any expectation."""
OPPOSED = "-"
AGAINST: Mapping[str, str] = {"crashed": "crash", "refuted": "inert", "screened": "inert"}
"""Outcome of an idea that may be called a dead end -> kind of its lesson, if the idea did no harm."""

NOT_AGAIN = "Not again as it stands: "
"""How the lesson of a dead end begins, which tells it from a principle."""
MOVED = 0.15
"""A change of belief that is worth telling: more than any expectation of the model can make up."""

Words = Annotated[str, Field(min_length=10, max_length=300)]


class Bearing(Answer):
    """An idea that bears on a principle, and whether it does what the principle says or the opposite."""

    idea: str
    does: Literal["follows", "opposes"]


class Principle(Answer):
    """What outcomes have in common. `lesson` names an earlier one that is meant; its words then stay."""

    statement: Words
    lesson: str = ""
    expected: Literal["likely", "even", "unlikely"] = "even"
    ideas: Annotated[tuple[Bearing, ...], Field(min_length=1, max_length=20)]


class DeadEnd(Answer):
    """An idea that is not worth another try as it stands, and why."""

    idea: str
    why: Words


class Reading(Answer):
    """What the analyst answers with."""

    principles: Annotated[tuple[Principle, ...], Field(max_length=6)] = ()
    dead_ends: Annotated[tuple[DeadEnd, ...], Field(max_length=6)] = ()


def interpret(
    asker: Asker, template: Template, round_: int, tried: Sequence[Tried], lessons: Sequence[Lesson]
) -> tuple[Lesson, ...]:
    """Return the lessons of round `round_`: principles, earlier principles whose belief has moved, and dead ends.

    The belief in a principle is the mean of a Beta distribution, (a + s) / (a + b + s + f), with the pseudo-counts of
    `PRIOR` and the successes and failures of `WEIGHTS` over all ideas that bear on it, turned round for those that do
    the opposite. Nothing in an answer can set it. Where the model gives no usable answer, earlier principles are still
    brought up to date.

    Raises:
        ModelUnavailable: the endpoint failed for good.
        ModelBudgetSpent: a cap does not allow the call.
    """
    desk = _Desk(round_, {t.idea.id: t for t in tried}, current(lessons))
    call = Call(role="analyst", stage="lessons", about=f"round {round_}", messages=desk.question(template))
    said = asked(asker, call, Reading, desk.faults) or Reading()
    principles = desk.principles([p for p in said.principles if not any(desk.wrong_principle(p))])
    ends = [end for end in said.dead_ends if not any(desk.wrong_end(end))]
    return (*principles, *desk.moved(principles), *desk.dead_ends(template, ends))


def current(lessons: Sequence[Lesson]) -> tuple[Lesson, ...]:
    """Return the latest of the lessons that say the same, in the order in which they were first said."""
    return tuple({lesson.statement: lesson for lesson in lessons}.values())


def belief(factors: Sequence[str], tried: Mapping[str, Tried], prior: tuple[float, float] = PRIOR["even"]) -> float:
    """Return the belief in a principle that the ideas `factors` bear on, by the formula of `interpret`."""
    successes, failures = prior
    for name in factors:
        outcome = tried[name.removeprefix(OPPOSED)].outcome
        speaks_for, against = WEIGHTS.get(outcome, (0.0, 0.0))
        if name.startswith(OPPOSED):
            speaks_for, against = against, speaks_for
        successes, failures = successes + speaks_for, failures + against
    return round(successes / (successes + failures), 4)


class _Desk:
    """What the analyst has before it: ideas by id, earlier lessons, and those of them that are principles, by id."""

    def __init__(self, round_: int, tried: Mapping[str, Tried], earlier: Sequence[Lesson]) -> None:
        self.round, self.tried, self.earlier = round_, tried, earlier
        self.known = {e.id: e for e in earlier if not e.statement.startswith(NOT_AGAIN) and self._bears(e)}

    def _bears(self, lesson: Lesson) -> bool:
        return bool(lesson.factors) and all(name.removeprefix(OPPOSED) in self.tried for name in lesson.factors)

    def question(self, template: Template) -> tuple[Message, ...]:
        return render(
            "analyst",
            template=template,
            lessons="\n".join(f"{e.id} (belief {e.belief:g}): {e.statement}" for e in self.earlier),
            tried="\n".join(map(_row, self.tried.values())),
            latest=", ".join(t.idea.id for t in self.tried.values() if t.idea.round == self.round) or "none",
        )

    def faults(self, said: Reading) -> str:
        """Say what is wrong with an answer, empty when nothing is."""
        wrong = [why for p in said.principles for why in self.wrong_principle(p)]
        wrong += [why for end in said.dead_ends for why in self.wrong_end(end)]
        return "; ".join(wrong)

    def wrong_principle(self, said: Principle) -> Iterator[str]:
        yield from unprintable(said.statement)
        if said.lesson and said.lesson not in self.known:
            yield f"there is no principle {said.lesson!r} among the lessons; leave `lesson` empty for a new one"
        yield from (self._unknown(each.idea) for each in said.ideas if each.idea not in self.tried)

    def wrong_end(self, said: DeadEnd) -> Iterator[str]:
        yield from unprintable(said.why)
        if said.idea not in self.tried:
            yield self._unknown(said.idea)
        elif self.tried[said.idea].outcome not in AGAINST:
            yield f"idea {said.idea} ended {self.tried[said.idea].outcome}, which is no dead end"

    def _unknown(self, idea: str) -> str:
        return f"there is no idea {idea!r}; name ideas by their ids as they are listed"

    def principles(self, said: Sequence[Principle]) -> tuple[Lesson, ...]:
        by_words = {lesson.statement: lesson for lesson in self.known.values()}
        made: dict[str, Lesson] = {}
        for each in said:
            meant = self.known.get(each.lesson)
            words = meant.statement if meant else _sentence(each.statement)
            before = made.get(words) or by_words.get(words)
            factors = _merged(before.factors if before else (), each.ideas)
            made[words] = self._lesson(words, factors, PRIOR[each.expected])
        return tuple(made.values())

    def moved(self, told: Sequence[Lesson]) -> Iterator[Lesson]:
        """Yield earlier principles that the answer does not name and whose belief is another by now."""
        named = {lesson.statement for lesson in told}
        for lesson in self.known.values():
            now = self._lesson(lesson.statement, lesson.factors, PRIOR["even"])
            if lesson.statement not in named and abs(now.belief - lesson.belief) > MOVED:
                yield now

    def _lesson(self, statement: str, factors: tuple[str, ...], prior: tuple[float, float]) -> Lesson:
        believed = belief(factors, self.tried, prior)
        kind = "helps" if believed >= SURE else "hurts" if believed <= 1 - SURE else "unclear"
        return Lesson(id="", round=self.round, kind=kind, statement=statement, factors=factors, belief=believed)

    def dead_ends(self, template: Template, said: Sequence[DeadEnd]) -> Iterator[Lesson]:
        """Yield a lesson for each idea that failed; its kind and how sure it is come from its outcome."""
        for end in {end.idea: end for end in said}.values():
            found = self.tried[end.idea]
            helps, hurts = beliefs(template, found)
            crashed = found.outcome == "crashed"
            yield Lesson(
                id="",
                round=self.round,
                kind="crash" if crashed else "hurts" if hurts > SURE else AGAINST[found.outcome],
                statement=f"{NOT_AGAIN}{_sentence(end.why)}",
                factors=(end.idea,),
                belief=CRASHED if crashed else round(helps, 4),
            )


def _row(tried: Tried) -> str:
    effect = "not measured" if tried.effect is None else f"{tried.effect:.4g}"
    return (
        f"{tried.idea.id}, round {tried.idea.round}, {tried.outcome}, mean difference at the screen {effect}: "
        f"{tried.idea.title}. {tried.idea.mechanism}"
    )


def _merged(before: Sequence[str], said: Sequence[Bearing]) -> tuple[str, ...]:
    """Add ideas to those that already bear; which way one bears stays as it was first said, whatever came of it."""
    bearing = {name.removeprefix(OPPOSED): name for name in before}
    for each in said:
        bearing.setdefault(each.idea, f"{OPPOSED if each.does == 'opposes' else ''}{each.idea}")
    return tuple(bearing.values())


def _sentence(text: str) -> str:
    flat = " ".join(text.split()).rstrip(".")
    return f"{flat[:1].upper()}{flat[1:]}."

"""Reviewer: one reader of the panel, who fills in a form from a fresh start and thinks it over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from agents.asking import Answer, Asker
from agents.errors import AnswerInvalid, ModelRefused
from agents.model import Call, Message
from agents.prompting import render

Level = Literal["poor", "fair", "good", "excellent"]
LEVELS: Mapping[str, int] = {"poor": 1, "fair": 2, "good": 3, "excellent": 4}
Decision = Literal["accept", "revise", "reject"]
DECISIONS: Mapping[str, Decision] = {
    "strong reject": "reject",
    "reject": "reject",
    "borderline": "revise",
    "accept": "accept",
    "strong accept": "accept",
}
"""Decision of a form -> what it asks for, the harshest first."""
STANCES = 3
"""What a reviewer is asked to look at first; the prompt has them."""
Text = Annotated[str, Field(max_length=600)]
Texts = Annotated[tuple[Text, ...], Field(max_length=8)]


class Weakness(Answer):
    """One point against a paper: where, how grave, what."""

    where: Annotated[str, Field(max_length=80)]
    grade: Literal["minor", "major"]
    text: Annotated[str, Field(min_length=5, max_length=600)]


class Form(Answer):
    """The form of a reviewer, with named levels."""

    summary: Annotated[str, Field(max_length=1200)] = ""
    strengths: Texts = ()
    weaknesses: Annotated[tuple[Weakness, ...], Field(max_length=12)] = ()
    soundness: Level
    presentation: Level
    contribution: Level
    questions: Texts = ()
    limitations: Texts = ()
    decision: Literal["strong reject", "reject", "borderline", "accept", "strong accept"]
    confidence: Literal["low", "medium", "high"]


def read(asker: Asker, seen: Mapping[str, object], number: int, reflections: int = 1) -> Form | None:
    """Return the form of reviewer `number` on a paper, None where no usable form comes.

    `seen` is what every reviewer sees: template, table of the evidence, paper. It is thought over up to `reflections`
    times, until it stays as it is; a reflection of no use leaves it as it was.

    Raises:
        ModelUnavailable: the endpoint failed for good.
        ModelBudgetSpent: a cap does not allow a call.
    """
    first = Call(
        role="reviewer",
        stage="review",
        about=f"reviewer {number}",
        messages=render("reviewer", stance=number % STANCES, **seen),
        sample=number,
    )
    form = _asked(asker, first)
    for _ in range(reflections if form else 0):
        said = Message(role="assistant", content=form.model_dump_json() if form else "")
        again = first.model_copy(update={"messages": (*first.messages, said, *render("reviewer_reflection"))})
        thought = _asked(asker, again)
        if thought is None or thought == form:
            break
        form = thought
    return form


def _asked(asker: Asker, call: Call) -> Form | None:
    try:
        return asker.ask(call, Form)
    except (AnswerInvalid, ModelRefused):
        return None

"""Answers that may be used in part: what a check complains of is told to the model, and what is good of it is kept."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from typing import TypeVar

from agents.asking import Answer, Asker
from agents.errors import AnswerInvalid, ModelRefused
from agents.model import Call

T = TypeVar("T", bound=Answer)


def asked(asker: Asker, call: Call, answer: type[T], check: Callable[[T], str]) -> T | None:
    """Return an answer that passes `check`, else the last one that had the shape, None where there is none.

    The caller takes the faulty parts out of an answer that did not pass.

    Raises:
        ModelUnavailable: the endpoint failed for good.
        ModelBudgetSpent: a cap does not allow the call.
    """
    shaped: list[T] = []

    def keep(found: T) -> str:
        shaped.append(found)
        return check(found)

    try:
        return asker.ask(call, answer, keep)
    except (AnswerInvalid, ModelRefused):
        return shaped[-1] if shaped else None


def unprintable(text: str) -> Iterator[str]:
    """Yield what keeps a text out of a paper, in which no number is typed."""
    if any(unicodedata.category(c).startswith("N") for c in text):
        yield f"{text[:60]!r} holds a typed number; say it in words and without figures"
    if set(text) & set("{}\n[]"):
        yield f"{text[:60]!r} holds braces, brackets or a line break; write one plain sentence"

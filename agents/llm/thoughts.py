"""Thoughts: ideas as a model answers with them, and the test of whether one could be found wrong."""

from __future__ import annotations

import re
from collections.abc import Collection

from pydantic import Field

from agents.asking import Answer
from agents.literature.entry import line
from agents.records import Idea
from templates.template import Metric

CAP = 2500
"""Characters of the longest text of an idea."""
NUMBER = re.compile(r"(?<![\w.-])[-+\u2212]?\d[\d.,]*(?![\w-])")
"""A number that stands by itself; L2 and top-1 are names."""
WORDS = {"raise": "maximize", "raises": "maximize", "lower": "minimize", "lowers": "minimize"}
"""Words for the direction in which an idea predicts the metric to go."""


class Thought(Answer):
    """One idea. What it predicts is a promise that runs decide; how it rates itself decides nothing."""

    title: str = Field(min_length=1, max_length=200)
    statement: str = Field(max_length=1500)
    mechanism: str = Field(default="", max_length=CAP)
    metric: str = Field(default="", max_length=100)
    direction: str = Field(default="", max_length=40)
    least_effect: float | None = None
    expected_effect: float | None = None
    principle: str = Field(default="", max_length=1000)
    inspirations: tuple[str, ...] = Field(default=(), max_length=30)
    novelty: float | None = None
    feasibility: float | None = None
    effect: float | None = None


class Thoughts(Answer):
    """Several ideas."""

    ideas: tuple[Thought, ...] = Field(max_length=60)


def fault(thought: Thought, metric: Metric) -> str:
    """Say why no run could find the idea wrong; empty when one could.

    It must name a mechanism, and predict the template's metric, its better direction and an effect that the metric can
    have.
    """
    if not thought.title.strip() or not thought.statement.strip():
        return "not falsifiable: it states nothing"
    if not thought.mechanism.strip():
        return "not falsifiable: it names no mechanism"
    if thought.metric.strip() != metric.name:
        named = f"predicts {thought.metric.strip()[:60]!r}" if thought.metric.strip() else "predicts no metric"
        return f"not falsifiable: it {named}, and what is measured is {metric.name!r}"
    if WORDS.get(thought.direction.strip().casefold(), thought.direction.strip().casefold()) != metric.direction:
        return f"not falsifiable: it does not predict that the metric gets better, which is to {metric.direction} it"
    if thought.least_effect is None or thought.least_effect <= 0:
        return "not falsifiable: it predicts no least effect"
    if typed := NUMBER.search(f"{thought.mechanism}\n{thought.principle}"):
        return f"types the number {typed[0]!r}: papers quote ideas, and every number of a paper is a result; use words"
    if metric.range is not None and thought.least_effect > metric.range[1] - metric.range[0]:
        return "not falsifiable: the effect that it predicts is larger than the metric's whole range"
    return ""


def as_idea(thought: Thought, metric: Metric, round_: int, parents: tuple[str, ...], known: Collection[str]) -> Idea:
    """Return the idea of a thought that has no fault; works that are not `known` are dropped from its inspirations.

    A least effect below the template's is raised to it. Texts are put on one line: titles become lines of a commit.
    """
    principle = line(thought.principle, CAP)
    ratings = {"novelty": thought.novelty, "feasibility": thought.feasibility, "effect": thought.effect}
    scores = {f"self_{name}": value for name, value in ratings.items() if value is not None}
    if thought.expected_effect is not None:
        scores["expected_effect"] = thought.expected_effect
    return Idea(
        id="",
        round=round_,
        title=line(thought.title),
        statement=line(thought.statement, CAP).rstrip("."),
        mechanism=" ".join(filter(None, (line(thought.mechanism, CAP), principle and f"Principle: {principle}"))),
        metric=metric.name,
        least_effect=max(metric.least_effect, thought.least_effect or 0.0),
        parents=parents,
        inspirations=tuple(dict.fromkeys(key.strip() for key in thought.inspirations if key.strip() in known)),
        scores=scores,
        by="llm",
    )

"""Questions: what a campaign asks people, what they answered, and whom their remarks are for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from agents.records import Record

Moment = Literal["ideas", "plans", "paper"]
"""When people are asked: about the ideas of a round, about its plans before they are frozen, about the paper."""
PAPER = "paper"
"""The one item of a question about the paper."""
HEARS: Mapping[Moment, tuple[str, ...]] = {
    "ideas": ("ideator", "coder"),
    "plans": ("ideator", "coder"),
    "paper": ("writer",),
}
"""Roles that a remark is for, by when it was made."""


class Item(Record):
    """One thing that is asked about, in words."""

    id: str
    title: str
    text: str


class Question(Record):
    """What is asked. `round` is 0 for the paper; `flow_run` is the paused flow run in Prefect, None outside of one."""

    id: str = Field(pattern=r"^q[1-9]\d*$")
    at: Moment
    round: int = Field(ge=0)
    items: tuple[Item, ...] = Field(min_length=1)
    flow_run: str | None = None

    @property
    def asked_about(self) -> tuple[str, ...]:
        """Ids of the items."""
        return tuple(item.id for item in self.items)


class Answer(Record):
    """What was answered, by a person or, after the time-out, by default.

    `rejected` are ids of items, `edits` new texts by item and field, such as `i3.statement` or `paper.abstract`.
    """

    question: str
    by: Literal["person", "timeout"]
    decision: Literal["approve", "reject", "edit"]
    rejected: tuple[str, ...] = ()
    edits: Mapping[str, str] = Field(default_factory=dict)
    remark: str = Field(default="", max_length=4000)

"""Killing a campaign of the language-model team at chosen points, one life after the other, until it is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pydantic import BaseModel

from agents.asking import Stored
from agents.model import Call, Reply
from agents.scripted import ScriptedModel
from agents.storing import CallFolder
from flows.ledger.journal import Event, FileJournal
from tests.thinking.ending import to_the_end
from tests.thinking.playing import LlmPlayed
from tests.thinking.rule import Rule

MODEL = "scripted@127.0.0.1"
MOST_LIVES = 1000
SMALL: Mapping[str, Any] = {
    "budget": {"ideas_per_round": 2, "executions": 60},
    "llm": {"panel": {"reviewers": 1, "reflections": 0}, "ideas": {"oversample": 1}},
}
"""A campaign with an idea that holds and one that crashes, is mended and comes to nothing; one reviewer."""

Point = tuple[str, ...]
"""Where a process can die: `received` or `stored` and a call's key, `before` or `after` and an event's number, kind."""


class Killed(BaseException):
    """The process is gone: whatever it reaches after this is not done either."""


class Deaths:
    """Kills once at every point that `dies` chooses. Safe to share by threads.

    `at` lists where, in order; `lost` counts by key the answers that came and were not stored.
    """

    def __init__(self, dies: Callable[[Point], bool]) -> None:
        """Kill where `dies` says."""
        self._dies = dies
        self.dead = False
        self.at: list[Point] = []
        self.lost: Counter[str] = Counter()

    def reach(self, *point: str) -> None:
        """Come to a point.

        Raises:
            Killed: here the process dies, or it is dead already.
        """
        if not self.dead and point not in self.at and self._dies(point):
            self.at.append(point)
            self.dead = True
        if self.dead:
            raise Killed(*point)

    @contextmanager
    def life(self) -> Iterator[None]:
        """Live until killed."""
        self.dead = False
        append, put = FileJournal.append, CallFolder.put

        def appended(journal: FileJournal, kind: str, data: BaseModel | Mapping[str, Any]) -> Event:
            seq = str(journal.head().seq + 1)
            self.reach("before", seq, kind)
            event = append(journal, kind, data)
            self.reach("after", seq, kind)
            return event

        def kept(folder: CallFolder, key: str, stored: Stored) -> None:
            try:
                self.reach("received", key)
            except Killed:
                self.lost[key] += 1
                raise
            put(folder, key, stored)
            self.reach("stored", key)

        with patch.object(FileJournal, "append", appended), patch.object(CallFolder, "put", kept):
            yield


class Counting(ScriptedModel):
    """A scripted model that counts by key how often each call was answered. Who is killed by `deaths` asks nothing."""

    def __init__(self, rule: Rule) -> None:
        """Answer by `rule`."""
        super().__init__(rule, MODEL)
        self.deaths: Deaths | None = None
        self.answered: Counter[str] = Counter()

    def complete(self, call: Call) -> Reply:
        """Answer, and count it.

        Raises:
            Killed: the process that asks is dead.
        """
        if self.deaths is not None and self.deaths.dead:
            raise Killed(call.role)
        reply = super().complete(call)
        self.answered[call.key(self.name)] += 1
        return reply


def campaign(root: Path, **more: Any) -> tuple[LlmPlayed, Counting]:
    """Return a campaign in `root`, not yet played, and its model."""
    rule = Rule()
    model = Counting(rule)
    rule.played = LlmPlayed(root, rule, more=more, models={"": model})
    return rule.played, model


def killed_everywhere(played: LlmPlayed, model: Counting, dies: Callable[[Point], bool]) -> Deaths:
    """Play the campaign to its end, killed once at every point that `dies` chooses."""
    deaths = Deaths(dies)
    model.deaths = deaths
    for fence in range(1, MOST_LIVES):
        try:
            with deaths.life():
                to_the_end(played, fence)
        except Killed:
            continue
        return deaths
    raise AssertionError("the campaign never came to its end")

"""Copilot campaigns played in this process, and somebody scripted who answers for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from flows.ledger.questions import Answer, Question
from flows.ledger.verify import verify_records
from flows.reporting import claim_faults, paper_faults
from flows.settings import CampaignSpec, People
from tests.played.playing import Played
from tests.thinking.playing import LlmPlayed
from tests.thinking.rule import Rule

Says = Callable[[Question], Answer | None]


def says(decision: str, rejected: tuple[str, ...] = (), remark: str = "", **edits: str) -> Callable[[Question], Answer]:
    """Return somebody who always answers this; edits are by field, of the first item."""

    def answer(question: Question) -> Answer:
        texts = {f"{question.items[0].id}.{name}": text for name, text in edits.items()}
        given = {"decision": decision, "rejected": rejected, "edits": texts, "remark": remark}
        return Answer.model_validate({"question": question.id, "by": "person", **given})

    return answer


def rejects_all(question: Question) -> Answer:
    """Reject everything."""
    return says("reject", question.asked_about)(question)


def rejects_first(question: Question) -> Answer:
    """Reject the first item alone."""
    return says("reject", question.asked_about[:1])(question)


approves = says("approve")


@dataclass
class Asked:
    """Takes the place of the pause in Prefect: answers by moment, approves otherwise, and keeps what it was asked."""

    by: Mapping[str, Says] = field(default_factory=dict)
    again: Says = approves
    """What is answered when the first answer was refused."""
    questions: list[Question] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def __call__(self, question: Question, name: str, seconds: int, refused: str, attempt: int) -> Answer | None:
        self.questions.append(question)
        if refused:
            self.refusals.append(refused)
            return self.again(question)
        return self.by.get(question.at, approves)(question)

    @contextmanager
    def here(self) -> Iterator[Asked]:
        """Answer whatever is asked within the block."""
        with patch("flows.people.pause", self):
            yield self


def embedded(root: Path, rounds: int = 1, **people: Any) -> Played:
    """Return a copilot campaign of the embedded team."""
    played = Played(root, budget={"rounds": rounds, "plans_per_round": 2})
    played.spec = copilot(played.spec, **people)
    return played


def thinking(root: Path, rounds: int = 1) -> LlmPlayed:
    """Return a copilot campaign of the language-model team."""
    rule = Rule()
    played = LlmPlayed(root, rule, {"mode": "copilot", "budget": {"rounds": rounds}})
    rule.played = played
    return played


def copilot(spec: CampaignSpec, **people: Any) -> CampaignSpec:
    """Return the same campaign with people in it."""
    return spec.model_copy(update={"mode": "copilot", "people": People(**people)})


def bad(played: Played | LlmPlayed) -> dict[str, str]:
    """Return what `verify` finds, by check."""
    found = verify_records(played.folder, claim_faults, paper_faults).findings
    return {each.what: each.detail for each in found if not each.ok}

"""The scripted team: it proposes what it is told to, in the code it is told to use, and writes what it is told to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from agents.embedded.team import EmbeddedTeam
from agents.records import Draft, Edit, Idea, Patch
from agents.team import Dossier, Proposals

Rewrite = Callable[[Draft, Dossier], Draft]


class Proposal(NamedTuple):
    """An idea and its code: path -> text of the edits; `repair` is what a crash is answered with."""

    title: str
    edits: Mapping[str, str]
    least_effect: float = 0.03
    metric: str = "accuracy"
    repair: Mapping[str, str] | None = None
    inspirations: tuple[str, ...] = ()
    statement: str = ""


def code(title: str, text: str, **others: Any) -> Proposal:
    """Return a proposal that replaces run.py."""
    return Proposal(title, {"workload/run.py": text}, **others)


@dataclass
class ScriptedTeam:
    """Proposes a list of ideas per round; all else is the embedded team's, but for what it is told to rewrite."""

    rounds: Sequence[Sequence[Proposal]]
    rewrite: Rewrite | None = None
    keeps_quiet: bool = True
    """Whether its own review finds nothing, so that nothing is revised."""
    name: str = "scripted"
    model_written: bool = True
    _embedded: EmbeddedTeam = field(default_factory=EmbeddedTeam)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._embedded, name)

    def propose(self, template: Any, tried: Sequence[Any], lessons: Any, requests: Sequence[Any], rng: Any) -> Any:
        number = max((each.idea.round for each in tried), default=0) + 1
        proposals = self.rounds[number - 1] if number <= len(self.rounds) else ()
        return Proposals(ideas=tuple(_idea(each) for each in proposals[: len(requests)]))

    def patch(self, template: Any, idea: Idea, sources: Any) -> Patch:
        return self._patch(idea, self._of(idea).edits)

    def repair(self, template: Any, idea: Idea, sources: Any, failed: Any, log: str) -> Patch | None:
        repair = self._of(idea).repair
        return None if repair is None else self._patch(idea, repair)

    def interpret(self, template: Any, round_: int, tried: Any, lessons: Any) -> Any:
        return ()

    def write(self, template: Any, dossier: Dossier) -> Draft:
        draft = self._embedded.write(template, dossier)
        return self.rewrite(draft, dossier) if self.rewrite else draft

    def review(self, *given: Any) -> Any:
        review = self._embedded.review(*given)
        return review.model_copy(update={"findings": (), "decision": "accept"}) if self.keeps_quiet else review

    def _of(self, idea: Idea) -> Proposal:
        return next(each for proposals in self.rounds for each in proposals if each.title == idea.title)

    def _patch(self, idea: Idea, edits: Mapping[str, str]) -> Patch:
        made = tuple(Edit(path=path, text=text) for path, text in edits.items())
        return Patch(idea=idea.id, summary=idea.title, edits=made, by=self.name)


def _idea(told: Proposal) -> Idea:
    return Idea(
        id="", round=1, title=told.title, statement=told.statement or f"{told.title} raises the accuracy.",
        mechanism="It sees more.", metric=told.metric, least_effect=told.least_effect,
        inspirations=told.inspirations, by="scripted",
    )  # fmt: skip

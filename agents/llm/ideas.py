"""What ideas come from and what becomes of them: settings, background, proposals, and why others were turned away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agents.literature.entry import Entry
from agents.llm.tournament import Tournament
from agents.records import Idea, Lesson, Record
from agents.team import Rejected, Tried
from templates.constraints import Constraint
from templates.template import Template


class Proposals(Record):
    """The ideas for a round, at most one a request, and what became of all the others that were proposed.

    One that is rejected without a title stands for an answer that could not be used at all.
    """

    ideas: tuple[Idea, ...]
    rejected: tuple[Rejected, ...]
    tournament: Tournament | None = None

    @property
    def duplicates(self) -> float | None:
        """The share of what was proposed that had been said before; None when nothing was proposed."""
        proposed = len(self.ideas) + sum(bool(each.title) for each in self.rejected)
        return sum(each.why.startswith("duplicate-of") for each in self.rejected) / proposed if proposed else None


@dataclass(frozen=True)
class Background:
    """What the ideator knows: the template, what was tried and learned, works to build on, people's remarks.

    `rejected` are ideas that earlier rounds turned away.
    """

    template: Template
    tried: Sequence[Tried] = ()
    lessons: Sequence[Lesson] = ()
    works: Sequence[Entry] = ()
    remarks: Sequence[str] = ()
    constraints: Sequence[Constraint] = ()
    rejected: Sequence[Rejected] = ()

    @property
    def chain(self) -> tuple[Entry, ...]:
        """The works that may be built on, oldest first; none that is disowned."""
        sound = (work for work in self.works if not work.disowned)
        return tuple(sorted(sound, key=lambda work: (work.year is None, work.year or 0, work.id)))

    @property
    def round(self) -> int:
        """The round that ideas are now for."""
        rounds = [tried.idea.round for tried in self.tried] + [lesson.round for lesson in self.lessons]
        return 1 + max(rounds, default=0)

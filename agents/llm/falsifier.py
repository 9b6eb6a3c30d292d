"""Falsifier: a model looks for ways in which a supported claim could be wrong; what can be run of it is told apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import Field

from agents.asking import Answer, Asker
from agents.llm.answers import asked, unprintable
from agents.llm.evidence import table
from agents.model import Call, Message
from agents.prompting import render
from agents.records import ChallengeKind, Claim, Record
from agents.team import Dossier
from templates.template import Template

KINDS = {ChallengeKind.CONTROL: "control", ChallengeKind.CHANGE: "change"}
"""Kind of a challenge -> kind of the conditions that it runs under."""


class Doubt(Record):
    """A way in which a claim could be wrong, and what would show it.

    `removed` are factors of the idea that an ablation takes out, `condition` is the name of a declared condition. With
    neither, nothing here can run it, and it is an open question.
    """

    claim: str
    kind: ChallengeKind
    removed: tuple[str, ...] = ()
    condition: str | None = None
    why: str

    @property
    def runs(self) -> bool:
        """Whether the campaign can put the claim to it."""
        return bool(self.removed) or self.condition is not None or self.kind is ChallengeKind.REPLICATION


class Suspected(Answer):
    """A doubt as the model words it."""

    kind: ChallengeKind
    removed: Annotated[tuple[str, ...], Field(max_length=8)] = ()
    condition: str = ""
    why: Annotated[str, Field(min_length=10, max_length=400)]


class Doubts(Answer):
    """What the falsifier answers with."""

    doubts: Annotated[tuple[Suspected, ...], Field(max_length=6)] = ()


def doubts(asker: Asker, template: Template, dossier: Dossier, claim: Claim) -> tuple[Doubt, ...]:
    """Return doubts about a claim that no registered attack covers yet, those that can be run first.

    A doubt can only add an attack; which attacks are due by default, and what any of them decides, is not asked here.

    Raises:
        ModelUnavailable: the endpoint failed for good.
        ModelBudgetSpent: a cap does not allow the call.
    """
    scene = _Scene(template, dossier, claim)
    call = Call(role="falsifier", stage="challenge", about=claim.id, messages=scene.question())
    said = asked(asker, call, Doubts, scene.faults) or Doubts()
    found = (scene.doubt(each) for each in said.doubts if not any(scene.wrong(each)))
    fresh = {(d.kind, d.removed, d.condition, "" if d.runs else d.why): d for d in found if not scene.covers(d)}
    return tuple(sorted(fresh.values(), key=lambda d: not d.runs))


class _Scene:
    """A claim, the idea behind it, the declared conditions by name, and what is registered against it."""

    def __init__(self, template: Template, dossier: Dossier, claim: Claim) -> None:
        self.template, self.dossier, self.claim = template, dossier, claim
        self.idea = next(idea for idea in dossier.ideas if idea.id == claim.idea)
        self.conditions = {each.name: each for each in template.manifest.conditions}
        self.attacks = dossier.attacks.get(claim.id, ())

    def question(self) -> tuple[Message, ...]:
        idea = self.idea
        return render(
            "falsifier",
            template=self.template,
            table=table(self.dossier),
            claim=f"{self.claim.id}: {self.claim.statement}\n{idea.title}. {idea.statement} {idea.mechanism}",
            factors="\n".join(idea.factors),
            conditions="\n".join(f"{c.name} ({c.kind}): with {c.title}. {c.why}" for c in self.conditions.values()),
            attacks="\n".join(f"{a.kind} {', '.join(a.removed)}{a.condition}" for a in self.attacks),
        )

    def faults(self, said: Doubts) -> str:
        """Say what is wrong with an answer, empty when nothing is."""
        return "; ".join(why for each in said.doubts for why in self.wrong(each))

    def wrong(self, said: Suspected) -> Iterator[str]:
        yield from unprintable(said.why)
        parts = self.idea.factors
        if unknown := [name for name in said.removed if name not in parts]:
            yield f"{', '.join(unknown)} is no part that is listed; leave `removed` empty and describe it in `why`"
        elif said.removed and set(said.removed) == set(parts):
            yield "without all of its parts the change is none; name some of them"
        if said.removed and said.kind is not ChallengeKind.ABLATION:
            yield f"only an ablation takes parts out, and this is a {said.kind}"
        if not said.condition:
            return
        kind = KINDS.get(said.kind)
        if said.condition not in self.conditions or self.conditions[said.condition].kind != kind:
            yield f"{said.condition!r} is no declared condition for a {said.kind}; leave it empty and describe it"

    def doubt(self, said: Suspected) -> Doubt:
        removed = tuple(name for name in self.idea.factors if name in said.removed)
        return Doubt(
            claim=self.claim.id, kind=said.kind, removed=removed, condition=said.condition or None, why=said.why
        )

    def covers(self, doubt: Doubt) -> bool:
        """Whether what a doubt asks for is registered."""
        title = self.conditions[doubt.condition].title if doubt.condition else ""
        made = {(attack.kind, attack.removed, attack.condition) for attack in self.attacks}
        return doubt.runs and (doubt.kind, doubt.removed, title) in made


def open_questions(found: Sequence[Doubt]) -> tuple[str, ...]:
    """Return the doubts that the campaign cannot run, in words that may be printed."""
    return tuple(d.why for d in found if not d.runs)

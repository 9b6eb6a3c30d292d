"""The state of a campaign: what `folds` makes of its journal, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from agents.model import ModelCall
from agents.records import (
    Attack,
    Attempts,
    Candidate,
    Claim,
    Draft,
    Execution,
    Idea,
    Lesson,
    Plan,
    Record,
    Review,
    Stage,
)
from agents.team import Reference, Rejected, Tried
from flows.ledger.questions import HEARS, Answer, Moment, Question


class Screened(Record):
    """What the screen saw of an idea: mean paired difference (up is better), spread, pairs, and whether it passed."""

    idea: str
    candidate: str
    effect: float | None
    spread: float | None
    n: int
    passed: bool


class PlanEvent(NamedTuple):
    """Where in the journal a plan was frozen."""

    seq: int
    hash: str


class Changed(NamedTuple):
    """A deviation from a plan: the plan before and after it, and where in the journal it stands."""

    before: Plan
    after: Plan
    event: PlanEvent


@dataclass(frozen=True)
class CampaignState:
    """Everything a campaign knows of itself. Mappings are in journal order and are never changed in place.

    `seqs` holds the event in which an id (idea, candidate, plan, claim) first occurred, and for an execution's key
    the event that reports it.
    """

    spec: Mapping[str, Any] = field(default_factory=dict)
    question: str = ""
    template: str = ""
    digest: str = ""
    image_id: str | None = None
    backend: str = ""
    salt: str = ""
    rounds: tuple[int, ...] = ()
    proposed: tuple[int, ...] = ()
    finalists: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    learned: tuple[int, ...] = ()
    ideas: Mapping[str, Idea] = field(default_factory=dict)
    rejected: tuple[Rejected, ...] = ()
    """What the team had and went no further with."""
    references: Mapping[str, Reference] = field(default_factory=dict)
    """What ideas were inspired by, beyond the template's own references."""
    candidates: Mapping[str, Candidate] = field(default_factory=dict)
    discarded: Mapping[str, str] = field(default_factory=dict)
    executions: Mapping[str, Execution] = field(default_factory=dict)
    seqs: Mapping[str, int] = field(default_factory=dict)
    screened: Mapping[str, Screened] = field(default_factory=dict)
    plans: Mapping[str, Plan] = field(default_factory=dict)
    plan_events: Mapping[str, PlanEvent] = field(default_factory=dict)
    changed: Mapping[str, tuple[Changed, ...]] = field(default_factory=dict)
    """Deviations by plan, in order; `plans` holds each plan as it is carried out now."""
    claims: Mapping[str, Claim] = field(default_factory=dict)
    attacks: Mapping[str, tuple[Attack, ...]] = field(default_factory=dict)
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Attacks on a claim that the budget did not allow, by claim."""
    lessons: tuple[Lesson, ...] = ()
    calls: Mapping[str, ModelCall] = field(default_factory=dict)
    """Answered calls to language models, by key."""
    prefixes: tuple[int, int] | None = None
    """Characters of their input, and those with which an earlier call began as well; None before the paper."""
    draft: Draft | None = None
    drafts: int = 0
    reviews: tuple[Review, ...] = ()
    paper: Mapping[str, Any] | None = None
    notices: tuple[str, ...] = ()
    questions: Mapping[str, Question] = field(default_factory=dict)
    """What people were asked, by id, as it was asked last."""
    answers: Mapping[str, Answer] = field(default_factory=dict)
    """What was answered, by the id of the question."""
    turned_down: int | None = None
    """How many drafts there were when a person rejected the paper; None while none did."""
    closed: str | None = None
    last: int = 0
    """Sequence number of the last event applied."""

    @property
    def name(self) -> str:
        """The campaign's name, empty before its first event."""
        return str(self.spec.get("name", ""))

    @property
    def claim_seqs(self) -> Mapping[str, int]:
        """Claim id -> the event in which it was first made."""
        return {id_: self.seqs[id_] for id_ in self.claims}

    @property
    def question_open(self) -> Question | None:
        """The question that waits for an answer, if there is one."""
        return next((each for each in self.questions.values() if each.id not in self.answers), None)

    def asked(self, at: Moment, round_: int) -> Question | None:
        """Return the question of this moment, answered or not; None while it was not asked."""
        return next((each for each in self.questions.values() if (each.at, each.round) == (at, round_)), None)

    def turned_away(self, at: Moment) -> frozenset[str]:
        """Return what was rejected whenever people were asked at such moments: ids of ideas, or the paper."""
        return frozenset(
            id_ for answer in self.answers.values() if self.questions[answer.question].at == at
            for id_ in answer.rejected
        )  # fmt: skip

    def remarks(self, role: str) -> tuple[str, ...]:
        """Return what people said to a role, in order."""
        return tuple(
            answer.remark for answer in self.answers.values()
            if answer.remark and role in HEARS[self.questions[answer.question].at]
        )  # fmt: skip

    def candidate_of(self, idea: str) -> Candidate:
        """Return the candidate that stands for an idea: the last one on its own branch, repairs included.

        Raises:
            KeyError: there is none.
        """
        for candidate in reversed(tuple(self.candidates.values())):
            if candidate.idea == idea and not candidate.branch.startswith("challenge/"):
                return candidate
        raise KeyError(idea)

    def claim_of(self, plan: str) -> Claim | None:
        """Return what was claimed on a plan, or None while it is undecided."""
        return next((claim for claim in self.claims.values() if claim.plan == plan), None)

    def executions_of(
        self, candidate: str, stage: Stage | None = None, plan: str | None = None
    ) -> tuple[Execution, ...]:
        """Return a candidate's executions in journal order; `stage` and `plan` narrow them."""
        return tuple(
            e for e in self.executions.values()
            if e.candidate == candidate and stage in (None, e.stage) and plan in (None, e.plan)
        )  # fmt: skip


def tried(state: CampaignState) -> tuple[Tried, ...]:
    """Return what became of every idea that has come to something; ideas still open are left out."""
    found = []
    verdicts = {
        claim.idea: str(claim.verdict) for claim in state.claims.values()
        if claim.plan not in state.plans or state.plans[claim.plan].stage is Stage.CONFIRM
    }  # fmt: skip
    for idea in state.ideas.values():
        seen = state.screened.get(idea.id)
        outcome = verdicts.get(idea.id) or _outcome(state, idea.id, seen)
        if outcome is not None:
            found.append(
                Tried(
                    idea=idea,
                    outcome=outcome,
                    effect=seen.effect if seen else None,
                    spread=seen.spread if seen else None,
                    repair=_repair(state, idea.id),
                )
            )
    return tuple(found)


def attempts(state: CampaignState, upto: int | None = None) -> Attempts:
    """Count what was tried up to event `upto` (default: so far). The baseline is no attempt, its executions are."""

    def counted(ids: Iterable[str]) -> int:
        return sum(1 for id_ in ids if upto is None or state.seqs[id_] <= upto)

    return Attempts(
        ideas=counted(state.ideas),
        candidates=counted(c.id for c in state.candidates.values() if c.idea is not None),
        executions=counted(state.executions),
        plans=counted(state.plans),
        looks=sum(looks_behind(state, c) for c in state.claims.values() if upto is None or state.seqs[c.id] <= upto),
        model_calls=counted(state.calls),
    )


def _outcome(state: CampaignState, idea: str, seen: Screened | None) -> str | None:
    """Return the outcome of an idea that no claim speaks of."""
    if seen is not None and seen.effect is not None:
        return "survived" if seen.passed else "screened"
    if idea in state.turned_away("ideas"):
        return "rejected"
    # Screened without an effect, or given up before the screen: its code never gave a number.
    return "crashed" if seen is not None or idea in state.discarded else None


def looks_behind(state: CampaignState, claim: Claim) -> int:
    """Return how often a rule was applied on the way to a claim, its challenges included."""
    challenged = ((state.plans[c.plan].looks, c.n) for c in claim.challenges if c.plan in state.plans)
    return claim.looks + sum(sum(look <= n for look in looks) for looks, n in challenged)


def _repair(state: CampaignState, idea: str) -> str:
    """Return what was done to make an idea's crashed candidate run, empty when nothing was."""
    return next((c.summary for c in state.candidates.values() if c.idea == idea and c.repaired), "")

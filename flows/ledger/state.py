"""The state of a campaign: `reduce(apply, events)`. Pure; the journal is all that goes in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from pydantic import ValidationError

from agents.records import (
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
from agents.team import Dossier, Tried
from flows.ledger.chain import Event
from flows.ledger.errors import EventInvalid


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
    rounds: tuple[int, ...] = ()
    proposed: tuple[int, ...] = ()
    finalists: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    learned: tuple[int, ...] = ()
    ideas: Mapping[str, Idea] = field(default_factory=dict)
    candidates: Mapping[str, Candidate] = field(default_factory=dict)
    discarded: Mapping[str, str] = field(default_factory=dict)
    executions: Mapping[str, Execution] = field(default_factory=dict)
    seqs: Mapping[str, int] = field(default_factory=dict)
    screened: Mapping[str, Screened] = field(default_factory=dict)
    plans: Mapping[str, Plan] = field(default_factory=dict)
    plan_events: Mapping[str, PlanEvent] = field(default_factory=dict)
    claims: Mapping[str, Claim] = field(default_factory=dict)
    lessons: tuple[Lesson, ...] = ()
    draft: Draft | None = None
    drafts: int = 0
    reviews: tuple[Review, ...] = ()
    paper: Mapping[str, Any] | None = None
    notices: tuple[str, ...] = ()
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


def apply(state: CampaignState, event: Event) -> CampaignState:
    """Return the state after one more event.

    Raises:
        EventInvalid: the kind is unknown, the payload is not what it must be, or it contradicts the state.
    """
    fold = _FOLDS.get(event.kind)
    if fold is None:
        known = ", ".join(_FOLDS)
        raise EventInvalid(event.seq, event.kind, f"events of this kind are unknown. Known: {known}.")
    if state.closed is not None:
        raise EventInvalid(event.seq, event.kind, "the campaign was closed before it.")
    try:
        return replace(state, last=event.seq, **fold(state, event))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise EventInvalid(event.seq, event.kind, f"{where}: {first['msg']}.") from error
    except KeyError as error:
        raise EventInvalid(event.seq, event.kind, f"it lacks {error}.") from error


def reduce_events(events: Iterable[Event], state: CampaignState | None = None) -> CampaignState:
    """Return the state after all `events`, starting from `state` or from nothing."""
    state = state or CampaignState()
    for event in events:
        state = apply(state, event)
    return state


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
        looks=sum(_looks(state, c) for c in state.claims.values() if upto is None or state.seqs[c.id] <= upto),
    )


def dossier(state: CampaignState) -> Dossier:
    """Return everything a paper may speak of."""
    return Dossier(
        campaign=state.name,
        question=state.question,
        alpha=state.spec["alpha"],
        ideas=tuple(state.ideas.values()),
        tried=tried(state),
        plans=tuple(state.plans.values()),
        claims=tuple(state.claims.values()),
        lessons=state.lessons,
        attempts=attempts(state),
        sandbox=state.backend,
    )


def _outcome(state: CampaignState, idea: str, seen: Screened | None) -> str | None:
    """Return the outcome of an idea that no claim speaks of."""
    if seen is not None and seen.effect is not None:
        return "survived" if seen.passed else "screened"
    # Screened without an effect, or given up before the screen: its code never gave a number.
    return "crashed" if seen is not None or idea in state.discarded else None


def _looks(state: CampaignState, claim: Claim) -> int:
    """Return how often a rule was applied on the way to a claim, its challenges included."""
    challenged = ((state.plans[c.plan].looks, c.n) for c in claim.challenges if c.plan in state.plans)
    return claim.looks + sum(sum(look <= n for look in looks) for looks, n in challenged)


def _repair(state: CampaignState, idea: str) -> str:
    """Return what was done to make an idea's crashed candidate run, empty when nothing was."""
    return next((c.summary for c in state.candidates.values() if c.idea == idea and c.repaired), "")


Changes = dict[str, Any]


def _campaign(state: CampaignState, event: Event) -> Changes:
    if state.spec:
        raise EventInvalid(event.seq, event.kind, "the campaign has begun already.")
    data = event.data
    return {
        "spec": data["spec"],
        "question": data.get("question") or data["spec"].get("question") or "",
        "template": data["template"],
        "digest": data["digest"],
        "image_id": data["image_id"],
        "backend": data["backend"],
    }


def _round(state: CampaignState, event: Event) -> Changes:
    return {"rounds": (*state.rounds, int(event.data["round"]))}


def _ideas(state: CampaignState, event: Event) -> Changes:
    new = {idea.id: idea for idea in map(Idea.model_validate, event.data["ideas"])}
    _refuse_known(state.ideas, new, event)
    return {
        "ideas": {**state.ideas, **new},
        "proposed": (*state.proposed, int(event.data["round"])),
        "seqs": _first_seen(state, event, *new),
    }


def _finalists(state: CampaignState, event: Event) -> Changes:
    return {"finalists": {**state.finalists, int(event.data["round"]): tuple(event.data["ideas"])}}


def _candidate(state: CampaignState, event: Event) -> Changes:
    candidate = Candidate.model_validate(event.data)
    _refuse_known(state.candidates, (candidate.id,), event)
    return {
        "candidates": {**state.candidates, candidate.id: candidate},
        "seqs": _first_seen(state, event, candidate.id),
    }


def _discard(state: CampaignState, event: Event) -> Changes:
    return {"discarded": {**state.discarded, event.data["idea"]: event.data["why"]}}


def _execution(state: CampaignState, event: Event) -> Changes:
    execution = Execution.model_validate(event.data)
    before = state.executions.get(execution.key)
    if before is not None and before.outcome != "cancelled":
        raise EventInvalid(event.seq, event.kind, f"execution {execution.key} is finished already; none runs twice.")
    return {
        "executions": {**state.executions, execution.key: execution},
        "seqs": {**state.seqs, execution.key: event.seq},
    }


def _screened(state: CampaignState, event: Event) -> Changes:
    seen = Screened.model_validate(event.data)
    return {"screened": {**state.screened, seen.idea: seen}}


def _plan(state: CampaignState, event: Event) -> Changes:
    plan = Plan.model_validate(event.data)
    _refuse_known(state.plans, (plan.id,), event)
    return {
        "plans": {**state.plans, plan.id: plan},
        "plan_events": {**state.plan_events, plan.id: PlanEvent(event.seq, event.hash)},
        "seqs": _first_seen(state, event, plan.id),
    }


def _claim(state: CampaignState, event: Event) -> Changes:
    claim = Claim.model_validate(event.data)
    return {"claims": {**state.claims, claim.id: claim}, "seqs": _first_seen(state, event, claim.id)}


def _lessons(state: CampaignState, event: Event) -> Changes:
    return {
        "lessons": (*state.lessons, *map(Lesson.model_validate, event.data["lessons"])),
        "learned": (*state.learned, int(event.data["round"])),
    }


def _first_seen(state: CampaignState, event: Event, *ids: str) -> Mapping[str, int]:
    return {**state.seqs, **{id_: event.seq for id_ in ids if id_ not in state.seqs}}


def _refuse_known(known: Mapping[str, Any], new: Iterable[str], event: Event) -> None:
    for id_ in new:
        if id_ in known:
            raise EventInvalid(event.seq, event.kind, f"{id_} is there already, and what is registered stays.")


_FOLDS: Mapping[str, Callable[[CampaignState, Event], Changes]] = {
    "campaign": _campaign,
    "round": _round,
    "ideas": _ideas,
    "finalists": _finalists,
    "candidate": _candidate,
    "discard": _discard,
    "execution": _execution,
    "screened": _screened,
    "plan": _plan,
    "claim": _claim,
    "lessons": _lessons,
    "draft": lambda state, event: {"draft": Draft.model_validate(event.data), "drafts": state.drafts + 1},
    "review": lambda state, event: {"reviews": (*state.reviews, Review.model_validate(event.data))},
    "paper": lambda _state, event: {"paper": event.data},
    "notice": lambda state, event: {"notices": (*state.notices, str(event.data["text"]))},
    "closed": lambda _state, event: {"closed": str(event.data["why"])},
}

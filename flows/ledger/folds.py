"""Folding: how each kind of event changes the state of a campaign. Pure; the journal is all that goes in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from agents.model import ModelCall
from agents.records import Attack, Candidate, Claim, Deviation, Draft, Execution, Idea, Lesson, Plan, Review
from agents.team import Reference, Rejected
from flows.ledger.answers import fault_of, misposed, taken
from flows.ledger.chain import Event
from flows.ledger.errors import EventInvalid
from flows.ledger.questions import Answer, Question
from flows.ledger.state import CampaignState, Changed, PlanEvent, Screened


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
    except (TypeError, ValueError, AttributeError) as error:
        raise EventInvalid(event.seq, event.kind, f"it is not what such an event holds ({error}).") from error


def reduce_events(events: Iterable[Event], state: CampaignState | None = None) -> CampaignState:
    """Return the state after all `events`, starting from `state` or from nothing."""
    state = state or CampaignState()
    for event in events:
        state = apply(state, event)
    return state


Changes = dict[str, Any]


def _campaign(state: CampaignState, event: Event) -> Changes:
    if state.spec:
        raise EventInvalid(event.seq, event.kind, "the campaign has begun already.")
    data = event.data
    return {
        "spec": dict(data["spec"]),
        "question": data.get("question") or data["spec"].get("question") or "",
        "template": data["template"],
        "digest": data["digest"],
        "image_id": data["image_id"],
        "backend": data["backend"],
        "salt": data.get("salt", ""),
    }


def _round(state: CampaignState, event: Event) -> Changes:
    return {"rounds": (*state.rounds, int(event.data["round"]))}


def _ideas(state: CampaignState, event: Event) -> Changes:
    new = {idea.id: idea for idea in map(Idea.model_validate, event.data["ideas"])}
    works = {work.key: work for work in map(Reference.model_validate, event.data.get("references", ()))}
    _refuse_known(state.ideas, new, event)
    return {
        "ideas": {**state.ideas, **new},
        "references": {**state.references, **works},
        "rejected": (*state.rejected, *map(Rejected.model_validate, event.data.get("rejected", ()))),
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


def _deviation(state: CampaignState, event: Event) -> Changes:
    # Evidence brings NumPy along, which nobody has to wait for who only looks at a campaign without deviations.
    from flows.evidence import PlanRefused, deviated

    deviation = Deviation.model_validate(event.data)
    before = state.plans.get(deviation.plan)
    if before is None:
        raise EventInvalid(event.seq, event.kind, f"it is from {deviation.plan}, which was never registered.")
    try:
        after = deviated(before, deviation)
    except PlanRefused as refused:
        raise EventInvalid(event.seq, event.kind, str(refused)) from refused
    change = Changed(before, after, PlanEvent(event.seq, event.hash))
    return {
        "plans": {**state.plans, after.id: after},
        "changed": {**state.changed, after.id: (*state.changed.get(after.id, ()), change)},
    }


def _claim(state: CampaignState, event: Event) -> Changes:
    claim = Claim.model_validate(event.data)
    return {"claims": {**state.claims, claim.id: claim}, "seqs": _first_seen(state, event, claim.id)}


def _attacks(state: CampaignState, event: Event) -> Changes:
    claim, attacks = event.data["claim"], tuple(map(Attack.model_validate, event.data["attacks"]))
    if claim not in state.claims or any(attack.plan not in state.plans for attack in attacks):
        raise EventInvalid(event.seq, event.kind, f"it attacks {claim} by plans of which one is not registered.")
    _refuse_known(state.attacks, (claim,), event)
    return {
        "attacks": {**state.attacks, claim: attacks},
        "left_out": {**state.left_out, claim: tuple(event.data.get("left_out", ()))},
    }


def _lessons(state: CampaignState, event: Event) -> Changes:
    return {
        "lessons": (*state.lessons, *map(Lesson.model_validate, event.data["lessons"])),
        "learned": (*state.learned, int(event.data["round"])),
    }


def _call(state: CampaignState, event: Event) -> Changes:
    call = ModelCall.model_validate(event.data)
    _refuse_known(state.calls, (call.key,), event)
    return {"calls": {**state.calls, call.key: call}, "seqs": {**state.seqs, call.key: event.seq}}


def _question(state: CampaignState, event: Event) -> Changes:
    question = Question.model_validate(event.data)
    if why := misposed(state, question):
        raise EventInvalid(event.seq, event.kind, why)
    return {"questions": {**state.questions, question.id: question}}


def _answer(state: CampaignState, event: Event) -> Changes:
    answer = Answer.model_validate(event.data)
    question = state.questions.get(answer.question)
    if question is None:
        raise EventInvalid(event.seq, event.kind, f"{answer.question} was never asked.")
    if why := fault_of(state, question, answer):
        raise EventInvalid(event.seq, event.kind, why)
    return {"answers": {**state.answers, question.id: answer}, **taken(state, question, answer)}


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
    "deviation": _deviation,
    "claim": _claim,
    "attacks": _attacks,
    "lessons": _lessons,
    "call": _call,
    "prefixes": lambda _, event: {"prefixes": (int(event.data["characters"]), int(event.data["shared"]))},
    "question": _question,
    "answer": _answer,
    "draft": lambda state, event: {"draft": Draft.model_validate(event.data), "drafts": state.drafts + 1},
    "review": lambda state, event: {"reviews": (*state.reviews, Review.model_validate(event.data))},
    "paper": lambda _state, event: {"paper": event.data},
    "notice": lambda state, event: {"notices": (*state.notices, str(event.data["text"]))},
    "closed": lambda _state, event: {"closed": str(event.data["why"])},
}

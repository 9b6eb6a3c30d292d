"""Audit of people's part: nothing goes on before they answered, and no plan is missing on a pretext."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agents.records import Stage
from flows.evidence import EvidenceError, Screened, freeze
from flows.ledger.answers import asks, due
from flows.ledger.due import no_plan, plan_affordable, register_of, rules_of
from flows.ledger.findings import Step
from flows.ledger.questions import Moment
from flows.ledger.state import CampaignState
from templates.manifest import Manifest


def people_faults(steps: Sequence[Step], manifest: Manifest) -> Iterator[str]:
    """Yield what was done without the answer that it needs, or against it, and plans that are missing on a pretext."""
    for step in steps:
        if step.event.kind in ("candidate", "plan", "paper"):
            yield from _unasked(step)
        elif step.event.kind == "notice":
            yield from _without_reason(step.before, str(step.event.data["text"]), step.event.seq, manifest)


def _unasked(step: Step) -> Iterator[str]:
    before, data = step.before, step.event.data
    if step.event.kind == "paper":
        # A paper that was rejected is revised and then published.
        yield from _unanswered(before, "paper", 0, "", step.event.seq)
        return
    idea = before.ideas.get(data["idea"] or "")
    if idea is not None and step.event.kind == "candidate":
        yield from _unanswered(before, "ideas", idea.round, idea.id, step.event.seq)
    elif idea is not None and step.after.plans[data["id"]].stage is Stage.CONFIRM:
        yield from _unanswered(before, "plans", idea.round, idea.id, step.event.seq)


def _unanswered(state: CampaignState, at: Moment, round_: int, what: str, seq: int) -> Iterator[str]:
    if not asks(state, at):
        return
    question = state.asked(at, round_)
    if question is None and due(state, at, round_):
        yield f"Event {seq} goes on with {what or at}, and nobody was asked."
    elif question is not None and question.id not in state.answers:
        yield f"Event {seq} goes on with {what or at} before question {question.id} was answered."
    elif what in state.turned_away(at):
        yield f"Event {seq} goes on with {what}, which a person rejected."


def _without_reason(state: CampaignState, text: str, seq: int, manifest: Manifest) -> Iterator[str]:
    """Yield a notice that says an idea could have no plan when it could."""
    idea = next((id_ for id_ in state.ideas if text.startswith(no_plan(id_))), None)
    if idea is None or not plan_affordable(state, manifest):
        return
    seen = state.screened[idea]
    sides = state.candidate_of(idea), state.candidates["c0"]
    try:
        freeze(
            rules_of(state, manifest),
            register_of(state),
            state.ideas[idea],
            *sides,
            Screened(seen.effect, seen.spread, seen.passed),
        )
    except EvidenceError:
        return
    yield f"Event {seq} says that idea {idea} could have no plan; it could."

"""Audit of the course: every step that a campaign does not choose must follow from the events before it.

Screens are raced again, finalists chosen again, plans frozen again, and what was tried counted again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agents.records import Claim, Idea, Plan, Stage
from flows.evidence import (
    EvidenceError,
    Screened,
    check_plan,
    check_seeds,
    freeze,
    freeze_challenge,
    looks_taken,
    next_heat,
    screened,
)
from flows.ledger.audit_people import people_faults
from flows.ledger.due import budget_of, race_of, register_of, rules_of, screen_differences
from flows.ledger.findings import Step
from flows.ledger.state import CampaignState, attempts, tried
from flows.search.strategy import choose_finalists
from templates.manifest import Manifest

TOLERANCE = 1e-9


def screen_faults(steps: Sequence[Step], manifest: Manifest) -> Iterator[str]:
    """Yield screens that do not say what their race comes to, and finalists that are not the best of their round."""
    raced: dict[tuple[int, int], Mapping[str, dict[str, Any]]] = {}
    for before, event, _ in steps:
        if event.kind == "screened":
            # A process that goes on after an interruption races what is left; the fence tells processes apart.
            idea = before.ideas.get(event.data["idea"])
            if idea is None:
                yield f"Event {event.seq} screens idea {event.data['idea']}, which nobody had."
                continue
            race = (idea.round, event.fence)
            if race not in raced:
                raced[race] = {}
                try:
                    raced[race] = _raced(before, idea.round, manifest)
                except EvidenceError as error:
                    yield f"The screen of round {idea.round} cannot be raced again: {error}"
            wanted = raced[race].get(idea.id)
            if wanted is None:
                yield f"The screen of idea {idea.id} (event {event.seq}) ended before its race was run."
            elif differs := _differences(event.data, wanted):
                yield f"The screen of idea {idea.id} (event {event.seq}) says {differs}."
        elif event.kind == "finalists":
            number = int(event.data["round"])
            mine = [each for each in tried(before) if each.idea.round == number]
            chosen = [idea.id for idea in choose_finalists(mine, budget_of(before).plans_per_round)]
            if list(event.data["ideas"]) != chosen:
                told, due = (", ".join(ids) or "none" for ids in (event.data["ideas"], chosen))
                yield f"The finalists of round {number} are {told}; what was seen leads to {due}."


def _raced(state: CampaignState, number: int, manifest: Manifest) -> dict[str, dict[str, Any]]:
    """Race the screen of a round again and return what it must say of each idea; nothing where runs are missing."""
    racing = [
        idea for idea in state.ideas.values()
        if idea.round == number and idea.id not in state.screened and idea.id not in state.discarded
    ]  # fmt: skip
    every = {idea.id: screen_differences(state, idea, manifest) for idea in racing}
    race, least = race_of(manifest), {idea.id: idea.least_effect for idea in racing}
    seen: dict[str, Sequence[float] | None] = {idea.id: () for idea in racing}
    while not (heat := next_heat(race, seen, least)).over:
        for id_ in heat.goes_on:
            seen[id_] = every[id_][: heat.seeds] or None
            if every[id_] and len(every[id_]) < heat.seeds:
                return {}
    return {idea.id: _seen(state, idea, every[idea.id], idea.id in heat.passed, seen[idea.id]) for idea in racing}


def _seen(
    state: CampaignState, idea: Idea, differences: Sequence[float], passed: bool, asked: Sequence[float] | None
) -> dict[str, Any]:
    candidate = state.candidate_of(idea.id)
    # After a repair a race is run again with what the repaired code gives; the seeds of the first were asked for too.
    counted = differences if candidate.repaired or asked is None else asked
    effect, spread, _ = screened(counted, idea.least_effect)
    return {
        "idea": idea.id, "candidate": candidate.id, "n": len(counted), "effect": effect, "spread": spread,
        "passed": passed,
    }  # fmt: skip


def registration_faults(steps: Sequence[Step], manifest: Manifest) -> Iterator[str]:
    """Yield plans that are not what freezing them comes to: level, seeds, looks, rule; and claims that miscount.

    Steps that a person had to answer for, and pretexts for a missing plan, are in it.
    """
    yield from people_faults(steps, manifest)
    for before, event, after in steps:
        if event.kind == "plan":
            yield from _plan_faults(before, after.plans[event.data["id"]], event.seq, manifest)
        elif event.kind == "deviation":
            yield from _deviation_faults(before, after.plans[event.data["plan"]], event.seq, manifest)
        elif event.kind == "claim" and event.data["id"] not in before.claims:
            claim = after.claims[event.data["id"]]
            counted = _attempts(before, claim)
            if counted != claim.attempts.model_dump():
                yield f"Claim {claim.id} counts {_told(claim.attempts.model_dump())}; the journal {_told(counted)}."


def _plan_faults(state: CampaignState, plan: Plan, seq: int, manifest: Manifest) -> Iterator[str]:
    try:
        wanted = _challenge(state, plan, manifest) if plan.stage is Stage.CHALLENGE else _confirm(state, plan, manifest)
    except (EvidenceError, LookupError) as error:
        yield f"Plan {plan.id} (event {seq}) could not be frozen: {error}"
        return
    if differs := _differences(plan.model_dump(mode="json"), wanted.model_dump(mode="json")):
        yield f"Plan {plan.id} (event {seq}) says {differs}."


def _confirm(state: CampaignState, plan: Plan, manifest: Manifest) -> Plan:
    idea = state.ideas[plan.idea]
    if idea.id not in state.finalists.get(idea.round, ()):
        raise LookupError(f"idea {idea.id} was no finalist of round {idea.round}.")
    seen = state.screened[idea.id]
    sides = state.candidate_of(idea.id), state.candidates["c0"]
    shown = Screened(seen.effect, seen.spread, seen.passed)
    return freeze(rules_of(state, manifest), register_of(state), idea, *sides, shown)


def _challenge(state: CampaignState, plan: Plan, manifest: Manifest) -> Plan:
    """Freeze a challenge again, from the plan whose claim it attacks."""
    attacked = next((c for c in state.claims.values() if c.candidate == plan.candidate), None)
    if attacked is None:
        raise LookupError(f"no claim is about candidate {plan.candidate}.")
    sides = state.candidates[plan.candidate], state.candidates[plan.comparator]
    base = state.plans[attacked.plan]
    return freeze_challenge(rules_of(state, manifest), register_of(state), base, *sides, plan.condition)


def _deviation_faults(state: CampaignState, plan: Plan, seq: int, manifest: Manifest) -> Iterator[str]:
    before = state.plans[plan.id]
    ran = {e.seed for e in state.executions.values() if e.plan == plan.id}
    spent = max((at for at, seed in enumerate(before.seeds, start=1) if seed in ran), default=0)
    try:
        check_plan(plan, rules_of(state, manifest).metrics)
        check_seeds(plan, register_of(state))
    except EvidenceError as error:
        yield f"The deviation from plan {plan.id} (event {seq}) is none that may be made: {error}"
    if plan.seeds[:spent] != before.seeds[:spent]:
        yield f"The deviation from plan {plan.id} (event {seq}) drops or moves seeds that had run."


def _attempts(state: CampaignState, claim: Claim) -> dict[str, Any]:
    """Return what a claim must say was tried up to it."""
    counted = attempts(state)
    plan = state.plans.get(claim.plan)
    looks = counted.looks + (looks_taken(plan, claim.n) if plan else 0)
    return counted.model_copy(update={"looks": looks}).model_dump()


def _told(counts: Mapping[str, Any]) -> str:
    return ", ".join(f"{value} {name.replace('_', ' ')}" for name, value in counts.items())


def _differences(told: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """Say in which fields two records differ, beyond what another machine's last digits may."""
    differing = [key for key in wanted if not _equal(told.get(key), wanted[key])]
    return "; ".join(f"{key} {told.get(key)!r} where {wanted[key]!r} follows" for key in differing)


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=1e-12)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)

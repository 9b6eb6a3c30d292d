"""Accounts: what was tried for each claim and what it cost, and the dossier of everything a paper may speak of."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict

from agents.model import ModelCall
from agents.records import Claim, Stage, Verdict
from agents.team import Asked, Behind, Closing, Dossier, Ran, Savings, Sifted, Thinking
from flows.evidence import closing, saved
from flows.evidence.savings import FIXED_PAIRS
from flows.ledger.due import horizon_of
from flows.ledger.state import CampaignState, attempts, looks_behind, tried

DUPLICATE = "duplicate-of"
"""How the reason begins for which a proposal is turned away that was had before."""


def behind(state: CampaignState, claim: Claim) -> Behind:
    """Count what was tried for this very claim. The baseline's runs at the screen serve every idea: they are not in."""
    mine = {c.id for c in state.candidates.values() if c.idea == claim.idea}
    attacked = {attack.plan for attack in state.attacks.get(claim.id, ())}
    plans = {claim.plan} | attacked | {challenge.plan for challenge in claim.challenges}
    count = dict.fromkeys(Stage, 0)
    for execution in state.executions.values():
        if execution.plan in plans or (execution.plan is None and execution.candidate in mine):
            count[execution.stage] += 1
    return Behind(
        candidates=len(mine),
        screen=count[Stage.SCREEN],
        confirm=count[Stage.CONFIRM],
        challenge=count[Stage.CHALLENGE],
        executions=sum(count.values()),
        plans=len(plans),
        looks=looks_behind(state, claim),
        challenges=len(claim.challenges),
        model_calls=sum(call.about == claim.idea for call in state.calls.values()),
    )


def asked(calls: Iterable[ModelCall]) -> Asked:
    """Add up calls."""
    told = tuple(calls)
    return Asked(
        calls=len(told),
        requests=sum(call.requests for call in told),
        input=sum(call.input for call in told),
        output=sum(call.output for call in told),
        cached=sum(call.cached for call in told),
        money=math.fsum(call.price or 0.0 for call in told),
        unpriced=sum(call.price is None for call in told),
        estimated=sum(call.estimated for call in told),
    )


def asked_by(state: CampaignState, field: str) -> dict[str, Asked]:
    """Add up the calls of a campaign by a field of theirs, such as `stage`, `role`, `model` or `about`, in order."""
    names = dict.fromkeys(str(getattr(call, field)) for call in state.calls.values())
    return {name: asked(c for c in state.calls.values() if str(getattr(c, field)) == name) for name in names}


def thinking(state: CampaignState) -> Thinking | None:
    """Return what models were asked in a campaign, None where none was."""
    if not state.calls:
        return None
    total = asked(state.calls.values())
    supported = sum(claim.verdict is Verdict.SUPPORTED for claim in state.claims.values())
    priced = supported and not total.unpriced
    return Thinking(
        **total.model_dump(),
        stages=asked_by(state, "stage"),
        per_call=(total.input + total.output) / total.calls,
        share=state.prefixes[1] / max(1, state.prefixes[0]) if state.prefixes else None,
        per_claim=total.money / supported if priced else None,
        ran=ran_within(state),
        sifted=sifted(state),
    )


def ran_within(state: CampaignState) -> Ran:
    """Count, over the ideas that came to something, how many repairs it took until their code ran at the screen."""
    needed: list[int] = []
    crashed = unwritten = 0
    for each in tried(state):
        tries = [
            candidate.id for candidate in state.candidates.values()
            if candidate.idea == each.idea.id and not candidate.branch.startswith("challenge/")
        ]  # fmt: skip
        repairs = next((count for count, id_ in enumerate(tries) if _ran(state, id_)), None)
        if repairs is not None:
            needed.append(repairs)
        elif tries:
            crashed += 1
        elif each.outcome == "crashed":  # A person may have turned it down before anyone tried.
            unwritten += 1
    ideas = len(needed) + crashed + unwritten
    return Ran(
        ideas=ideas,
        at_once=needed.count(0),
        mended=len(needed) - needed.count(0),
        after=tuple(needed.count(repairs) for repairs in range(max(needed, default=-1) + 1)),
        crashed=crashed,
        unwritten=unwritten,
        repairs=(state.spec.get("llm") or {}).get("repairs"),
        share=len(needed) / ideas if ideas else None,
    )


def _ran(state: CampaignState, candidate: str) -> bool:
    screen = state.executions_of(candidate, Stage.SCREEN)
    return bool(screen) and all(execution.outcome == "ok" for execution in screen)


def sifted(state: CampaignState) -> Sifted:
    """Count what was proposed and what of it was turned away as a duplicate; an answer without any idea is none."""
    duplicates = [each for each in state.rejected if each.why.startswith(DUPLICATE)]
    proposals = len(state.ideas) + sum(bool(each.title) for each in state.rejected)
    return Sifted(
        proposals=proposals,
        duplicates=len(duplicates),
        failed=sum(each.why.startswith(f"{DUPLICATE}-failed") for each in duplicates),
        share=len(duplicates) / proposals if proposals else None,
    )


def before_the_paper(evidence: Dossier) -> Dossier:
    """Return the dossier without what writing about it adds to, so that whoever goes on writing asks the same again."""
    return evidence.model_copy(
        update={
            "thinking": None,
            "attempts": evidence.attempts.model_copy(update={"model_calls": 0}),
            "behind": {id_: b.model_copy(update={"model_calls": 0}) for id_, b in evidence.behind.items()},
        }
    )


def savings(state: CampaignState) -> Savings:
    """Return what racing and early stopping saved against a fixed design."""
    seen = saved(tuple(state.executions.values()))
    return Savings(
        pairs=FIXED_PAIRS,
        **{name: value for name, value in asdict(seen).items() if name in Savings.model_fields},
        used=seen.used,
        share=seen.share,
        share_shared=seen.share_shared,
    )


def closing_report(state: CampaignState) -> Closing:
    """Return which claims stand when all e-values are looked at together.

    Raises:
        PlanRefused: there are more tested claims than the campaign declared plans.
    """
    claims = tuple(state.claims.values())
    return Closing.model_validate(asdict(closing(claims, state.spec["alpha"], horizon_of(state))))


def dossier(state: CampaignState) -> Dossier:
    """Return everything a paper may speak of.

    Raises:
        PlanRefused: there are more tested claims than the campaign declared plans.
    """
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
        behind={claim.id: behind(state, claim) for claim in state.claims.values()},
        attacks=state.attacks,
        left_out=state.left_out,
        references=tuple(state.references.values()),
        thinking=thinking(state),
        saved=savings(state),
        closing=closing_report(state),
    )

"""Deviating: a plan changed after its freeze, by a person and while nothing runs: journalled and committed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from agents.records import Claim, Deviation, Plan, Stage
from flows.errors import CampaignClosed, DeviationRefused
from flows.evidence import EvidenceError, check_plan, check_seeds, deviated, judge, rederive
from flows.ledger.due import register_of, rules_of
from flows.ledger.errors import CampaignUnknown
from flows.ledger.folds import apply, reduce_events
from flows.ledger.journal import FileJournal
from flows.ledger.lease import Lease
from flows.ledger.reading import campaign_names
from flows.ledger.record import plan_commits
from flows.ledger.state import CampaignState
from flows.ledger.workspace import Workspace
from flows.reporting import template_of
from flows.settings import campaign_folder
from templates.manifest import Manifest

KEPT = ("metric", "maximize")
"""Fields that evidence would allow to change, and that the idea behind a claim does not."""


def deviate(  # noqa: PLR0913 - what, why and the new fields are one act
    home: Path, name: str, plan_id: str, what: str, why: str, changes: Mapping[str, Any]
) -> Plan:
    """Change a plan of an open campaign and return it as it is carried out from now on.

    Raises:
        CampaignUnknown: there is no such campaign.
        CampaignBusy: another process works on it.
        CampaignClosed: it has ended; its plans have been carried out.
        DeviationRefused: there is no such plan, or it may not be changed so.
    """
    if name not in campaign_names(home):
        raise CampaignUnknown(name, campaign_names(home))
    folder = campaign_folder(home, name)
    with ExitStack() as stack:
        lease = stack.enter_context(Lease.acquire(folder, _now))
        journal = stack.enter_context(FileJournal(folder / "journal.jsonl", _now, lease.token))
        state = reduce_events(journal.events())
        deviation = _admitted(name, state, Deviation.model_construct(
            plan=plan_id, what=what, why=why, at=f"{_now():%Y-%m-%dT%H:%M:%SZ}", changes=dict(changes)
        ))  # fmt: skip
        state = apply(state, journal.append("deviation", deviation))
        claim = state.claim_of(plan_id)
        if claim is not None:
            state = apply(state, journal.append("claim", _again(state, claim)))
        workspace = Workspace.open(folder / "repo")
        for made in plan_commits(state, plan_id):
            at = journal.events()[made.seq - 1].at
            workspace.commit_files(made.files, made.subject, made.trailers, at=at)
        return state.plans[plan_id]


def _admitted(name: str, state: CampaignState, told: Deviation) -> Deviation:
    """Return the deviation, checked against everything that a plan must hold.

    Raises:
        CampaignClosed: the campaign has ended.
        DeviationRefused: the plan may not be changed so.
    """
    if state.closed is not None:
        raise CampaignClosed(name)
    plan = state.plans.get(told.plan)
    if plan is None:
        known = ", ".join(p.id for p in state.plans.values() if p.stage is Stage.CONFIRM) or "none yet"
        raise DeviationRefused(told.plan, f"it was never registered. Registered in {name}: {known}")
    if plan.stage is Stage.CHALLENGE:
        raise DeviationRefused(plan.id, "it is a challenge; one that was changed would attack something else")
    if kept := [key for key in KEPT if key in told.changes]:
        raise DeviationRefused(plan.id, f"{kept[0]} is what idea {plan.idea} predicts; another one is another idea")
    if told.changes and (claim := state.claim_of(plan.id)) is not None:
        why = f"claim {claim.id} has decided it; without --set the deviation is recorded and the claim exploratory"
        raise DeviationRefused(plan.id, why)
    try:
        deviation = Deviation.model_validate(told.model_dump())
        changed = deviated(plan, deviation)
        _check(state, plan, changed, template_of(state).manifest)
    except ValidationError as error:
        first = error.errors()[0]
        raise DeviationRefused(plan.id, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    except EvidenceError as error:
        raise DeviationRefused(plan.id, str(error).rstrip(".")) from error
    return deviation


def _check(state: CampaignState, plan: Plan, changed: Plan, manifest: Manifest) -> None:
    """Hold the changed plan against the gate and against what has run of it.

    Raises:
        EvidenceError: it does not pass.
        DeviationRefused: seeds that have run are left out or out of order.
    """
    check_plan(changed, rules_of(state, manifest).metrics)
    check_seeds(changed, register_of(state))
    sides = [state.executions_of(side, plan.stage, plan.id) for side in (plan.candidate, plan.comparator)]
    ran = {execution.seed for side in sides for execution in side}
    spent = max((at for at, seed in enumerate(plan.seeds, start=1) if seed in ran), default=0)
    if changed.seeds[:spent] != plan.seeds[:spent]:
        raise DeviationRefused(plan.id, f"its first {spent} seeds have run and stay where they are")
    judge(changed, *sides)


def _again(state: CampaignState, claim: Claim) -> Claim:
    """Return a claim that was made before its plan was found to have been deviated from."""
    return rederive(claim, state.plans, state.ideas, tuple(state.executions.values()))


def _now() -> datetime:
    return datetime.now(UTC)

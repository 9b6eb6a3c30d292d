"""What every registered plan has in common: the rules it is frozen by, its commit, its executions, its decision."""

from __future__ import annotations

from collections.abc import Sequence

from agents.records import Plan, Stage
from flows.evidence import Decision, Register, Rules, judge
from flows.executions import ExecutionRequest, prepare_data, wanted
from flows.ledger import due
from flows.ledger.record import plan_commits
from flows.opened import OpenCampaign
from flows.tasks import run_all


def rules_of(campaign: OpenCampaign) -> Rules:
    """Return what holds for every plan of the campaign."""
    return due.rules_of(campaign.state, campaign.template.manifest)


def register_of(campaign: OpenCampaign) -> Register:
    """Return what is registered so far; a claim counts as a discovery once its challenges are settled."""
    return due.register_of(campaign.state)


def commit_plan(campaign: OpenCampaign, plan: Plan) -> None:
    """Put the plan under version control, as it was frozen and as it was changed, each bound to its event."""
    for made in plan_commits(campaign.state, plan.id):
        campaign.workspace.commit_files(made.files, made.subject, made.trailers, at=campaign.time_of(made.seq))


def carry_out(campaign: OpenCampaign, plans: Sequence[Plan]) -> None:
    """Spend seeds look by look, all open plans side by side, until the rule of each has decided it."""
    undecided = [plan for plan in plans if decided(campaign, plan).continue_]
    for condition in dict.fromkeys(plan.condition for plan in undecided):
        seeds = [seed for plan in undecided if plan.condition == condition for seed in plan.seeds]
        prepare_data(campaign, Stage.CONFIRM, seeds, condition)
    while undecided:
        run_all(campaign, [request for plan in undecided for request in _next_look(campaign, plan)])
        undecided = [plan for plan in undecided if decided(campaign, plan).continue_]


def decided(campaign: OpenCampaign, plan: Plan) -> Decision:
    """Apply the plan's rule to what has run so far."""
    sides = (campaign.state.executions_of(side, plan.stage, plan.id) for side in (plan.candidate, plan.comparator))
    return judge(plan, *sides)


def _next_look(campaign: OpenCampaign, plan: Plan) -> list[ExecutionRequest]:
    done = decided(campaign, plan).n
    seeds = plan.seeds[: next(look for look in plan.looks if look > done)]
    sides = [campaign.state.candidates[side] for side in (plan.candidate, plan.comparator)]
    return [r for seed in seeds for side in sides for r in wanted(campaign, side, plan.stage, (seed,), plan)]

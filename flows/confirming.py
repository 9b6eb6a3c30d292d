"""Confirming: plans are frozen, fresh seeds are spent look by look, and the evidence decides."""

from __future__ import annotations

from agents.records import Plan, Stage
from flows.challenging import challenge
from flows.evidence import PlanRefused, Screened, build_claim, freeze, looks_taken
from flows.ledger import due
from flows.ledger.state import attempts, tried
from flows.opened import OpenCampaign
from flows.people import ask
from flows.registered import carry_out, commit_plan, decided, register_of, rules_of
from flows.search.strategy import choose_finalists


def confirm(campaign: OpenCampaign, number: int) -> None:
    """Register plans for the round's finalists, carry them out, and challenge what they support."""
    if number not in campaign.state.finalists:
        mine = [t for t in tried(campaign.state) if t.idea.round == number]
        chosen = choose_finalists(mine, campaign.spec.budget.plans_per_round)
        campaign.append("finalists", {"round": number, "ideas": [idea.id for idea in chosen]})
    ask(campaign, "plans", number)
    plans = [p for p in (_registered(campaign, i) for i in campaign.state.finalists[number]) if p]
    carry_out(campaign, plans)
    for plan in plans:
        _claim(campaign, plan)
    challenge(campaign, [claim for plan in plans if (claim := campaign.state.claim_of(plan.id))])


def _registered(campaign: OpenCampaign, idea_id: str) -> Plan | None:
    """Return the plan of an idea, frozen in the journal and committed before anything of it runs."""
    state = campaign.state
    plan = next((p for p in state.plans.values() if p.idea == idea_id and p.stage is Stage.CONFIRM), None)
    if plan is None and idea_id in state.turned_away("plans"):
        return None
    if plan is None and not due.plan_affordable(state, campaign.template.manifest):
        text = due.no_plan(idea_id) + "what is left of the budget of executions could not carry it out."
        campaign.append("notice", {"text": text})
        return None
    if plan is None:
        idea, seen = state.ideas[idea_id], state.screened[idea_id]
        sides = state.candidate_of(idea_id), state.candidates["c0"]
        try:
            plan = freeze(
                rules_of(campaign), register_of(campaign), idea, *sides, Screened(seen.effect, seen.spread, seen.passed)
            )
        except PlanRefused as error:
            campaign.append("notice", {"text": f"{due.no_plan(idea_id)}{error}"})
            return None
        campaign.append("plan", plan)
    commit_plan(campaign, plan)
    return plan


def _claim(campaign: OpenCampaign, plan: Plan) -> None:
    state = campaign.state
    if state.claim_of(plan.id) is not None:
        return
    sides = [state.executions_of(side, plan.stage, plan.id) for side in (plan.candidate, plan.comparator)]
    decision, before = decided(campaign, plan), attempts(state)
    tried_so_far = before.model_copy(update={"looks": before.looks + looks_taken(plan, decision.n)})
    campaign.append("claim", build_claim(plan, state.ideas[plan.idea], sides[0], sides[1], decision, tried_so_far))

"""Confirm and challenge: plans are frozen, fresh seeds are spent look by look, and the evidence decides."""

from __future__ import annotations

from collections.abc import Sequence

from agents.embedded.patcher import apply_factors
from agents.records import Candidate, Claim, Edit, Idea, Patch, Plan, Stage, Verdict
from flows.evidence import (
    Decision,
    PlanRefused,
    Register,
    Rules,
    bet_scale,
    build_claim,
    freeze,
    freeze_challenge,
    judge,
    judge_challenge,
    looks_taken,
    with_challenge,
)
from flows.executions import ExecutionRequest, prepare_data, wanted
from flows.ledger.state import attempts, tried
from flows.opened import OpenCampaign
from flows.search.strategy import choose_finalists
from flows.tasks import run_all


def confirm(campaign: OpenCampaign, number: int) -> None:
    """Register plans for the round's finalists, carry them out, and challenge what they support."""
    if number not in campaign.state.finalists:
        mine = [t for t in tried(campaign.state) if t.idea.round == number]
        chosen = choose_finalists(mine, campaign.spec.budget.plans_per_round)
        campaign.append("finalists", {"round": number, "ideas": [idea.id for idea in chosen]})
    plans = [p for p in (_registered(campaign, i) for i in campaign.state.finalists[number]) if p]
    _carry_out(campaign, plans)
    for plan in plans:
        _claim(campaign, plan)
    claims = [claim for plan in plans if (claim := campaign.state.claim_of(plan.id))]
    open_claims = [c for c in claims if c.verdict is Verdict.SUPPORTED and not c.challenges]
    challenges = {claim.id: _challenged(campaign, claim) for claim in open_claims}
    _carry_out(campaign, list(challenges.values()))
    for claim in open_claims:
        _conclude(campaign, claim, challenges[claim.id])


def _rules(campaign: OpenCampaign) -> Rules:
    return Rules.of(campaign.template.manifest, campaign.spec.alpha, campaign.spec.horizon)


def _register(campaign: OpenCampaign) -> Register:
    """What is registered so far; a claim counts as a discovery once its challenge is settled."""
    state = campaign.state
    settled = (c for c in state.claims.values() if c.verdict is Verdict.SUPPORTED and c.challenges)
    searched = {e.seed for e in state.executions.values() if e.stage in (Stage.BASELINE, Stage.SCREEN)}
    return Register(tuple(state.plans.values()), frozenset(c.plan for c in settled), frozenset(searched))


def _registered(campaign: OpenCampaign, idea_id: str) -> Plan | None:
    """Return the plan of an idea, frozen in the journal and committed before anything of it runs."""
    state = campaign.state
    plan = next((p for p in state.plans.values() if p.idea == idea_id and p.stage is Stage.CONFIRM), None)
    if plan is None and not _affordable(campaign):
        text = f"No plan for idea {idea_id}: what is left of the budget of executions could not carry it out."
        campaign.append("notice", {"text": text})
        return None
    if plan is None:
        idea, seen = state.ideas[idea_id], state.screened[idea_id]
        scale = bet_scale(seen.effect or 0.0, seen.spread or 0.0, idea.least_effect)
        sides = state.candidate_of(idea_id), state.candidates["c0"]
        try:
            plan = freeze(_rules(campaign), _register(campaign), idea, *sides, scale)
        except PlanRefused as error:
            campaign.append("notice", {"text": f"No plan for idea {idea_id}: {error}"})
            return None
        campaign.append("plan", plan)
    _commit(campaign, plan)
    return plan


def _affordable(campaign: OpenCampaign) -> bool:
    """Whether one more plan and its challenge can be run to their last seed, beside the plans that are open.

    A plan that the budget ends half-way would have spent its level for nothing.
    """
    state, pairs = campaign.state, campaign.template.manifest.seeds.confirm
    undecided = sum(plan.stage is Stage.CONFIRM and state.claim_of(plan.id) is None for plan in state.plans.values())
    return len(state.executions) + 4 * pairs * (undecided + 1) <= campaign.spec.budget.executions


def _commit(campaign: OpenCampaign, plan: Plan) -> None:
    """Put the plan under version control, bound to its place in the journal; twice the same call is one commit."""
    frozen = campaign.state.plan_events[plan.id]
    campaign.workspace.commit_files(
        {f"plans/{plan.id}.json": (plan.model_dump_json(indent=1) + "\n").encode()},
        f"Plan {plan.id}: {campaign.state.ideas[plan.idea].title}",
        {"Plan": plan.id, "Idea": plan.idea, "Journal": f"{frozen.seq} {frozen.hash}"},
        at=campaign.time_of(frozen.seq),
    )


def _carry_out(campaign: OpenCampaign, plans: Sequence[Plan]) -> None:
    """Spend seeds look by look, all open plans side by side, until the rule of each has decided it."""
    undecided = [plan for plan in plans if judged(campaign, plan).continue_]
    prepare_data(campaign, Stage.CONFIRM, [seed for plan in undecided for seed in plan.seeds])
    while undecided:
        run_all(campaign, [request for plan in undecided for request in _next_look(campaign, plan)])
        undecided = [plan for plan in undecided if judged(campaign, plan).continue_]


def judged(campaign: OpenCampaign, plan: Plan) -> Decision:
    """Apply the plan's rule to what has run so far."""
    return judge(plan, *(campaign.state.executions_of(side, plan.stage, plan.id) for side in _sides(plan)))


def _sides(plan: Plan) -> tuple[str, str]:
    return plan.candidate, plan.comparator


def _next_look(campaign: OpenCampaign, plan: Plan) -> list[ExecutionRequest]:
    done = judged(campaign, plan).n
    seeds = plan.seeds[: next(look for look in plan.looks if look > done)]
    sides = [campaign.state.candidates[side] for side in _sides(plan)]
    return [r for seed in seeds for side in sides for r in wanted(campaign, side, plan.stage, (seed,), plan.id)]


def _claim(campaign: OpenCampaign, plan: Plan) -> None:
    state = campaign.state
    if state.claim_of(plan.id) is not None:
        return
    sides = [state.executions_of(side, plan.stage, plan.id) for side in _sides(plan)]
    decision, before = judged(campaign, plan), attempts(state)
    tried_so_far = before.model_copy(update={"looks": before.looks + looks_taken(plan, decision.n)})
    campaign.append("claim", build_claim(plan, state.ideas[plan.idea], sides[0], sides[1], decision, tried_so_far))


def _challenged(campaign: OpenCampaign, claim: Claim) -> Plan:
    """Return the plan that compares the claim's candidate with what is left of it without the claimed cause."""
    state = campaign.state
    ablated = _ablated(campaign, claim)
    plan = next((p for p in state.plans.values() if p.comparator == ablated.id and p.stage is Stage.CHALLENGE), None)
    if plan is None:
        plan = freeze_challenge(
            _rules(campaign), _register(campaign), state.plans[claim.plan], state.candidates[claim.candidate], ablated
        )
        campaign.append("plan", plan)
    _commit(campaign, plan)
    return plan


def removed_cause(campaign: OpenCampaign, idea: Idea) -> tuple[str, ...]:
    """Return what an ablation takes out: all factors, for a combination those beside what its first parent had.

    A combination claims that the parts do more than the first of them alone; what that one did is claimed elsewhere.
    """
    inherited = campaign.state.ideas[idea.parents[0]].factors if len(idea.parents) > 1 else ()
    return tuple(name for name in idea.factors if name not in inherited) or idea.factors


def _ablated(campaign: OpenCampaign, claim: Claim) -> Candidate:
    state = campaign.state
    branch = f"challenge/{claim.id}"
    existing = next((c for c in state.candidates.values() if c.branch == branch), None)
    if existing:
        return existing
    candidate, idea = state.candidates[claim.candidate], state.ideas[claim.idea]
    removed = removed_cause(campaign, idea)
    kept = tuple(name for name in candidate.factors if name not in removed)
    sources = campaign.template.sources()
    texts = sources | apply_factors(campaign.template, kept, sources)
    patch = Patch(
        idea=idea.id,
        by="hypoloop",
        summary=f"Challenge {claim.id}: without {', '.join(removed)}",
        edits=tuple(Edit(path=path, text=text) for path, text in sorted(texts.items())),
    )
    id_ = f"c{len(state.candidates)}"
    commit = campaign.workspace.commit_candidate(
        patch,
        candidate.commit,
        branch,
        {"Idea": idea.id, "Candidate": id_, "Challenge": claim.id},
        at=campaign.time_of(state.seqs[claim.id]),
    )
    ablated = Candidate(id=id_, idea=idea.id, commit=commit, parent=candidate.commit, branch=branch, factors=kept)
    campaign.append("candidate", ablated)
    return ablated


def _conclude(campaign: OpenCampaign, claim: Claim, plan: Plan) -> None:
    state = campaign.state
    removed = removed_cause(campaign, state.ideas[claim.idea])
    # Without its only change a candidate is the baseline again: what is left to ask is whether the gain repeats.
    kind = "ablation" if state.candidates[plan.comparator].factors else "replication"
    challenge = judge_challenge(plan, judged(campaign, plan), kind=kind, removed=removed)
    campaign.append("claim", with_challenge(claim, challenge))

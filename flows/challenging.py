"""Challenging: what is done to refute the claims that held, decided and journalled before any of it runs."""

from __future__ import annotations

from collections.abc import Sequence

from agents.records import Attack, Candidate, Claim, Edit, Patch, Plan, Stage, Verdict
from flows.evidence import attack_title, freeze_challenge, judge_challenge, with_challenge
from flows.ledger import due
from flows.opened import OpenCampaign
from flows.registered import carry_out, commit_plan, decided, register_of, rules_of


def challenge(campaign: OpenCampaign, claims: Sequence[Claim]) -> None:
    """Register every attack on the supported among `claims`, carry them out side by side, and take what they say."""
    standing = [c for c in claims if c.verdict is Verdict.SUPPORTED or c.id in campaign.state.attacks]
    attacks = {claim.id: _registered(campaign, claim) for claim in standing}
    carry_out(campaign, [campaign.state.plans[attack.plan] for each in attacks.values() for attack in each])
    for id_, each in attacks.items():
        for attack in each[len(campaign.state.claims[id_].challenges) :]:
            plan = campaign.state.plans[attack.plan]
            said = judge_challenge(plan, decided(campaign, plan), attack)
            campaign.append("claim", with_challenge(campaign.state.claims[id_], said))


def _registered(campaign: OpenCampaign, claim: Claim) -> tuple[Attack, ...]:
    """Return the attacks on a claim, each with its plan frozen and committed; those beyond the budget are named."""
    if claim.id not in campaign.state.attacks:
        made: list[Attack] = []
        left_out: list[str] = []
        manifest = campaign.template.manifest
        for kind, removed, condition in due.attacks_due(campaign.state.plans[claim.plan], manifest):
            told = due.title_of(condition, manifest)
            frozen = _frozen(campaign, claim, claim.comparator, condition)
            if condition is not None and not frozen and not due.attack_affordable(campaign.state, manifest):
                left_out.append(attack_title(Attack(plan="", kind=kind, removed=removed, condition=told)))
                continue
            plan = _plan(campaign, claim, removed, condition)
            made.append(Attack(plan=plan.id, kind=kind, removed=removed, condition=told))
        attacks = [attack.model_dump(mode="json") for attack in made]
        campaign.append("attacks", {"claim": claim.id, "attacks": attacks, "left_out": left_out})
    for attack in campaign.state.attacks[claim.id]:
        commit_plan(campaign, campaign.state.plans[attack.plan])
    return campaign.state.attacks[claim.id]


def _plan(campaign: OpenCampaign, claim: Claim, removed: tuple[str, ...], condition: str | None) -> Plan:
    """Return the plan of one attack, frozen in the journal."""
    state = campaign.state
    comparator = _ablated(campaign, claim, removed) if removed else state.candidates[claim.comparator]
    if existing := _frozen(campaign, claim, comparator.id, condition):
        return existing
    frozen = freeze_challenge(
        rules_of(campaign),
        register_of(campaign),
        state.plans[claim.plan],
        state.candidates[claim.candidate],
        comparator,
        condition,
    )
    campaign.append("plan", frozen)
    return frozen


def _frozen(campaign: OpenCampaign, claim: Claim, comparator: str, condition: str | None) -> Plan | None:
    """Return the plan of an attack that was frozen before an interruption."""
    sought = (Stage.CHALLENGE, claim.candidate, comparator, condition)
    plans = campaign.state.plans.values()
    return next((p for p in plans if (p.stage, p.candidate, p.comparator, p.condition) == sought), None)


def _ablated(campaign: OpenCampaign, claim: Claim, removed: tuple[str, ...]) -> Candidate:
    """Return the claim's candidate without some of its factors, committed and journalled as a candidate of its own."""
    state = campaign.state
    branch = f"challenge/{claim.id}-{'-'.join(removed)}"
    existing = next((c for c in state.candidates.values() if c.branch == branch), None)
    if existing:
        return existing
    candidate, idea = state.candidates[claim.candidate], state.ideas[claim.idea]
    kept = due.kept_factors(candidate, removed)
    texts = due.ablated_sources(campaign.template, candidate, removed)
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

"""Claims: the one place where a claim is built or changed. Everything in it follows from executions and their plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from agents.records import Attempts, Challenge, Claim, Execution, Idea, Plan, Stage, Verdict
from flows.evidence.decide import Decision, Ending, decide, looks_taken
from flows.evidence.errors import ClaimRefused
from flows.evidence.pairs import pair

BASELINE = "c0"
REPLICATION = "replication"


def judge(plan: Plan, candidate: Sequence[Execution], comparator: Sequence[Execution]) -> Decision:
    """Pair the two sides' executions so far and apply the plan's rule.

    An execution that failed on either side, before a look has ended the plan, ends it as inconclusive: to go on
    without that seed would be to choose among seeds.

    Raises:
        ExecutionsInvalid: one is not registered by the plan, or a seed has two results.
        PlanRefused: the plan's looks are no rule.
    """
    pairs = pair(plan, candidate, comparator)
    decision = decide(plan, pairs.differences)
    if not decision.continue_ or not pairs.failed:
        return decision
    first = pairs.failed[0]
    return Decision(
        ending=Ending.FAILED,
        reason=f"{first.candidate} gave no result on seed {first.seed} ({first.outcome}), "
        f"after {len(pairs.seeds)} complete pairs.",
        n=decision.n,
        estimate=decision.estimate,
        interval=decision.interval,
        e_value=decision.e_value,
        e_reverse=decision.e_reverse,
    )


def build_claim(
    plan: Plan,
    idea: Idea,
    candidate: Sequence[Execution],
    comparator: Sequence[Execution],
    decision: Decision,
    attempts: Attempts,
) -> Claim:
    """Return the claim that the executions of the two sides allow; `decision` must be what `judge` says of them.

    Only the pairs up to the look that decided are in it. A plan that failed before its first pair makes an
    inconclusive claim with `n` zero: nothing was measured, and its estimate and means are zeros that mean nothing.

    Raises:
        ClaimRefused: the plan is undecided, is a challenge, belongs to another idea, or the decision does not follow.
        ExecutionsInvalid: as for `judge`.
    """
    verdict = decision.verdict
    if plan.stage is not Stage.CONFIRM or (plan.idea, plan.metric) != (idea.id, idea.metric):
        raise ClaimRefused(f"Plan {plan.id} is not the confirmation of what idea {idea.id} predicts.")
    if verdict is None:
        raise ClaimRefused(f"Plan {plan.id} is undecided after {decision.n} pairs; run on to its next look.")
    if decision != judge(plan, candidate, comparator):
        raise ClaimRefused(f"The decision on plan {plan.id} does not follow from its executions.")
    pairs, n = pair(plan, candidate, comparator), decision.n
    one, other = _mean(pairs.candidate[:n]), _mean(pairs.comparator[:n])
    estimate = decision.estimate or 0.0
    failed = tuple(e.key for e in pairs.failed) if decision.ending is Ending.FAILED else ()
    return Claim(
        id=plan.id.replace("p", "k", 1),
        plan=plan.id,
        idea=idea.id,
        candidate=plan.candidate,
        comparator=plan.comparator,
        statement=_statement(plan, idea, decision),
        metric=plan.metric,
        verdict=verdict,
        reason=decision.reason,
        estimate=estimate,
        interval=decision.interval,
        relative=estimate / abs(other) if other else None,
        candidate_mean=one,
        comparator_mean=other,
        n=n,
        looks=looks_taken(plan, n),
        e_value=decision.e_value,
        level=plan.level,
        alpha=plan.alpha,
        deterministic=plan.deterministic,
        executions=tuple(key for seed in pairs.seeds[:n] for key in pairs.keys[seed]) + failed,
        attempts=attempts,
    )


def judge_challenge(plan: Plan, decision: Decision, kind: str, removed: Sequence[str] = ()) -> Challenge:
    """Return what came of a challenge: `plan` compares the claim's candidate with what is left without its cause.

    It survives when its gain over the ablated code is supported once more, on fresh seeds. It is refuted when that
    gain is shown to be below the least effect: the ablated code kept it. Otherwise nothing is settled.

    Raises:
        ClaimRefused: the plan is no challenge, or is undecided.
    """
    if plan.stage is not Stage.CHALLENGE or decision.verdict is None:
        raise ClaimRefused(f"Plan {plan.id} is no challenge that was decided.")
    repeated = kind == REPLICATION
    says = {
        Verdict.SUPPORTED: "The gain was there again on further seeds."
        if repeated
        else "The gain was there again, and it goes when its claimed cause is removed.",
        Verdict.REFUTED: "The gain was not there again on further seeds."
        if repeated
        else "The gain remains without its claimed cause.",
        Verdict.INCONCLUSIVE: "Not settled with the pairs that were registered.",
    }
    return Challenge(
        plan=plan.id,
        kind=kind,
        removed=tuple(removed),
        survived=decision.verdict is Verdict.SUPPORTED,
        refutes=decision.verdict is Verdict.REFUTED,
        estimate=decision.estimate or 0.0,
        interval=decision.interval,
        e_value=decision.e_value,
        n=decision.n,
        says=says[decision.verdict],
    )


def with_challenge(claim: Claim, challenge: Challenge) -> Claim:
    """Return the claim with one more challenge. Refuted by it, the claim is refuted as stated; else it stands.

    Raises:
        ClaimRefused: the claim is not supported, or had this very challenge.
    """
    if claim.verdict is not Verdict.SUPPORTED:
        raise ClaimRefused(f"Claim {claim.id} is {claim.verdict}; only a supported claim is challenged.")
    if challenge.plan == claim.plan or any(challenge.plan == earlier.plan for earlier in claim.challenges):
        raise ClaimRefused(f"Plan {challenge.plan} says nothing new about claim {claim.id}.")
    changes: dict[str, object] = {"challenges": (*claim.challenges, challenge)}
    if challenge.refutes:
        changes["verdict"] = Verdict.REFUTED
        changes["reason"] = challenge.says
        changes["statement"] = f"{claim.statement.rstrip('.')}, yet {challenge.says[0].lower()}{challenge.says[1:]}"
    return claim.model_copy(update=changes)


def rederive(
    claim: Claim, plans: Mapping[str, Plan], ideas: Mapping[str, Idea], executions: Sequence[Execution]
) -> Claim:
    """Build a recorded claim again, its challenges too, from the executions of a campaign. It must equal the record.

    `attempts` is taken over: it is counted in the journal, not in the evidence.

    Raises:
        EvidenceError: the executions allow no such claim.
        KeyError: a plan or an idea is missing.
    """
    plan = plans[claim.plan]
    sides = _sides(plan, executions)
    again = build_claim(plan, ideas[claim.idea], *sides, judge(plan, *sides), claim.attempts)
    for recorded in claim.challenges:
        challenge = plans[recorded.plan]
        decision = judge(challenge, *_sides(challenge, executions))
        again = with_challenge(again, judge_challenge(challenge, decision, recorded.kind, recorded.removed))
    return again


def _sides(plan: Plan, executions: Sequence[Execution]) -> tuple[list[Execution], list[Execution]]:
    own = [execution for execution in executions if execution.plan == plan.id]
    return (
        [execution for execution in own if execution.candidate != plan.comparator],
        [execution for execution in own if execution.candidate == plan.comparator],
    )


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else 0.0


def _statement(plan: Plan, idea: Idea, decision: Decision) -> str:
    """Say in words what was found; numbers are bound elsewhere, so a name that holds a digit gives way to a phrase."""
    what = f"The change \N{LEFT DOUBLE QUOTATION MARK}{idea.title}\N{RIGHT DOUBLE QUOTATION MARK}"
    what = what if _plain(idea.title) else "The registered change"
    metric = plan.metric.replace("_", " ") if _plain(plan.metric) else "registered metric"
    lowers, lower = ("raises", "raise") if plan.maximize else ("lowers", "lower")
    of = "of the baseline" if plan.comparator == BASELINE else "of its comparator"
    subject = what[0].lower() + what[1:]
    if decision.n == 0:
        return f"Whether {subject} {lowers} the {metric} {of} could not be measured."
    return {
        Ending.SUPPORTED: f"{what} {lowers} the {metric} {of}.",
        Ending.REFUTED: f"{what} does not {lower} the {metric} {of} by the registered least effect.",
        Ending.TOO_SMALL: f"{what} {lowers} the {metric} {of}; whether by the registered least effect is not settled.",
    }.get(decision.ending, f"Whether {subject} {lowers} the {metric} {of} is not settled.")


def _plain(name: str) -> bool:
    return not any(char.isdigit() for char in name)

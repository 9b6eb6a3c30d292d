"""Claims: the one place where a claim is built or changed. Everything in it follows from executions and their plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from agents.records import Attempts, Claim, Execution, Idea, Plan, Stage
from flows.evidence.challenges import attack_of, judge_challenge, with_challenge
from flows.evidence.decide import Decision, decide, looks_taken
from flows.evidence.errors import ClaimRefused
from flows.evidence.pairs import OK, pair
from flows.evidence.rule import Ending

BASELINE = "c0"


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
    why = f"a {plan.metric} beyond its range" if plan.range and first.outcome == OK else first.outcome
    return Decision(
        ending=Ending.FAILED,
        reason=f"{first.candidate} gave no result on seed {first.seed} ({why}), "
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
        location=plan.location,
        exploratory=bool(plan.deviations),
        executions=tuple(key for seed in pairs.seeds[:n] for key in pairs.keys[seed]) + failed,
        attempts=attempts,
    )


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
        again = with_challenge(again, judge_challenge(challenge, decision, attack_of(recorded)))
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
    of += {"centre": "", "median": " in the median pair", "mean": " on average"}[plan.location]
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

"""The series behind the figures: plain data, computed from the journal's executions alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from agents.records import Claim, Execution, Plan, Stage
from agents.team import Dossier
from flows.evidence.eprocess import e_values
from flows.evidence.pairs import Pairs, pair

BASELINE = "c0"
Series = dict[str, Any]


def pairs_behind(claim: Claim, plan: Plan, executions: Sequence[Execution]) -> Pairs:
    """Return the pairs that a claim rests on.

    Raises:
        ExecutionsInvalid: the claim names an execution that its plan did not register.
    """
    keys = set(claim.executions)
    behind = [run for run in executions if run.key in keys and run.plan == plan.id]
    sides = ([run for run in behind if run.candidate == side] for side in (plan.candidate, plan.comparator))
    return pair(plan, *sides)


def differences(dossier: Dossier, executions: Sequence[Execution]) -> Series:
    """Per claim: the paired differences, their mean, the interval, and the least effect of interest."""
    plans = {plan.id: plan for plan in dossier.plans}
    return {"kind": "differences", "claims": [_claim(c, plans[c.plan], executions) for c in dossier.claims]}


def _claim(claim: Claim, plan: Plan, executions: Sequence[Execution]) -> Series:
    pairs = pairs_behind(claim, plan, executions)
    return {
        "claim": claim.id,
        "candidate": claim.candidate,
        "verdict": claim.verdict.value,
        "labels": list(claim.labels),
        "seeds": list(pairs.seeds),
        "differences": list(pairs.differences),
        "estimate": claim.estimate,
        "interval": claim.interval,
        "least_effect": plan.least_effect,
    }


def search(dossier: Dossier, executions: Sequence[Execution], *, metric: str, maximize: bool) -> Series:
    """Every execution of the search in order, the baseline's mean, and the best candidate's mean so far.

    The best so far is a mean over a candidate's seeds, taken after its last screening execution: the best single seed
    would be luck.
    """
    runs = [run for run in executions if run.stage in (Stage.BASELINE, Stage.SCREEN)]
    values = [run.metrics.get(metric) if run.metrics else None for run in runs]
    by_candidate: dict[str, list[int]] = {}
    for index, run in enumerate(runs):
        by_candidate.setdefault(run.candidate, []).append(index)
    means = {c: fmean(v) for c, at in by_candidate.items() if (v := [x for i in at if (x := values[i]) is not None])}
    return {
        "kind": "search",
        "metric": metric,
        "maximize": maximize,
        "candidates": [run.candidate for run in runs],
        "seeds": [run.seed for run in runs],
        "outcomes": [run.outcome for run in runs],
        "values": values,
        "baseline": means.get(BASELINE),
        "best_so_far": _best(by_candidate, means, len(runs), maximize),
    }


def _best(
    by_candidate: Mapping[str, Sequence[int]], means: Mapping[str, float], length: int, maximize: bool
) -> list[float | None]:
    better = max if maximize else min
    ends = {at[-1]: means[candidate] for candidate, at in by_candidate.items() if candidate in means}
    best: float | None = None
    series: list[float | None] = []
    for index in range(length):
        if index in ends:
            best = ends[index] if best is None else better(best, ends[index])
        series.append(best)
    return series


def evidence(dossier: Dossier, executions: Sequence[Execution]) -> Series:
    """Per claim with chance in it: the e-value after every pair, times the plan's level; from one on it suffices."""
    plans = {plan.id: plan for plan in dossier.plans}
    shown = []
    for claim in dossier.claims:
        plan = plans[claim.plan]
        values = pairs_behind(claim, plan, executions).differences
        if plan.deterministic or not values:
            continue
        relative = [plan.level, *(plan.level * e_values(values, plan.scale)).tolist()]
        looks = [n for n in plan.looks if n <= len(values)]
        shown.append(
            {"claim": claim.id, "plan": plan.id, "verdict": claim.verdict.value, "looks": looks, "relative": relative}
        )
    return {"kind": "evidence", "plans": shown}

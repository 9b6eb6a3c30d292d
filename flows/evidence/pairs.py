"""Pairing: two sides' executions on the same seeds become differences, signed so that up is better."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from agents.records import Execution, Plan, Split
from flows.evidence.errors import ExecutionsInvalid
from templates.manifest import Metric

OK = "ok"
CANCELLED = "cancelled"
"""Stopped from outside before it could say anything: as if it had not run."""


@dataclass(frozen=True)
class Pairs:
    """The complete pairs of a plan in the order of its seeds, up to the first seed that lacks one or failed.

    `failed` are the executions that gave no number at the seed after the last pair, `ran` how many the candidate has.
    """

    candidate: tuple[float, ...]
    comparator: tuple[float, ...]
    differences: tuple[float, ...]
    seeds: tuple[int, ...]
    failed: tuple[Execution, ...]
    ran: int
    keys: Mapping[int, tuple[str, str]]


def paired_differences(
    candidate: Sequence[Execution], comparator: Sequence[Execution], metric: Metric
) -> tuple[float, ...]:
    """Return the differences on the seeds that both sides ran, by rising seed; how a screen is read.

    A candidate that failed on any seed has none at all: leaving out the seeds on which it crashed would flatter it.

    Raises:
        ExecutionsInvalid: a side ran one seed twice.
    """
    ours, theirs = by_seed(candidate), by_seed(comparator)
    values = {seed: _value(execution, metric.name) for seed, execution in ours.items()}
    if any(value is None for value in values.values()):
        return ()
    others = {seed: _value(execution, metric.name) for seed, execution in theirs.items()}
    sign = 1.0 if metric.direction == "maximize" else -1.0
    both = ((values[seed], others.get(seed)) for seed in sorted(values))
    return tuple(sign * (one - other) for one, other in both if one is not None and other is not None)


def pair(plan: Plan, candidate: Sequence[Execution], comparator: Sequence[Execution]) -> Pairs:
    """Pair the executions of a plan; the same execution given twice counts once.

    Raises:
        ExecutionsInvalid: one is not registered by the plan (another candidate, plan, stage, split or seed), or a
            side ran one seed twice.
    """
    for executions, side in ((candidate, plan.candidate), (comparator, plan.comparator)):
        for execution in executions:
            _require_registered(plan, side, execution)
    ours, theirs = by_seed(candidate), by_seed(comparator)
    one = {seed: _within(_value(execution, plan.metric), plan) for seed, execution in ours.items()}
    other = {seed: _within(_value(execution, plan.metric), plan) for seed, execution in theirs.items()}
    seeds = tuple(takewhile(lambda seed: one.get(seed) is not None and other.get(seed) is not None, plan.seeds))
    candidate_values = tuple(value for seed in seeds if (value := one[seed]) is not None)
    comparator_values = tuple(value for seed in seeds if (value := other[seed]) is not None)
    sign = 1.0 if plan.maximize else -1.0
    stuck = plan.seeds[len(seeds)] if len(seeds) < len(plan.seeds) else None
    at_stuck = [] if stuck is None else [(ours, one), (theirs, other)]
    return Pairs(
        candidate=candidate_values,
        comparator=comparator_values,
        differences=tuple(sign * (a - b) for a, b in zip(candidate_values, comparator_values, strict=True)),
        seeds=seeds,
        failed=tuple(ran[stuck] for ran, got in at_stuck if stuck in ran and got[stuck] is None),
        ran=len(ours),
        keys={seed: (ours[seed].key, theirs[seed].key) for seed in seeds},
    )


def by_seed(executions: Iterable[Execution]) -> dict[int, Execution]:
    """Return seed -> execution, cancelled ones left out.

    Raises:
        ExecutionsInvalid: one seed has two results.
    """
    found: dict[int, Execution] = {}
    for execution in executions:
        if execution.outcome == CANCELLED:
            continue
        before = found.setdefault(execution.seed, execution)
        if before != execution:
            raise ExecutionsInvalid(
                f"{execution.candidate} has two results for seed {execution.seed} ({before.key}, {execution.key}); "
                "a seed counts once and nobody may choose."
            )
    return found


def _require_registered(plan: Plan, side: str, execution: Execution) -> None:
    wanted = (side, plan.id, plan.stage, Split.CONFIRM, plan.condition)
    found = (execution.candidate, execution.plan, execution.stage, execution.split, execution.condition)
    if found != wanted or execution.seed not in plan.seeds:
        names = ", ".join(str(part) for part in (*found, f"seed {execution.seed}"))
        raise ExecutionsInvalid(
            f"Execution {execution.key} ({names}) is not one that plan {plan.id} registered for {side}; "
            "what no plan registered is exploratory and supports no claim."
        )


def _value(execution: Execution, metric: str) -> float | None:
    """Return the metric of an execution, or None when it failed or was not scored on it."""
    if execution.outcome != OK or execution.metrics is None:
        return None
    return execution.metrics.get(metric)


def _within(value: float | None, plan: Plan) -> float | None:
    """Return a value that lies where the plan's metric lies. Beyond its declared range it is no value of it."""
    if value is None or plan.range is None:
        return value
    return value if plan.range[0] <= value <= plan.range[1] else None

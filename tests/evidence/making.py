"""Small records for the tests of evidence."""

from collections.abc import Sequence

from agents.records import Attempts, Candidate, Execution, Idea, Plan, Split, Stage
from flows.evidence import Register, Rules, pairs_needed
from templates.manifest import Seeds

ATTEMPTS = Attempts(ideas=3, candidates=3, executions=40, plans=1, looks=5)


def idea(id_: str = "i1", title: str = "Global flips", metric: str = "observable_error", least: float = 0.5) -> Idea:
    return Idea(
        id=id_, round=1, title=title, statement="s", mechanism="m", metric=metric, least_effect=least, by="embedded"
    )


def candidate(id_: str = "c1", of: str | None = "i1", commit: str | None = None) -> Candidate:
    return Candidate(id=id_, idea=of, commit=commit or f"commit-{id_}", parent=None, branch="b")


BASELINE = candidate("c0", None)


def rules(pairs: int = 16, horizon: int = 8, deterministic: bool = False, confirm_from: int = 1001) -> Rules:
    seeds = Seeds(confirm=pairs, confirm_from=confirm_from, deterministic=deterministic)
    return Rules(alpha=0.05, horizon=horizon, metrics={"observable_error": False}, seeds=seeds)


REGISTER = Register(search_seeds=range(1, 4))


def plan(pairs: int = 16, level: float = 0.05 / 8, least: float = 0.5, **changes: object) -> Plan:
    first = min(pairs_needed(0.05), pairs)
    made = Plan(
        id="p1", idea="i1", candidate="c1", comparator="c0", metric="observable_error", maximize=False,
        least_effect=least, seeds=tuple(range(1001, 1001 + pairs)), looks=tuple(range(first, pairs + 1)), alpha=0.05,
        level=level, scale=1.0, rule="",
    )  # fmt: skip
    return made.model_copy(update=changes)


def execution(plan_: Plan, side: str, seed: int, value: float | None, **changes: object) -> Execution:
    made = Execution(
        key=f"{side}-{seed}", candidate=side, stage=plan_.stage, split=Split.CONFIRM, seed=seed, plan=plan_.id,
        outcome="failed" if value is None else "ok", metrics=None if value is None else {plan_.metric: value},
    )  # fmt: skip
    return made.model_copy(update=changes)


def sides(
    plan_: Plan, differences: Sequence[float | None], at: float = 10.0
) -> tuple[list[Execution], list[Execution]]:
    """Both sides of a plan so that the pairs differ by `differences`; None makes the candidate fail."""
    sign = 1.0 if plan_.maximize else -1.0
    values = [None if d is None else at + sign * d for d in differences]
    seeds = plan_.seeds[: len(differences)]
    return (
        [execution(plan_, plan_.candidate, seed, value) for seed, value in zip(seeds, values, strict=True)],
        [execution(plan_, plan_.comparator, seed, at) for seed in seeds],
    )


def challenge_of(plan_: Plan) -> Plan:
    seeds = tuple(seed + 100 for seed in plan_.seeds)
    return plan_.model_copy(
        update={"id": "p2", "stage": Stage.CHALLENGE, "comparator": "c2", "seeds": seeds, "level": plan_.alpha}
    )

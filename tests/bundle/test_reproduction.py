"""The comparison by itself: bit for bit where a seed promises it, else by the recorded interval and the verdict."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from agents.records import Attempts, Execution, Idea, Plan, Split, Stage, Verdict
from flows.evidence import build_claim, judge
from flows.ledger.state import CampaignState
from flows.reproduction import Reproduction, Rerun, compared

PLAN = Plan(
    id="p1", idea="i1", candidate="c1", comparator="c0", metric="height", maximize=True, least_effect=0.5,
    seeds=tuple(range(1001, 1009)), looks=(6, 8), alpha=0.05, level=0.05, scale=0.2, rule="As registered.",
)  # fmt: skip
IDEA = Idea(
    id="i1", round=1, title="A heavier coin", statement="Weight helps.", mechanism="Weight.", metric="height",
    least_effect=0.5, by="embedded",
)  # fmt: skip
WAS = (1.0, 1.1, 0.9, 1.05, 0.95, 1.0)


def execution(side: str, seed: int, height: float | None) -> Execution:
    return Execution(
        key=f"{side}-{seed}", candidate=side, stage=Stage.CONFIRM, split=Split.CONFIRM, seed=seed, plan="p1",
        outcome="failed" if height is None else "ok", metrics=None if height is None else {"height": height},
        artifacts={"out/number.txt": str(height), "run.log": str(seed)},
    )  # fmt: skip


def sides(differences: Sequence[float | None]) -> list[Execution]:
    pairs = list(zip(PLAN.seeds, differences, strict=False))
    ours = [execution("c1", seed, None if d is None else 1 + d) for seed, d in pairs]
    return ours + [execution("c0", seed, 1.0) for seed, _ in pairs]


def run_again(now: Sequence[float | None], repeatable: bool) -> Reproduction:
    before = sides(WAS)
    ours, theirs = before[: len(WAS)], before[len(WAS) :]
    attempts = Attempts(ideas=1, candidates=1, executions=12, plans=1, looks=1)
    claim = build_claim(PLAN, IDEA, ours, theirs, judge(PLAN, ours, theirs), attempts)
    assert claim.verdict is Verdict.SUPPORTED
    assert claim.interval is not None
    state = CampaignState(
        spec={"name": "coins"}, plans={"p1": PLAN}, ideas={"i1": IDEA}, claims={"k1": claim},
        executions={each.key: each for each in before},
    )  # fmt: skip
    return compared(claim, state, [Rerun(*each) for each in zip(before, sides(now), strict=True)], repeatable)


def test_the_same_numbers_reproduce_whatever_the_template_promises() -> None:
    for repeatable in (True, False):
        found = run_again(WAS, repeatable)
        assert found.reproduced
        assert found.verdict_now is Verdict.SUPPORTED
        assert "12 of 12 executions are equal to the last bit" in found.says


def test_one_bit_is_a_difference_where_a_seed_promises_the_number() -> None:
    found = run_again((*WAS[:-1], 1.0000000000000004), repeatable=True)
    assert not found.reproduced
    (row,) = [row for row in found.rows if not row.equal]
    assert (row.seed, row.candidate) == (1006, "c1")
    assert "1 of 12 executions came out otherwise, first seed 1006 of c1" in found.says
    assert "inside the recorded interval" in found.says


@pytest.mark.parametrize(
    ("now", "reproduced", "says"),
    [
        ((1.05, 0.9, 1.0, 1.1, 0.95, 1.0), True, "inside the recorded interval"),
        ((0.7, 0.7, 0.7, 0.7, 0.7, 0.7), False, "outside the recorded interval"),
        ((0.0, 0.0, 0.0, 0.0, 0.0, 0.0), False, "The rule says refuted, the record supported"),
        ((1.0, None, 1.0, 1.0, 1.0, 1.0), True, "The rule says inconclusive"),
        ((None, 1.0, 1.0, 1.0, 1.0, 1.0), False, "no pair gave two numbers"),
    ],
)
def test_where_it_does_not_the_effect_must_lie_in_the_interval(
    now: Sequence[float | None], reproduced: bool, says: str
) -> None:
    found = run_again(now, repeatable=False)
    assert found.reproduced is reproduced
    assert says in found.says
    assert "does not promise the same number" in found.says


def test_nothing_to_run_again_is_no_reproduction() -> None:
    before = sides(WAS)
    ours, theirs = before[:6], before[6:]
    attempts = Attempts(ideas=1, candidates=1, executions=12, plans=1, looks=1)
    claim = build_claim(PLAN, IDEA, ours, theirs, judge(PLAN, ours, theirs), attempts)
    state = CampaignState(plans={"p1": PLAN}, ideas={"i1": IDEA}, executions={})
    found = compared(claim, state, [], repeatable=True)
    assert not found.reproduced
    assert "nothing to run again" in found.says

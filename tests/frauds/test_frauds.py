"""A sample of the benchmark: no fraud passes, and nobody honest is blamed. All of it: `python -m tests.frauds`."""

from __future__ import annotations

import pytest

from sandboxes.errors import SandboxError
from tests.frauds.cases import Case, Ground, Kind
from tests.frauds.judging import judge
from tests.frauds.kinds import FRAUDS, HONEST, cases
from tests.frauds.test_judge import OFF

SEED = 1
OTHERS = tuple(kind for kind in FRAUDS if kind.name not in {off.kind for off in OFF.values()})
"""Kinds that `test_judge` does not try already, with their defence on and off."""
TRACKED = ("MLflow value edited", "MLflow looked through")


def sampled(kinds: tuple[Kind, ...]) -> list[object]:
    """Return the middle variant of each kind, as parameters of a test."""
    made = []
    for kind in kinds:
        every = kind.cases(SEED)
        marks = [pytest.mark.mlflow] if kind.name in TRACKED else []
        case = every[len(every) // 2]
        made.append(pytest.param(kind, case, id=f"{kind.name}-{case.name}", marks=marks))
    return made


@pytest.mark.parametrize(("kind", "case"), sampled(OTHERS))
def test_no_fraud_passes(on: Ground, kind: Kind, case: Case) -> None:
    if kind.real:
        try:
            assert on.confining.capabilities().isolates
        except SandboxError as problem:
            pytest.skip(f"no sandbox here confines: {problem}")
    verdict = judge(case, on)
    on.clear()
    assert verdict.end in ("impossible", "blocked", "flagged")
    assert verdict.reason


@pytest.mark.parametrize(("kind", "case"), sampled(HONEST[::3]))
def test_nobody_honest_is_blamed(on: Ground, kind: Kind, case: Case) -> None:
    verdict = judge(case, on)
    on.clear()
    assert (verdict.end, verdict.reason) == ("stands", "")


def test_there_are_enough_of_them() -> None:
    assert len(FRAUDS) >= 20
    assert len(HONEST) >= 20
    for kind in (*FRAUDS, *HONEST):
        names = [case.name for case in kind.cases(SEED)]
        assert len(names) >= 10, kind.name
        assert len(set(names)) == len(names), kind.name
    assert len(cases(SEED, HONEST)) >= len(cases(SEED, FRAUDS))


def test_the_same_seed_gives_the_same_cases_and_another_others() -> None:
    names = [[case.name for case in cases(seed)] for seed in (SEED, SEED, SEED + 1)]
    assert names[0] == names[1]
    assert names[0] != names[2]

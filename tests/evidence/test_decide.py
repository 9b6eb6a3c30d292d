import math
from collections import Counter

import numpy as np
import pytest

from agents.records import Verdict
from flows.evidence import DifferencesInvalid, Ending, PlanRefused, decide, e_values, looks_taken
from tests.evidence.making import plan


def test_a_strong_effect_is_supported_within_twelve_pairs() -> None:
    d = [1.6, 2.3, 1.1, 2.0, 1.5, 2.6, 0.9, 1.9, 1.7, 2.2, 1.4, 1.8, 2.0, 1.6, 1.2, 2.1]
    decision = decide(plan(), d)
    assert decision.verdict is Verdict.SUPPORTED
    assert decision.n <= 12
    assert decision.e_value >= 160
    assert decision.interval is not None
    assert decision.interval[0] > 0
    assert decision.estimate == pytest.approx(np.mean(d[: decision.n]))


def test_no_look_no_verdict() -> None:
    asked = plan(looks=(12, 16))
    decision = decide(asked, [2.0] * 11)
    assert decision.continue_
    assert decision.verdict is None
    assert decision.e_value > 160
    assert decide(asked, [2.0] * 12).verdict is Verdict.SUPPORTED


def test_a_replay_over_more_pairs_decides_the_same() -> None:
    rng = np.random.default_rng(1)
    for effect in (-1.0, 0.0, 0.7, 1.5):
        d = [float(x) for x in effect + rng.standard_normal(16)]
        whole = decide(plan(), d)
        assert decide(plan(), d[: whole.n]) == whole
        assert all(decide(plan(), d[:n]).continue_ for n in range(whole.n))


def test_what_is_harmful_is_refuted() -> None:
    decision = decide(plan(), [-1.0 + 0.1 * (i % 3) for i in range(16)])
    assert decision.verdict is Verdict.REFUTED
    assert decision.n < 8
    assert decision.e_reverse >= 20


def test_real_but_smaller_than_registered_is_refuted_as_stated() -> None:
    decision = decide(plan(least=2.0, looks=(14, 16)), [1.0 + 0.05 * (i % 3) for i in range(16)])
    assert decision.verdict is Verdict.REFUTED
    assert decision.e_value >= 160
    assert "real but smaller" in decision.reason
    assert decision.interval is not None
    assert decision.interval[1] < 2.0


def test_certain_but_below_the_least_effect_is_not_supported() -> None:
    d = [0.9, 0.2, 0.6, 0.3, 0.8, 0.1, 0.7, 0.4, 0.5, 0.9, 0.2, 0.6, 0.3, 0.8, 0.1, 0.7]
    decision = decide(plan(least=0.55), d)
    assert decision.e_value >= 160
    assert decision.ending is Ending.TOO_SMALL
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert decide(plan(least=0.45), d).verdict is Verdict.SUPPORTED


def test_hopeless_plans_end_early_and_cannot_have_been_supported() -> None:
    rng = np.random.default_rng(4)
    futile = 0
    for _ in range(100):
        d = [float(x) for x in 0.2 + rng.standard_normal(16)]
        decision = decide(plan(), d)
        if decision.ending is Ending.FUTILE:
            futile += 1
            best = d[: decision.n] + [50.0] * (16 - decision.n)
            assert e_values(best, 1.0).max() < 160
            assert decision.n < 16
    assert futile > 20


def test_seeds_that_run_out_leave_it_open_forever() -> None:
    d = [2.5, 1.5, -1.0, 2.0, 1.8, 0.2, 1.9, 1.1, -0.4, 2.2, 1.4, 0.1, 1.8, 0.6, -0.3, 0.2]
    decision = decide(plan(level=0.05 / 400), d)
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert decision.ending in (Ending.EXHAUSTED, Ending.FUTILE)
    spent = decide(plan(pairs=8, looks=(8,)), [1.0, -0.5, 2.0, 0.3, 1.0, -0.2, 0.9, 0.8])
    assert spent.ending is Ending.EXHAUSTED
    assert looks_taken(plan(), 16) == len(plan().looks)


@pytest.mark.parametrize(("effect", "verdict"), [(0.5, Verdict.SUPPORTED), (0.49, Verdict.REFUTED)])
def test_a_deterministic_plan_has_one_pair_and_no_interval(effect: float, verdict: Verdict) -> None:
    asked = plan(deterministic=True, seeds=(1001,), looks=(1,))
    assert decide(asked, []).continue_
    decision = decide(asked, [effect])
    assert decision.verdict is verdict
    assert decision.interval is None
    assert decision.e_value == 1.0
    assert "eterministic" in decision.reason


@pytest.mark.parametrize("d", [[math.nan], [math.inf], [1.0] * 17])
def test_differences_that_were_not_registered_are_refused(d: list[float]) -> None:
    with pytest.raises(DifferencesInvalid):
        decide(plan(), d)


@pytest.mark.parametrize("looks", [(), (8, 8, 16), (12, 8, 16), (8, 12), (0, 16), (8, 20)])
def test_looks_that_are_no_rule_are_refused(looks: tuple[int, ...]) -> None:
    with pytest.raises(PlanRefused):
        decide(plan(looks=looks), [1.0])


def test_few_plans_without_an_effect_are_supported_or_with_one_refuted() -> None:
    rng = np.random.default_rng(6)
    nulls, registered = Counter[Ending](), Counter[Ending]()
    for _ in range(300):
        noise = rng.standard_normal(16)
        nulls[decide(plan(level=0.05), list(noise)).ending] += 1
        registered[decide(plan(level=0.05), list(0.5 + noise)).ending] += 1
    allowed = 0.05 + 3 * math.sqrt(0.05 * 0.95 / 300)
    assert nulls[Ending.SUPPORTED] / 300 <= allowed
    assert registered[Ending.REFUTED] / 300 <= allowed
    assert nulls[Ending.REFUTED] > 30

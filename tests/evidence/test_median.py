import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.evidence import DifferencesInvalid, median
from flows.evidence.eprocess import BETS, Floats

CAMPAIGNS, LONGEST = 4000, 48

NULLS: dict[str, Callable[[np.random.Generator, tuple[int, int]], Floats]] = {
    "skewed": lambda rng, size: rng.exponential(size=size) - math.log(2.0),
    "lognormal": lambda rng, size: np.exp(2 * rng.standard_normal(size)) - 1.0,
    "ties": lambda rng, size: rng.choice([-3.0, 0.0, 0.0, 9.0], size),
    "half ties, half gains": lambda rng, size: rng.choice([0.0, 5.0], size),
    "drifting": lambda rng, size: rng.standard_cauchy(size) * np.geomspace(0.01, 100.0, size[1]),
}


def ever(e: Floats, alpha: float) -> float:
    return float((e.max(axis=-1) >= 1 / alpha).mean())


def test_the_capital_is_what_the_signs_win() -> None:
    stakes = [math.tanh(bet) for bet in BETS]
    won = [
        sum(1 + s for s in stakes),
        sum((1 + s) * (1 - s) for s in stakes),
        sum((1 + s) ** 2 * (1 - s) for s in stakes),
    ]
    assert median.e_values([3.0, -0.1, 7.0]) == pytest.approx(np.array(won) / 4)


def test_only_signs_count() -> None:
    d = np.random.default_rng(1).standard_normal(30)
    assert np.array_equal(median.e_values(d), median.e_values(d**3 * 1e6))


@pytest.mark.parametrize("null", NULLS)
def test_stopping_at_any_look_keeps_the_error_rate(null: str) -> None:
    d = NULLS[null](np.random.default_rng(7), (CAMPAIGNS, LONGEST))
    for alpha in (0.05, 0.005):
        assert ever(median.e_values(d), alpha) <= alpha + 3 * math.sqrt(alpha * (1 - alpha) / CAMPAIGNS)


def test_planted_fault_ties_that_count_as_gains_break_the_error_rate() -> None:
    d = NULLS["half ties, half gains"](np.random.default_rng(7), (200, LONGEST))
    assert ever(median.e_values(d, shift=-1e-9), 0.05) == 1.0


def test_ties_win_nothing_on_either_side() -> None:
    assert (np.diff(median.e_values(np.zeros(9))) < 0).all()
    assert (np.diff(median.e_values(np.zeros(9), side="less")) < 0).all()


def test_sides_mirror_and_shifts_move() -> None:
    d = np.random.default_rng(2).standard_normal(20)
    assert np.array_equal(median.e_values(d, side="less"), median.e_values(-d))
    assert np.array_equal(median.e_values(d + 4.0, shift=4.0), median.e_values(d))


def test_a_pair_at_most_doubles_the_capital() -> None:
    e = median.e_values(np.ones(30))
    assert (e[1:] < 2 * e[:-1]).all()


@pytest.mark.parametrize("level", [0.05, 0.05 / 8, 0.05 / 20, 1e-6])
def test_the_pairs_needed_are_the_fewest_that_suffice(level: float) -> None:
    needed = median.pairs_needed(level)
    e = median.e_values(np.ones(needed))
    assert e[-1] > 1 / level >= e[-2]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-6, 6), min_size=7, max_size=24), st.sampled_from([0.05, 0.1, 0.2]))
def test_the_interval_is_where_both_tests_end(whole: list[int], alpha: float) -> None:
    d = np.asarray(whole, dtype=np.float64)
    found = median.confidence_sequence(d, alpha)
    held = [
        m
        for m in np.arange(-7.0, 7.5, 0.5)
        if max(median.e_values(d, m)[-1], median.e_values(d, m, "less")[-1]) < 2 / alpha
    ]
    if found is None:
        assert len(held) == 29
    else:
        assert (held[0], held[-1]) == found
        assert found[0] <= np.median(d) <= found[1]


@pytest.mark.parametrize("null", ["skewed", "lognormal", "ties"])
def test_the_interval_covers_the_median_at_every_look(null: str) -> None:
    rng, repeats, missed = np.random.default_rng(10), 400, 0
    for _ in range(repeats):
        d = 3.0 + NULLS[null](rng, (1, 30))[0]
        found = [median.confidence_sequence(d[:n], 0.1) for n in (7, 9, 12, 16, 22, 30)]
        missed += any(interval is not None and not interval[0] <= 3.0 <= interval[1] for interval in found)
    assert missed / repeats <= 0.1 + 3 * math.sqrt(0.09 / repeats)


def test_too_few_pairs_have_no_interval() -> None:
    assert median.confidence_sequence([], 0.05) is None
    assert median.confidence_sequence([1.0, 2.0, 3.0], 0.05) is None


@pytest.mark.parametrize("bad", [[1.0, math.nan], [math.inf]])
def test_what_is_no_number_is_refused(bad: list[float]) -> None:
    with pytest.raises(DifferencesInvalid):
        median.e_values(bad)

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.evidence import DifferencesInvalid, mean
from flows.evidence.eprocess import Floats

CAMPAIGNS, LONGEST = 4000, 48

NULLS: dict[str, Callable[[np.random.Generator, tuple[int, int]], Floats]] = {
    "uniform": lambda rng, size: rng.uniform(-1, 1, size),
    "coin": lambda rng, size: rng.choice([-1.0, 1.0], size),
    "successes": lambda rng, size: rng.choice([-1.0, 0.0, 1.0], size),
    "rare catastrophes": lambda rng, size: np.where(rng.random(size) < 0.05, -0.95, 0.05),
    "rare windfalls": lambda rng, size: np.where(rng.random(size) < 0.05, 0.95, -0.05),
    "drifting": lambda rng, size: rng.uniform(-1, 1, size) * np.geomspace(0.01, 1.0, size[1]),
    "below": lambda rng, size: rng.uniform(-1, 0.9, size),
}


def test_one_pair_wins_its_stakes() -> None:
    """Scale and bound one: the bets 0.5, 1, 2 and 4 stake 0.25, 0.5, 1 and 1, the last of them capped."""
    assert mean.e_values([0.5], 1.0, 1.0) == pytest.approx([(1.125 + 1.25 + 1.5 + 1.5) / 4])
    assert mean.e_values([-1.0], 1.0, 1.0) == pytest.approx([(0.75 + 0.5 + 0.0 + 0.0) / 4])
    assert mean.e_values([0.5], 1.0, 1.0, shift=0.25) == pytest.approx([(1.0625 + 1.125 + 1.2 + 1.2) / 4])


def test_a_bet_that_lost_all_stays_lost() -> None:
    e = mean.e_values([-1.0, *[1.0] * 20], 0.01, 1.0)
    assert (e == 0.0).all()


@pytest.mark.parametrize("scale", [0.05, 0.5, 5.0])
@pytest.mark.parametrize("null", NULLS)
def test_stopping_at_any_look_keeps_the_error_rate(null: str, scale: float) -> None:
    d = NULLS[null](np.random.default_rng(7), (CAMPAIGNS, LONGEST))
    e = mean.e_values(d, scale, 1.0)
    for alpha in (0.05, 0.005):
        allowed = alpha + 3 * math.sqrt(alpha * (1 - alpha) / CAMPAIGNS)
        assert (e.max(axis=-1) >= 1 / alpha).mean() <= allowed


@pytest.mark.parametrize("null", ["successes", "rare catastrophes", "rare windfalls"])
def test_the_capital_is_a_supermartingale(null: str) -> None:
    d = NULLS[null](np.random.default_rng(8), (40_000, 6))
    e = mean.e_values(d, 0.5, 1.0)
    assert (e.mean(axis=0) <= 1 + 4 * e.std(axis=0) / math.sqrt(len(e))).all()


def test_planted_fault_stakes_beyond_the_range_break_the_error_rate() -> None:
    """Who believes that nothing worse than -0.05 can happen bets too much; the range refuses such differences."""
    d = NULLS["rare catastrophes"](np.random.default_rng(9), (CAMPAIGNS, 40))
    seen = np.maximum(d, -0.05)
    assert (mean.e_values(seen, 0.5, 0.06).max(axis=-1) >= 20).mean() > 0.5
    with pytest.raises(DifferencesInvalid, match="range"):
        mean.e_values(d, 0.5, 0.06)


def test_a_gain_is_found_and_narrow_ranges_help() -> None:
    d = 0.4 + 0.2 * np.random.default_rng(3).uniform(-1, 1, (500, 40))
    found = {bound: float((mean.e_values(d, 0.1, bound).max(axis=-1) >= 160).mean()) for bound in (1.0, 2.0, 20.0)}
    assert found[1.0] == 1.0
    assert found[2.0] > 0.9
    assert found[20.0] == 0.0


def test_sides_mirror_and_the_unit_of_measure_does_not_matter() -> None:
    d = np.random.default_rng(2).uniform(-1, 1, 20)
    assert np.allclose(mean.e_values(d, 0.5, 1.0, 0.2, "less"), mean.e_values(-d, 0.5, 1.0, -0.2))
    assert np.allclose(mean.e_values(100 * d, 50.0, 100.0, 20.0), mean.e_values(d, 0.5, 1.0, 0.2))


def test_evidence_uses_only_the_past() -> None:
    d = np.random.default_rng(1).uniform(-1, 1, 20)
    changed = d.copy()
    changed[12:] = 1.0
    assert np.array_equal(mean.e_values(d, 0.5, 1.0)[:12], mean.e_values(changed, 0.5, 1.0)[:12])


@pytest.mark.parametrize(("level", "scale"), [(0.05, 0.1), (0.05 / 8, 0.1), (0.05 / 8, 3.0)])
def test_the_pairs_needed_are_the_fewest_that_suffice(level: float, scale: float) -> None:
    needed = mean.pairs_needed(level, scale, 1.0)
    e = mean.e_values(np.ones(needed), scale, 1.0)
    assert e[-1] > 1 / level >= e[-2]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-1, 1, allow_subnormal=False), min_size=1, max_size=30),
    st.sampled_from([0.02, 0.3, 2.0]),
    st.sampled_from([0.05, 0.2]),
)
def test_the_interval_is_where_both_tests_end(d: list[float], scale: float, alpha: float) -> None:
    lo, hi = mean.confidence_sequence(d, scale, 1.0, alpha)
    assert -1.0 <= lo <= hi <= 1.0
    inside = np.linspace(lo, hi, 5)[1:-1]
    for m in inside[np.abs(inside) < 1]:
        assert mean.e_values(d, scale, 1.0, m)[-1] <= 2 / alpha * (1 + 1e-6)
        assert mean.e_values(d, scale, 1.0, m, "less")[-1] <= 2 / alpha * (1 + 1e-6)
    if lo > -0.99:
        assert mean.e_values(d, scale, 1.0, lo - 1e-6)[-1] >= 2 / alpha * (1 - 1e-3)
    if hi < 0.99:
        assert mean.e_values(d, scale, 1.0, hi + 1e-6, "less")[-1] >= 2 / alpha * (1 - 1e-3)


@pytest.mark.parametrize("null", ["rare catastrophes", "successes"])
def test_the_interval_covers_the_mean_at_every_look(null: str) -> None:
    rng, repeats, missed = np.random.default_rng(10), 150, 0
    for _ in range(repeats):
        d = 0.3 + 0.7 * NULLS[null](rng, (1, 60))[0]
        found = [mean.confidence_sequence(d[:n], 0.3, 1.0, 0.1) for n in (1, 8, 20, 60)]
        missed += any(not interval[0] <= 0.3 <= interval[1] for interval in found)
    assert missed / repeats <= 0.1 + 3 * math.sqrt(0.09 / repeats)


def test_without_pairs_the_whole_range_is_all_that_is_known() -> None:
    assert mean.confidence_sequence([], 0.3, 2.0, 0.05) == (-2.0, 2.0)
    assert mean.confidence_sequence([0.1], 0.3, 2.0, 0.05) == (-2.0, 2.0)


@pytest.mark.parametrize(
    ("d", "bound", "shift"), [([1.1], 1.0, 0.0), ([0.0], 1.0, 1.0), ([0.0], 0.0, 0.0), ([0.0], math.inf, 0.0)]
)
def test_what_lies_beyond_the_range_is_refused(d: list[float], bound: float, shift: float) -> None:
    with pytest.raises(DifferencesInvalid, match="range"):
        mean.e_values(d, 1.0, bound, shift)

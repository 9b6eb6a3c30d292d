import math
from collections.abc import Callable

import numpy as np
import pytest

from flows.evidence import DifferencesInvalid, confidence_sequence, e_values, eprocess
from flows.evidence.eprocess import Floats

Draw = Callable[[np.random.Generator, tuple[int, int]], Floats]
CAMPAIGNS, LONGEST = 4000, 64

NULLS: dict[str, Draw] = {
    "normal": lambda rng, size: rng.standard_normal(size),
    "cauchy": lambda rng, size: rng.standard_cauchy(size),
    "laplace": lambda rng, size: rng.laplace(size=size),
    "ties": lambda rng, size: rng.choice([-2.0, -1.0, 0.0, 0.0, 0.0, 1.0, 2.0], size),
    "growing spread": lambda rng, size: rng.standard_normal(size) * np.geomspace(0.01, 100, size[1]),
    "below": lambda rng, size: rng.standard_normal(size) - rng.exponential(0.2, size),
}


def ever(e: Floats, alpha: float) -> float:
    """Share of campaigns that reach 1/alpha at any look."""
    return float((np.maximum.accumulate(e, axis=-1)[:, -1] >= 1 / alpha).mean())


def tolerance(alpha: float) -> float:
    return 3 * math.sqrt(alpha * (1 - alpha) / CAMPAIGNS)


@pytest.mark.parametrize("scale", [0.05, 1.0, 20.0])
@pytest.mark.parametrize("null", NULLS)
def test_stopping_at_any_look_keeps_the_error_rate(null: str, scale: float) -> None:
    d = NULLS[null](np.random.default_rng(7), (CAMPAIGNS, LONGEST))
    e = e_values(d, scale)
    for alpha in (0.05, 0.005):
        assert ever(e, alpha) <= alpha + tolerance(alpha)


@pytest.mark.parametrize("null", NULLS)
def test_the_capital_is_a_supermartingale(null: str) -> None:
    d = NULLS[null](np.random.default_rng(8), (40_000, 8))
    e = e_values(d, 1.0)
    assert (e.mean(axis=0) <= 1 + 4 * e.std(axis=0) / math.sqrt(len(e))).all()


def test_evidence_uses_only_the_past() -> None:
    d = np.random.default_rng(1).standard_normal(20)
    changed = d.copy()
    changed[12:] = 1e6
    assert np.array_equal(e_values(d, 1.0)[:12], e_values(changed, 1.0)[:12])


def test_planted_fault_a_side_picked_after_the_sample_breaks_the_error_rate() -> None:
    d = NULLS["normal"](np.random.default_rng(9), (CAMPAIGNS, LONGEST))
    best = np.maximum(e_values(d, 1.0), e_values(d, 1.0, side="less"))
    assert ever(best, 0.05) > 0.05 + tolerance(0.05)


def test_planted_fault_a_scale_that_sees_the_pair_it_bets_on_breaks_the_error_rate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Bet high where the difference turns out positive and low where not: predictable bets prevent just that."""
    monkeypatch.setattr(eprocess, "spreads_before", lambda d, scale: np.where(d > 0, 0.5 * scale, 2.0 * scale))
    d = NULLS["normal"](np.random.default_rng(9), (CAMPAIGNS, LONGEST))
    assert ever(e_values(d, 1.0), 0.05) > 0.5


def test_planted_fault_the_best_of_many_scales_breaks_the_error_rate() -> None:
    """A scale chosen from the whole sample, side included, is a search that nobody paid for."""
    d = NULLS["cauchy"](np.random.default_rng(9), (CAMPAIGNS // 4, LONGEST))
    tried = [e_values(d, scale, side=side) for scale in np.geomspace(1e-3, 1e3, 13) for side in ("greater", "less")]
    assert ever(np.max(tried, axis=0), 0.05) > 0.05 + tolerance(0.05)


def test_sides_mirror_and_shifts_move() -> None:
    d = np.random.default_rng(2).normal(0.4, 1.0, 30)
    assert np.allclose(e_values(d, 0.7, side="less"), e_values(-d, 0.7))
    assert np.allclose(e_values(d + 5.0, 0.7, shift=5.0), e_values(d, 0.7))


def test_a_large_mean_costs_no_digits() -> None:
    d = np.random.default_rng(2).normal(0.4, 1.0, 30)
    assert np.allclose(e_values(d + 1e8, 1.0, shift=1e8), e_values(d, 1.0), rtol=1e-5)


def test_a_pair_at_most_doubles_the_capital() -> None:
    e = e_values(np.full(40, 3.0), 1.0)
    assert (e[1:] <= 2 * e[:-1] * (1 + 1e-12)).all()
    assert e[-1] <= 2.0**40


def test_zeros_are_no_evidence() -> None:
    assert np.allclose(e_values(np.zeros(10), 1.0), 1.0)


@pytest.mark.parametrize("size", [1e-300, 1e-8, 1e8, 1e300])
def test_numbers_of_any_size_stay_finite(size: float) -> None:
    d = size * np.random.default_rng(3).standard_normal(2000)
    for side in ("greater", "less"):
        e = e_values(d, 1.0, side=side)
        assert np.isfinite(e).all()
        assert (e >= 0).all()
    assert np.isfinite(e_values(np.abs(d), 1e-3)).all()


def test_the_unit_of_measure_does_not_matter() -> None:
    d = np.random.default_rng(4).normal(1, 1, 25)
    assert np.allclose(e_values(1000 * d, 1000 * 0.8), e_values(d, 0.8))


@pytest.mark.parametrize(("effect", "least"), [(1.0, 0.45), (1.5, 0.85), (2.0, 0.95), (3.0, 0.99)])
def test_power_within_sixteen_pairs(effect: float, least: float) -> None:
    rng = np.random.default_rng(5)
    d = effect + rng.standard_normal((2000, 16))
    assert ever(e_values(d, 1.0), 0.05 / 8) >= least


@pytest.mark.parametrize("scale", [0.1, 10.0])
def test_a_wrong_scale_costs_little(scale: float) -> None:
    d = 2.0 + np.random.default_rng(6).standard_normal((2000, 16))
    assert ever(e_values(d, scale), 0.05 / 8) >= 0.75


@pytest.mark.parametrize("bad", [[1.0, math.nan], [math.inf], 3.0])
def test_what_is_no_number_is_refused(bad: object) -> None:
    with pytest.raises(DifferencesInvalid):
        e_values(bad, 1.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan, math.inf])
def test_a_scale_that_is_none_is_refused(scale: float) -> None:
    with pytest.raises(DifferencesInvalid):
        e_values([1.0], scale)


@pytest.mark.parametrize("draw", ["normal", "cauchy", "laplace"])
def test_the_interval_covers_at_every_look(draw: str) -> None:
    rng = np.random.default_rng(10)
    missed = 0
    repeats, centre = 120, 3.0
    for _ in range(repeats):
        d = centre + NULLS[draw](rng, (1, 24))[0]
        found = [confidence_sequence(d[:n], 1.0, 0.1) for n in (6, 8, 11, 16, 24)]
        missed += any(interval is not None and not interval[0] <= centre <= interval[1] for interval in found)
    assert missed / repeats <= 0.1 + 3 * math.sqrt(0.09 / repeats)


def test_the_interval_is_where_both_tests_end() -> None:
    d = np.random.default_rng(11).normal(2.0, 1.0, 20)
    interval = confidence_sequence(d, 1.0, 0.05)
    assert interval is not None
    lo, hi = interval
    assert e_values(d, 1.0, shift=lo)[-1] == pytest.approx(40, rel=1e-4)
    assert e_values(d, 1.0, shift=hi, side="less")[-1] == pytest.approx(40, rel=1e-4)
    assert lo < d.mean() < hi


def test_the_interval_narrows_with_pairs() -> None:
    d = np.random.default_rng(12).normal(0.0, 1.0, 400)
    widths = [
        hi - lo for n in (8, 24, 100, 400) if (found := confidence_sequence(d[:n], 1.0, 0.05)) for lo, hi in [found]
    ]
    assert widths == sorted(widths, reverse=True)
    assert len(widths) == 4
    assert widths[-1] < 0.6


def test_too_few_pairs_have_no_interval() -> None:
    d = np.array([1.0, 1.1, 0.9, 1.0, 1.05, 0.95])
    assert confidence_sequence(d[:5], 0.1, 0.05) is None
    found = confidence_sequence(d, 0.1, 0.05)
    assert found is not None
    assert all(map(math.isfinite, found))


def test_differences_that_agree_exactly_have_an_interval() -> None:
    found = confidence_sequence(np.full(12, 0.25), 0.01, 0.05)
    assert found is not None
    assert found[0] < 0.25 < found[1]
    assert found[1] - found[0] < 0.05


@pytest.mark.parametrize("draw", ["two points", "exponential", "cauchy"])
def test_lopsided_differences_keep_a_proper_interval_around_their_weighted_mean(draw: str) -> None:
    rng = np.random.default_rng(13)
    for n in (7, 16, 200):
        d = {
            "two points": np.where(rng.random(n) < 0.3, 4.0, -1.0),
            "exponential": rng.exponential(1.0, n),
            "cauchy": rng.standard_cauchy(n),
        }[draw]
        found = confidence_sequence(d, 0.5, 0.05)
        assert found is not None
        weights = 1 / eprocess.spreads_before(d, 0.5)
        assert found[0] < np.average(d, weights=weights) < found[1]

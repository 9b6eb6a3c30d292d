import numpy as np
import pytest

from flows.evidence import PlanRefused, e_values, next_level


def test_the_library_grants_what_the_formula_says() -> None:
    rng = np.random.default_rng(1)
    for horizon in (1, 4, 8, 50):
        decided: list[bool] = []
        for _ in range(horizon):
            expected = 0.05 / horizon * (sum(decided) + 1)
            assert next_level(0.05, horizon, decided) == pytest.approx(expected, rel=1e-12)
            decided.append(bool(rng.random() < 0.5))


def test_a_discovery_raises_later_levels_and_nothing_lowers_them() -> None:
    assert next_level(0.05, 8, [True]) == 2 * next_level(0.05, 8, [False]) == 2 * next_level(0.05, 8, [])


def test_a_level_never_exceeds_alpha() -> None:
    assert next_level(0.05, 6, [True] * 5) <= 0.05 * (1 + 1e-12)


def test_plans_beyond_the_horizon_are_refused() -> None:
    with pytest.raises(PlanRefused, match="declared 3 plans"):
        next_level(0.05, 3, [True, True, True])


@pytest.mark.parametrize(("alpha", "horizon"), [(0.0, 3), (1.0, 3), (0.05, 0)])
def test_what_makes_no_sense_is_refused(alpha: float, horizon: int) -> None:
    with pytest.raises(PlanRefused):
        next_level(alpha, horizon, [])


def false_discovery_rate(campaigns: int, fixed_level: float | None, concurrent: bool) -> tuple[float, float]:
    """FDR and power over campaigns of twelve plans, a quarter of them with a real effect, ended at the best look."""
    rng = np.random.default_rng(3)
    horizon, pairs = 12, 20
    rates, found = [], []
    for _ in range(campaigns):
        real = rng.random(horizon) < 0.25
        d = rng.standard_normal((horizon, pairs)) + np.where(real, 2.0, 0.0)[:, None]
        peaks = e_values(d, 1.0).max(axis=1)
        decided: list[bool] = []
        for t in range(horizon):
            # Side by side, in threes: what was frozen together knows nothing of each other.
            known = decided[: t - t % 3] + [False] * (t % 3) if concurrent else decided
            level = fixed_level or next_level(0.05, horizon, known)
            decided.append(bool(peaks[t] >= 1 / level))
        claimed = np.array(decided)
        rates.append((claimed & ~real).sum() / max(1, claimed.sum()))
        found.append((claimed & real).sum() / max(1, real.sum()))
    return float(np.mean(rates)), float(np.mean(found))


@pytest.mark.parametrize("concurrent", [False, True])
def test_few_discoveries_of_a_campaign_are_false(concurrent: bool) -> None:
    rate, _ = false_discovery_rate(600, None, concurrent)
    assert rate <= 0.05


def test_planted_fault_an_uncorrected_level_makes_many_discoveries_false() -> None:
    corrected, _ = false_discovery_rate(600, None, concurrent=False)
    uncorrected, _ = false_discovery_rate(600, 0.2, concurrent=False)
    assert uncorrected > 0.1
    assert uncorrected > 5 * corrected

import math

import numpy as np
import pytest

from flows.evidence import DifferencesInvalid, bet_scale, e_values, screened


def test_a_clear_gain_passes() -> None:
    found = screened([1.0, 1.2, 0.8], least_effect=0.5)
    assert found.passed
    assert found.effect == pytest.approx(1.0)
    assert found.spread == pytest.approx(0.2)


@pytest.mark.parametrize(
    "differences",
    [
        [-1.0, -1.2, -0.8],  # harms
        [0.01, 0.012, 0.011],  # real, far below the least effect
        [3.0, -2.9, 0.1],  # nothing but spread
        [0.0, 0.0, 0.0],  # changes nothing
        [0.3],  # deterministic, below the least effect
    ],
)
def test_no_gain_worth_a_plan_does_not_pass(differences: list[float]) -> None:
    assert not screened(differences, least_effect=0.5).passed


def test_a_deterministic_gain_passes_by_itself() -> None:
    assert screened([0.5], least_effect=0.5) == (0.5, 0.0, True)


def test_a_crash_is_no_effect_and_does_not_pass() -> None:
    assert screened([], least_effect=0.5) == (None, None, False)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_no_number_is_refused(bad: float) -> None:
    with pytest.raises(DifferencesInvalid):
        screened([1.0, bad], least_effect=0.5)


def test_the_screen_is_generous_to_effects_and_stingy_to_noise() -> None:
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((1000, 3))
    passed = {effect: np.mean([screened(list(effect + d), 1.0).passed for d in noise]) for effect in (0.0, 1.0, 2.0)}
    assert passed[2.0] > 0.95
    assert passed[1.0] > 0.7
    assert passed[0.0] < 0.3


def test_differences_that_agree_by_luck_still_leave_a_scale_to_bet_with() -> None:
    scale = bet_scale(effect=2.0, spread=0.0, least_effect=0.5)
    assert scale > 0
    assert e_values(2.0 + np.random.default_rng(1).standard_normal(16), scale).max() > 160
    assert bet_scale(effect=2.0, spread=0.7, least_effect=0.5) == 0.7

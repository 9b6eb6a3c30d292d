from statistics import fmean, stdev

import numpy as np
import pytest
from scipy import stats

from flows.evidence import DifferencesInvalid, fixed

SAMPLES = np.random.default_rng(1).normal(0.4, 1.0, (5, 9))


def test_the_t_test_is_mean_over_standard_error() -> None:
    expected = [stats.t.sf(fmean(row) / stdev(row) * 3.0, 8) for row in SAMPLES]
    assert fixed.paired_t(SAMPLES) == pytest.approx(expected)
    assert float(fixed.paired_t(SAMPLES[0])) == pytest.approx(expected[0])


def test_the_t_test_by_hand() -> None:
    """Mean 2, deviation 1, three pairs: t is 2 sqrt(3) with two degrees of freedom."""
    t = 2 * 3**0.5
    assert float(fixed.paired_t([1.0, 2.0, 3.0])) == pytest.approx(0.5 - t / (2 * (2 + t * t) ** 0.5))


def test_differences_without_spread_leave_the_sign_to_decide() -> None:
    assert list(fixed.paired_t([[0.5] * 4, [-0.5] * 4, [0.0] * 4])) == [0.0, 1.0, 0.5]


def test_signed_ranks_are_those_of_scipy_and_by_hand() -> None:
    for row in SAMPLES:
        assert float(fixed.wilcoxon(row)) == pytest.approx(stats.wilcoxon(row, alternative="greater").pvalue)
    assert float(fixed.wilcoxon([1.0, 2.0, 3.0, 4.0])) == pytest.approx(1 / 16)
    assert float(fixed.wilcoxon([-1.0, 2.0, 3.0, 4.0])) == pytest.approx(2 / 16)


def test_all_zeros_are_no_evidence() -> None:
    assert list(fixed.wilcoxon(np.zeros((2, 5)))) == [1.0, 1.0]
    assert float(fixed.sign_flip(np.zeros(5), np.random.default_rng(1))) == 1.0


def test_sign_flips_by_hand() -> None:
    """Of the eight flips of 1, 2, 3 one has a sum of at least 6, two have one of at least 4."""
    rng = np.random.default_rng(1)
    assert list(fixed.sign_flip([[1.0, 2.0, 3.0], [-1.0, 2.0, 3.0], [-3.0, -2.0, -1.0]], rng)) == [1 / 8, 2 / 8, 1.0]


def test_few_flips_are_all_tried_as_in_scipy() -> None:
    expected = [
        stats.permutation_test((row,), np.mean, permutation_type="samples", alternative="greater").pvalue
        for row in SAMPLES
    ]
    assert fixed.sign_flip(SAMPLES, np.random.default_rng(1)) == pytest.approx(np.array(expected))


def test_many_flips_are_sampled_with_the_generator_that_is_given() -> None:
    d = np.random.default_rng(2).normal(0.3, 1.0, (3, 20))
    found = fixed.sign_flip(d, np.random.default_rng(7))
    assert np.array_equal(found, fixed.sign_flip(d, np.random.default_rng(7)))
    assert found == pytest.approx(fixed.paired_t(d), abs=0.02)
    assert (found > 0).all()


@pytest.mark.parametrize(
    "test", [fixed.paired_t, fixed.wilcoxon, lambda d: fixed.sign_flip(d, np.random.default_rng(1), 499)]
)
def test_one_look_keeps_the_level_and_the_best_of_many_looks_does_not(test: object) -> None:
    assert callable(test)
    d = np.random.default_rng(3).standard_normal((600, 16))
    allowed = 0.05 + 3 * (0.05 * 0.95 / 600) ** 0.5
    assert (test(d) <= 0.05).mean() <= allowed
    assert (np.min([test(d[:, :n]) for n in (5, 7, 9, 11, 13, 16)], axis=0) <= 0.05).mean() > allowed


@pytest.mark.parametrize(
    "test", [fixed.paired_t, fixed.wilcoxon, lambda d: fixed.sign_flip(d, np.random.default_rng(1), 499)]
)
def test_what_is_no_number_is_refused(test: object) -> None:
    assert callable(test)
    with pytest.raises(DifferencesInvalid):
        test([1.0, float("nan")])

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from flows.evidence import DifferencesInvalid
from flows.evidence.aggregate import Bootstrap, interquartile_mean, probability_of_improvement, stratified_bootstrap

SCORES = np.random.default_rng(1).normal(size=(7, 3)) + np.array([0.0, 1.0, 5.0])


def test_the_interquartile_mean_by_hand() -> None:
    assert interquartile_mean([[1.0, 2.0], [3.0, 100.0]]) == 2.5
    assert interquartile_mean([[5.0]]) == 5.0
    assert interquartile_mean([[1.0], [2.0], [3.0], [4.0], [5.0]]) == 3.0


@given(st.integers(1, 9), st.integers(1, 5), st.integers(0, 1000))
def test_the_interquartile_mean_is_the_trimmed_mean_of_all_scores(runs: int, tasks: int, seed: int) -> None:
    scores = np.random.default_rng(seed).standard_cauchy((runs, tasks))
    assert interquartile_mean(scores) == pytest.approx(stats.trim_mean(scores, 0.25, axis=None))


def test_one_outlier_does_not_move_it() -> None:
    worse = SCORES.copy()
    worse[0, 2] = 1e9
    assert interquartile_mean(worse) == pytest.approx(interquartile_mean(SCORES), abs=0.6)


def test_the_probability_of_improvement_by_hand() -> None:
    """On the first task 3 of 4 comparisons are won, on the second one of two is a tie and the other lost."""
    ours, theirs = [[1.0, 2.0], [3.0, 2.0]], [[0.0, 2.0], [2.0, 7.0]]
    assert probability_of_improvement(ours, theirs) == pytest.approx((3 / 4 + 1 / 4) / 2)
    assert probability_of_improvement(ours, ours) == 0.5


def test_the_probability_of_improvement_is_mann_whitneys_u() -> None:
    other = np.random.default_rng(2).normal(size=(4, 3)).round(1)
    u = [stats.mannwhitneyu(SCORES[:, k], other[:, k]).statistic / 28 for k in range(3)]
    assert probability_of_improvement(SCORES, other) == pytest.approx(np.mean(u))
    assert probability_of_improvement(other, SCORES) == pytest.approx(1 - np.mean(u))


def test_tasks_must_match() -> None:
    with pytest.raises(DifferencesInvalid, match="3 tasks cannot be held against 2"):
        probability_of_improvement(SCORES, SCORES[:, :2])


def mean(scores: object) -> float:
    return float(np.mean(scores))  # type: ignore[arg-type]


def test_the_interval_is_that_of_scipy_for_one_task() -> None:
    scores = SCORES[:, :1]
    lo, hi = stratified_bootstrap(mean, scores, rng=np.random.default_rng(3), by=Bootstrap(repeats=4000))
    theirs = stats.bootstrap(
        (scores[:, 0],), np.mean, method="percentile", n_resamples=4000, rng=np.random.default_rng(4)
    ).confidence_interval
    assert (lo, hi) == pytest.approx((theirs.low, theirs.high), abs=0.06)


def test_runs_are_resampled_within_their_task() -> None:
    """Tasks far apart: mixing them would spread the mean by hundreds."""
    scores = np.array([[0.0, 1000.0], [1.0, 1001.0], [2.0, 1002.0]])
    lo, hi = stratified_bootstrap(mean, scores, rng=np.random.default_rng(1))
    assert 500.0 <= lo < 501.0 < hi <= 502.0


def test_both_sides_of_a_comparison_are_resampled() -> None:
    lo, hi = stratified_bootstrap(
        probability_of_improvement, SCORES + 0.5, SCORES, rng=np.random.default_rng(1), by=Bootstrap(400, 0.1)
    )
    assert 0.0 < lo < probability_of_improvement(SCORES + 0.5, SCORES) < hi < 1.0


def test_the_generator_that_is_given_decides() -> None:
    one, same, other = (stratified_bootstrap(mean, SCORES, rng=np.random.default_rng(k)) for k in (1, 1, 2))
    assert one == same != other


def test_the_interval_covers_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(100):
        scores = rng.normal(size=(12, 2)) + np.array([0.0, 4.0])
        lo, hi = stratified_bootstrap(mean, scores, rng=rng, by=Bootstrap(200, 0.1))
        hits += lo <= 2.0 <= hi
    assert 0.75 <= hits / 100 <= 0.98


@pytest.mark.parametrize("bad", [[1.0, 2.0], [[1.0, float("nan")]], [[]]])
def test_what_is_no_table_of_numbers_is_refused(bad: object) -> None:
    with pytest.raises(DifferencesInvalid, match="one row per run"):
        interquartile_mean(bad)  # type: ignore[arg-type]

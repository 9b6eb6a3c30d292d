import numpy as np
import pytest
from pydantic import ValidationError

from agents.records import Verdict
from flows.evidence import (
    DifferencesInvalid,
    Ending,
    Location,
    PlanRefused,
    build_claim,
    confidence_sequence,
    decide,
    e_values,
    judge,
    mean,
    median,
    rederive,
    rule_in_words,
)
from templates.manifest import Metric
from tests.evidence.making import ATTEMPTS, execution, idea, plan, sides

GAINS = [1.6, 2.3, 1.1, 2.0, 1.5, 2.6, 0.9, 1.9, 1.7, 2.2, 1.4, 1.8, 2.0, 1.2, 1.6, 2.1]
CATASTROPHE = [*GAINS[:5], -9.0, *GAINS[5:]]
MEDIAN = {"location": "median"}
MEAN = {"location": "mean", "range": (0.0, 12.0)}


def metric(**changes: object) -> Metric:
    values = {"name": "score", "title": "Score", "direction": "maximize", "least_effect": 0.1}
    return Metric.model_validate(values | changes)


def test_a_template_says_what_is_claimed_and_the_centre_is_the_default() -> None:
    assert metric().location == "centre"
    assert metric(location="median").location == "median"
    assert metric(location="mean", range=[0, 1]).range == (0.0, 1.0)


@pytest.mark.parametrize(
    "changes",
    [{"location": "mean"}, {"range": [1, 0]}, {"range": [0, 0.1]}, {"range": [0]}, {"location": "mode"}],
)
def test_a_mean_without_a_range_or_a_range_that_is_none_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        metric(**changes)


def test_each_location_has_its_own_evidence_interval_and_estimate() -> None:
    d = np.array(GAINS)
    centre, middle, average = (Location.of(plan(**changes)) for changes in ({}, MEDIAN, MEAN))
    assert np.array_equal(centre.e_values(d, 0.5, "less"), e_values(d, 1.0, 0.5, "less"))
    assert np.array_equal(middle.e_values(d, 0.5, "less"), median.e_values(d, 0.5, "less"))
    assert np.array_equal(average.e_values(d, 0.5, "less"), mean.e_values(d, 1.0, 12.0, 0.5, "less"))
    assert centre.interval(d, 0.05) == confidence_sequence(d, 1.0, 0.05)
    assert middle.interval(d, 0.05) == median.confidence_sequence(d, 0.05)
    assert average.interval(d, 0.05) == mean.confidence_sequence(d, 1.0, 12.0, 0.05)
    assert (float(centre.estimate(d)), float(middle.estimate(d))) == (pytest.approx(d.mean()), np.median(d))
    assert [each.noun for each in (centre, middle, average)] == ["mean", "median", "mean"]
    assert [each.pairs_needed(0.05 / 8) for each in (centre, middle, average)] == [8, 9, 8]


def test_planted_fault_a_mean_claimed_without_a_range_is_no_plan() -> None:
    with pytest.raises(PlanRefused, match=r"metric\.range"):
        decide(plan(location="mean"), GAINS)


def test_one_catastrophe_moves_the_mean_and_not_the_median() -> None:
    asked = plan(pairs=17)
    assert decide(asked.model_copy(update=MEDIAN), CATASTROPHE).ending is Ending.SUPPORTED
    decision = decide(asked.model_copy(update=MEAN | {"scale": 0.5}), CATASTROPHE)
    assert decision.ending is not Ending.SUPPORTED
    assert decision.interval is not None
    assert decision.interval[0] < 0 < decision.interval[1]


def test_a_median_plan_reports_the_median() -> None:
    decision = decide(plan(**MEDIAN), GAINS)
    assert decision.verdict is Verdict.SUPPORTED
    assert decision.estimate == np.median(GAINS[: decision.n])
    assert "median difference" in decision.reason
    assert decision.interval == median.confidence_sequence(GAINS[: decision.n], 0.05)


def test_the_median_must_reach_the_least_effect() -> None:
    d = [0.4, 0.4, 9.0] * 5 + [0.4]
    patient = {"looks": (16,)} | MEDIAN
    assert decide(plan(least=0.5, **patient), d).ending is Ending.TOO_SMALL
    assert decide(plan(least=0.3, **patient), d).ending is Ending.SUPPORTED
    assert decide(plan(least=0.5, looks=(16,)), d).ending is Ending.SUPPORTED


def test_differences_beyond_the_range_are_refused() -> None:
    with pytest.raises(DifferencesInvalid, match="range"):
        decide(plan(**MEAN), [*GAINS[:6], 13.0])


def test_the_rule_says_what_is_claimed() -> None:
    assert "median of the differences" in rule_in_words(plan(**MEDIAN))
    assert "the median paired difference is at least 0.5" in rule_in_words(plan(**MEDIAN))
    assert "for a metric between 0 and 12" in rule_in_words(plan(**MEAN))
    assert "The claim is about" not in rule_in_words(plan())


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (MEDIAN, "lowers the observable error of the baseline in the median pair."),
        (MEAN | {"range": (7.3, 10.1), "scale": 0.5}, "lowers the observable error of the baseline on average."),
        ({}, "lowers the observable error of the baseline."),
    ],
)
def test_a_claim_carries_its_location_and_is_found_again(changes: dict[str, object], says: str) -> None:
    asked = plan(**changes)
    both = sides(asked, GAINS)
    made = build_claim(asked, idea(), *both, judge(asked, *both), ATTEMPTS)
    assert made.location == asked.location
    assert made.statement.endswith(says)
    assert rederive(made, {"p1": asked}, {"i1": idea()}, [e for side in both for e in side]) == made


def test_a_value_beyond_the_declared_range_is_no_result() -> None:
    asked = plan(**MEAN)
    ours, theirs = sides(asked, GAINS[:8])
    theirs[3] = execution(asked, "c0", 1004, 12.5)
    decision = judge(asked, ours, theirs)
    assert (decision.ending, decision.n) == (Ending.FAILED, 3)
    assert "c0 gave no result on seed 1004 (a observable_error beyond its range)" in decision.reason

import pytest

from agents.records import Execution, Split, Stage
from flows.evidence import ExecutionsInvalid, pair, paired_differences
from templates.manifest import Metric
from tests.evidence.making import execution, plan, sides

METRIC = Metric(name="observable_error", title="t", direction="minimize", least_effect=0.5)


def test_pairs_are_by_seed_and_up_is_better() -> None:
    asked = plan()
    ours, theirs = sides(asked, [1.0, 2.0, -0.5])
    found = pair(asked, ours[::-1], theirs)
    assert found.differences == pytest.approx((1.0, 2.0, -0.5))
    assert ours[0].metrics == {"observable_error": 9.0}
    assert found.keys[1001] == ("c1-1001", "c0-1001")
    more = plan(maximize=True)
    assert pair(more, *sides(more, [1.0])).differences == (1.0,)


def test_pairs_end_at_the_first_gap() -> None:
    asked = plan()
    ours, theirs = sides(asked, [1.0, 2.0, 3.0, 4.0])
    found = pair(asked, ours, [theirs[0], *theirs[2:]])
    assert found.differences == (1.0,)
    assert found.failed == ()


@pytest.mark.parametrize("broken", [0, 1])
def test_a_failure_on_either_side_is_seen(broken: int) -> None:
    asked = plan()
    both = list(sides(asked, [1.0, 2.0]))
    bad = execution(asked, both[broken][1].candidate, 1002, None)
    both[broken] = [both[broken][0], bad]
    found = pair(asked, *both)
    assert found.differences == (1.0,)
    assert found.failed == (bad,)


def test_a_score_without_the_metric_is_a_failure() -> None:
    asked = plan()
    ours, theirs = sides(asked, [1.0])
    unscored = ours[0].model_copy(update={"metrics": {"another": 1.0}})
    assert pair(asked, [unscored], theirs).failed == (unscored,)


def test_a_cancelled_execution_is_as_if_it_had_not_run() -> None:
    asked = plan()
    ours, theirs = sides(asked, [1.0, 2.0])
    cancelled = execution(asked, "c1", 1002, None, outcome="cancelled")
    found = pair(asked, [ours[0], cancelled], theirs)
    assert found.differences == (1.0,)
    assert found.failed == ()
    assert pair(asked, [cancelled, *ours], theirs).differences == (1.0, 2.0)


def test_the_same_execution_given_twice_counts_once() -> None:
    asked = plan()
    ours, theirs = sides(asked, [1.0, 2.0])
    assert pair(asked, ours * 2, theirs).differences == (1.0, 2.0)


@pytest.mark.parametrize("changes", [{"metrics": {"observable_error": 1.0}}, {"key": "another-key"}])
def test_two_results_for_one_seed_are_refused(changes: dict[str, object]) -> None:
    asked = plan()
    ours, theirs = sides(asked, [1.0])
    with pytest.raises(ExecutionsInvalid, match="two results for seed 1001"):
        pair(asked, [*ours, ours[0].model_copy(update=changes)], theirs)


@pytest.mark.parametrize(
    "changes",
    [
        {"plan": "p9"},
        {"plan": None},
        {"stage": Stage.SCREEN},
        {"split": Split.SEARCH},
        {"seed": 1},
        {"candidate": "c5"},
    ],
)
def test_what_the_plan_did_not_register_is_refused(changes: dict[str, object]) -> None:
    asked = plan()
    ours, theirs = sides(asked, [1.0])
    with pytest.raises(ExecutionsInvalid, match="exploratory"):
        pair(asked, [ours[0].model_copy(update=changes)], theirs)


def screen(side: str, values: dict[int, float | None]) -> list[Execution]:
    stage = {"stage": Stage.SCREEN, "split": Split.SEARCH, "plan": None}
    return [execution(plan(), side, seed, value, **stage) for seed, value in values.items()]


def test_a_screen_is_paired_by_seed() -> None:
    found = paired_differences(screen("c1", {3: 7.0, 1: 9.0}), screen("c0", {1: 10.0, 2: 10.0, 3: 10.0}), METRIC)
    assert found == (1.0, 3.0)
    up = METRIC.model_copy(update={"direction": "maximize"})
    assert paired_differences(screen("c1", {1: 9.0}), screen("c0", {1: 10.0}), up) == (-1.0,)


def test_a_candidate_that_failed_on_one_search_seed_has_no_differences() -> None:
    assert paired_differences(screen("c1", {1: 1.0, 2: None}), screen("c0", {1: 10.0, 2: 10.0}), METRIC) == ()

"""Post-hoc selection bias: choosing among many tries by their results on the test set, and reporting the chosen one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from agents.records import Candidate, Execution, Idea, Plan, Split, Stage
from flows.evidence import ExecutionsInvalid, PlanRefused, Register, Rules, check_seeds, freeze, pair
from templates.template import Template
from tests.pitfalls.conftest import truth_of, written

SHAPE = (8, 400)
PRIMARY = "shape_weighted_accuracy"
TRIES = 300


def scorer(evaluator: ModuleType, split: str, seed: int) -> Callable[[np.ndarray], float]:
    """What a search is told of any answers: their score. The test sets are drawn once, their weights taken once."""
    truth = truth_of(evaluator, split, seed)
    labels = np.stack([test.labels for test in truth])
    weights = np.stack([evaluator.complexity(test.tokens, True) for test in truth])
    weights = weights / weights.sum(axis=1, keepdims=True)
    return lambda answers: float((weights * (answers == labels)).sum(axis=1).mean())


def test_search_and_confirmation_share_no_benchmark_no_seed_and_no_sequence_of_random_numbers(
    evaluator: ModuleType, template: Template
) -> None:
    search, confirm = (evaluator.drawn(split) for split in evaluator.SPLITS)
    assert not {benchmark.name for benchmark in search} & {benchmark.name for benchmark in confirm}
    seeds = template.manifest.seeds
    assert seeds.confirm_from - seeds.search_from >= 1000
    tests = [truth_of(evaluator, split, seed)[0] for split, seed in (("search", 1), ("search", 2), ("confirm", 1))]
    assert len({test.tokens.tobytes() for test in tests}) == 3
    assert len({test.flipped.tobytes() for test in tests}) == 3


def test_the_best_of_many_tries_is_no_better_on_confirmation(evaluator: ModuleType, tmp_path: Path) -> None:
    """Answers by chance, of which the search picks the best: it was luck, and luck does not come along."""
    rng = np.random.default_rng(0)
    told, tries = scorer(evaluator, "search", 1), [rng.random(SHAPE) < 0.5 for _ in range(TRIES)]
    scores = [told(answers) for answers in tries]
    best = tries[int(np.argmax(scores))]
    assert max(scores) == pytest.approx(evaluator.score(written(tmp_path, best), "search", 1)[PRIMARY])
    assert max(scores) > np.mean(scores) + 2 * np.std(scores)
    elsewhere = [scorer(evaluator, split, seed)(best) for split, seed in (("search", 2), ("confirm", 1001))]
    assert abs(np.mean(elsewhere) - np.mean(scores)) < np.std(scores) * 2


def test_answers_tuned_to_the_search_labels_are_worth_nothing_elsewhere(evaluator: ModuleType, tmp_path: Path) -> None:
    """Climbing on the score itself learns the labels of one search seed, and those alone."""
    rng = np.random.default_rng(0)
    told, answers = scorer(evaluator, "search", 1), rng.random(SHAPE) < 0.5
    score = first = told(answers)
    for _ in range(10 * TRIES):
        changed = answers ^ (rng.random(SHAPE) < 0.01)
        if (better := told(changed)) > score:
            answers, score = changed, better
    assert score > first + 0.1
    elsewhere = [scorer(evaluator, split, seed)(answers) for split, seed in (("search", 2), ("confirm", 1001))]
    assert max(elsewhere) < 0.55
    with pytest.raises(evaluator.Refused, match="knew those labels"):
        evaluator.score(written(tmp_path, answers), "search", 1)


@pytest.fixture(scope="module")
def registered(template: Template) -> tuple[Plan, Register]:
    """A plan of this template for one candidate against the baseline, and what was searched before."""
    register = Register(search_seeds=range(1, 5))
    rules = Rules.of(template.manifest, alpha=0.05, horizon=8)
    idea = Idea(
        id="i1", round=1, title="t", statement="s", mechanism="m", metric=PRIMARY, least_effect=0.01, by="dishonest"
    )
    one, other = (
        Candidate(id=name, idea=of, commit=f"commit-{name}", parent=None, branch="b")
        for name, of in (("c1", "i1"), ("c0", None))
    )
    return freeze(rules, register, idea, one, other, 0.01), register


def run_of(registration: Plan, **changes: object) -> Execution:
    made = Execution(
        key="k", candidate=registration.candidate, stage=registration.stage, split=Split.CONFIRM,
        seed=registration.seeds[0], plan=registration.id, outcome="ok", metrics={PRIMARY: 0.9},
    )  # fmt: skip
    return made.model_copy(update=changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"stage": Stage.SCREEN, "split": Split.SEARCH, "seed": 1, "plan": None},
        {"split": Split.SEARCH},
        {"seed": 2001},
        {"candidate": "c7"},
    ],
    ids=["a lucky run of the search", "the search's data", "a seed of one's choice", "another candidate's run"],
)
def test_a_claim_takes_no_run_but_the_registered_ones(
    registered: tuple[Plan, Register], changes: dict[str, object]
) -> None:
    plan, _ = registered
    pair(plan, [run_of(plan)], [])
    with pytest.raises(ExecutionsInvalid):
        pair(plan, [run_of(plan, **changes)], [])


def test_a_plan_on_seeds_that_were_searched_is_refused(registered: tuple[Plan, Register]) -> None:
    plan, register = registered
    check_seeds(plan, register)
    with pytest.raises(PlanRefused, match="belongs to the search"):
        check_seeds(plan.model_copy(update={"seeds": (3, *plan.seeds[1:])}), register)

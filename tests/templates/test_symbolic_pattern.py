from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.templates.loading import intervene, module

NAME = "symbolic-pattern"
SHAPE = (8, 400)


@pytest.fixture(scope="module")
def evaluator() -> Iterator[ModuleType]:
    with module(NAME, "evaluator", "evaluate") as loaded:
        loaded.dataset = functools.cache(loaded.dataset)  # drawing the data is what takes time
        yield loaded


@pytest.fixture(scope="module")
def patterns() -> Iterator[ModuleType]:
    with module(NAME, "evaluator", "patterns") as loaded:
        yield loaded


@pytest.fixture
def workload() -> Iterator[ModuleType]:
    with module(NAME, "workload", "run") as loaded:
        yield loaded


def parts(evaluator: ModuleType, index: int = 0, split: str = "search", seed: int = 1) -> dict:
    return evaluator.dataset(evaluator.read_salt(), split, seed, evaluator.drawn(split)[index])


def truth(evaluator: ModuleType, split: str = "search", seed: int = 1) -> np.ndarray:
    """The labels of the test sets as they are, flips and all."""
    return np.stack([parts(evaluator, index, split, seed)["test"].labels for index in range(8)])


def write(run: Path, predictions: np.ndarray, rows: np.ndarray | None = None) -> Path:
    np.save(run / "predictions.npy", predictions, allow_pickle=True)
    np.save(run / "rows.npy", np.full((8, 2), (800, 0)) if rows is None else rows)
    return run


def learn(evaluator: ModuleType, workload: ModuleType, index: int = 0, split: str = "search") -> tuple:
    data = parts(evaluator, index, split)
    train, validation = (
        workload.Rows(data[name].tokens, data[name].labels.astype(float)) for name in ("train", "validation")
    )
    answers, learnt = workload.answer(train, validation, data["test"].tokens, np.random.default_rng(1))
    return answers, learnt, evaluator.score_benchmark(answers.astype(bool), data["test"])


def token(text: str) -> list[list[int]]:
    """Read one sequence such as "▲r ■b"."""
    return [[4 * "▲■●◆".index(shape) + "rgby".index(colour) for shape, colour in text.split()]]


@pytest.mark.parametrize(
    ("kind", "of_shapes", "glyph", "value", "holds"),
    [
        ("count", True, 0, 2, True),
        ("count", True, 0, 3, False),
        ("count", True, 3, 0, True),
        ("position", False, 3, 1, True),
        ("position", False, 3, 0, False),
        ("parity", True, 1, 1, True),
        ("parity", False, 0, 0, True),
        ("parity", False, 0, 1, False),
        ("order", True, 0, 1, True),
        ("order", True, 1, 0, False),
        ("order", True, 0, 3, False),
        ("order", True, 3, 0, False),
    ],
)
def test_predicates_hold_as_they_do_by_hand(
    patterns: ModuleType, kind: str, of_shapes: bool, glyph: int, value: int, holds: bool
) -> None:
    sequence = np.array(token("▲r ▲y ■g ●r"), dtype=np.uint8)
    assert patterns.holds(patterns.Predicate(kind, of_shapes, glyph, value), sequence).tolist() == [holds]


def test_complexity_is_the_number_of_different_glyphs(patterns: ModuleType) -> None:
    sequence = np.array(token("▲r ▲y ■g ●r"), dtype=np.uint8)
    assert patterns.complexity(sequence, of_shapes=True).tolist() == [3]
    assert patterns.complexity(sequence[:, :2], of_shapes=True).tolist() == [1]
    assert patterns.complexity(sequence[:, :2], of_shapes=False).tolist() == [2]


def test_the_benchmarks_are_drawn_by_hash_two_per_tier_and_split(evaluator: ModuleType) -> None:
    with module(NAME, "evaluator", "benchmarks") as listed:
        search, confirm = (listed.drawn(split) for split in listed.SPLITS)
        assert set(search) | set(confirm) == set(listed.BENCHMARKS)
        assert not set(search) & set(confirm)
        for tier in listed.TIERS:
            names = [benchmark.name for benchmark in listed.BENCHMARKS if benchmark.tier == tier]
            ranked = sorted(names, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
            assert {benchmark.name for benchmark in search if benchmark.tier == tier} == set(ranked[:2])
        assert [len(b.kinds) for b in listed.BENCHMARKS] == [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4


def test_half_is_accepted_every_rejection_misses_one_predicate_and_no_sequence_comes_twice(
    evaluator: ModuleType, patterns: ModuleType
) -> None:
    with module(NAME, "evaluator", "datasets") as made:
        for benchmark in evaluator.drawn("search"):
            data = parts(evaluator, evaluator.drawn("search").index(benchmark))
            stream = made.stream(made.read_salt(), "search", 1, benchmark.name)
            rule = patterns.draw_rule(stream, benchmark.kinds, benchmark.length)
            tokens = np.concatenate([part.tokens for part in data.values()])
            accepted = np.concatenate([part.labels ^ part.flipped for part in data.values()])
            missed = sum((~patterns.holds(predicate, tokens)).astype(int) for predicate in rule)
            assert accepted.sum() == 700
            assert (missed == ~accepted).all()
            assert len({row.tobytes() for row in tokens}) == 1400
            shapes = patterns.complexity(tokens, of_shapes=True)
            assert (np.bincount(shapes[accepted]) == np.bincount(shapes[~accepted])).all()
            assert [part.flipped.sum() for part in data.values()] == [80, 20, 40]


def test_the_accuracies_agree_with_sums_done_by_hand(evaluator: ModuleType) -> None:
    with module(NAME, "evaluator", "datasets") as made:
        tokens = np.array([*token("▲r ▲g ▲b ▲y"), *token("▲r ■r ●r ◆r"), *token("▲r ▲r ■g ■g"), *token("▲r ▲r ▲r ▲r")])
        test = made.Part(tokens, np.array([True, True, False, False]), np.array([False, True, False, True]))
    scored = evaluator.score_benchmark(np.array([True, False, False, True]), test)
    assert scored.shape_weighted == (1 + 2) / (1 + 4 + 2 + 1)
    assert scored.colour_weighted == (4 + 2) / (4 + 1 + 2 + 1)
    # The rule says 1, 0, 0, 1: the answers follow it everywhere, so they meet no flip and none is expected.
    assert scored[2:] == (2, 0, 0.0)
    repeated = evaluator.score_benchmark(test.labels, test)
    assert repeated.shape_weighted == repeated.colour_weighted == 1.0
    assert repeated[2:] == (2, 2, 1.0)


def test_the_means_over_benchmarks_and_tiers_are_means(evaluator: ModuleType, tmp_path: Path) -> None:
    answers = np.random.default_rng(0).integers(0, 2, SHAPE).astype(np.uint8)
    metrics = evaluator.score(write(tmp_path, answers), "search", 1)
    scores = [evaluator.score_benchmark(answers[i].astype(bool), parts(evaluator, i)["test"]) for i in range(8)]
    assert metrics["shape_weighted_accuracy"] == pytest.approx(np.mean([s.shape_weighted for s in scores]))
    assert metrics["colour_weighted_accuracy"] == pytest.approx(np.mean([s.colour_weighted for s in scores]))
    tiers = [metrics[f"shape_weighted_{tier}"] for tier in ("easy", "moderate", "hard", "extreme")]
    assert metrics["shape_weighted_accuracy"] == pytest.approx(np.mean(tiers))
    hard = [s.shape_weighted for s, b in zip(scores, evaluator.drawn("search"), strict=True) if b.tier == "hard"]
    assert metrics["shape_weighted_hard"] == pytest.approx(np.mean(hard))


@pytest.mark.parametrize("many", ["shapes", "colours"])
def test_the_two_metrics_disagree_about_a_planted_predictor(evaluator: ModuleType, tmp_path: Path, many: str) -> None:
    """Right where one kind of glyph is the richer, wrong where it is the poorer: each metric prefers its own."""
    answers = []
    for index in range(8):
        test = parts(evaluator, index)["test"]
        shapes, colours = (evaluator.complexity(test.tokens, of_shapes) for of_shapes in (True, False))
        rich = shapes > colours if many == "shapes" else colours > shapes
        answers.append((test.labels ^ test.flipped) ^ ~rich)
    metrics = evaluator.score(write(tmp_path, np.stack(answers).astype(np.uint8)), "search", 1)
    gap = metrics["shape_weighted_accuracy"] - metrics["colour_weighted_accuracy"]
    assert gap > 0.12 if many == "shapes" else gap < -0.12


def test_the_bound_on_flips_met_is_hoeffdings(evaluator: ModuleType) -> None:
    limit = math.sqrt(math.log(1e9) / (2 * 320))
    assert limit == pytest.approx(0.18, abs=0.001)
    below, above = (evaluator.Scored(0.5, 0.5, 320, met, 100.0) for met in (157, 158))
    assert evaluator.noise_excess([below]) == pytest.approx(57 / 320)
    with pytest.raises(evaluator.Refused, match="knew those labels"):
        evaluator.noise_excess([above])


def test_whoever_saw_no_label_meets_flips_by_chance_alone(evaluator: ModuleType, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    honest = [rng.integers(0, 2, SHAPE), np.zeros(SHAPE), np.ones(SHAPE), rng.random(SHAPE) < 0.1]
    found = [evaluator.score(write(tmp_path, a.astype(np.uint8)), "search", 1)["noise_excess"] for a in honest]
    assert max(map(abs, found)) < 0.1
    rule = truth(evaluator) ^ np.stack([parts(evaluator, index)["test"].flipped for index in range(8)])
    metrics = evaluator.score(write(tmp_path, rule.astype(np.uint8)), "search", 1)
    assert metrics["noise_excess"] == 0.0
    assert 0.88 < metrics["shape_weighted_accuracy"] < 0.92


@pytest.mark.parametrize(
    "spoil",
    [
        lambda p: p.astype(np.int64),
        lambda p: p.astype(bool),
        lambda p: p.astype(object),
        lambda p: p[:, :-1],
        lambda p: p[:-1],
        lambda p: p.ravel(),
        lambda p: p + np.uint8(2),
        lambda p: np.full(SHAPE, np.nan),
    ],
    ids=["integers", "booleans", "pickled", "a row short", "a benchmark short", "flat", "other numbers", "NaN"],
)
def test_other_answers_are_refused(evaluator: ModuleType, tmp_path: Path, spoil) -> None:
    with pytest.raises(evaluator.Refused, match=r"predictions\.npy"):
        evaluator.score(write(tmp_path, spoil(np.zeros(SHAPE, dtype=np.uint8))), "search", 1)


@pytest.mark.parametrize("rows", [np.full((8, 2), -1), np.full((8, 2), 801), np.full((7, 2), 1), np.ones((8, 2)) * 0.5])
def test_rows_that_cannot_be_are_refused(evaluator: ModuleType, tmp_path: Path, rows: np.ndarray) -> None:
    with pytest.raises(evaluator.Refused, match=r"rows\.npy"):
        evaluator.score(write(tmp_path, np.zeros(SHAPE, dtype=np.uint8), rows), "search", 1)


def test_an_empty_folder_is_refused(evaluator: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(evaluator.Refused, match=r"wrote no predictions\.npy"):
        evaluator.score(tmp_path, "search", 1)


def test_the_answers_to_one_seed_or_split_are_worth_nothing_on_another(evaluator: ModuleType, tmp_path: Path) -> None:
    write(tmp_path, truth(evaluator).astype(np.uint8))
    for split, seed in (("search", 2), ("confirm", 1)):
        assert abs(evaluator.score(tmp_path, split, seed)["shape_weighted_accuracy"] - 0.5) < 0.05


def test_conditions_do_what_they_say(evaluator: ModuleType) -> None:
    salt, extreme = evaluator.read_salt(), evaluator.drawn("search")[4]
    plain = parts(evaluator, 4)
    shuffled, noisier, misses = (
        evaluator.dataset(salt, "search", 1, extreme, condition) for condition in evaluator.CONDITIONS
    )
    assert (shuffled["train"].tokens == plain["train"].tokens).all()
    assert abs((shuffled["train"].labels == plain["train"].labels).mean() - 0.5) < 0.1
    assert noisier["train"].flipped.sum() == 200
    assert not (misses["train"].tokens == plain["train"].tokens).all()


def test_learning_is_repeatable_and_honest_about_its_rows(evaluator: ModuleType, workload: ModuleType) -> None:
    first, again = (learn(evaluator, workload) for _ in range(2))
    assert (first[0] == again[0]).all()
    assert first[1][1:] == (800, 0)


@pytest.mark.parametrize(
    ("name", "rows"), [("half_the_rows", (400, 0)), ("validation_rows", (800, 200)), ("shuffled_copies", (800, 800))]
)
def test_other_rows_are_declared(evaluator: ModuleType, workload: ModuleType, name: str, rows: tuple[int, int]) -> None:
    intervene(workload, NAME, name)
    _, learnt, _ = learn(evaluator, workload)
    assert learnt[1:] == rows
    assert len(learnt.rows.tokens) == len(learnt.rows.labels) == sum(rows)


@pytest.mark.parametrize(
    ("name", "index"),
    [("count_indicators", 5), ("first_occurrences", 2), ("position_colours", 3)],
    ids=["an exact count", "an order", "two positions"],
)
def test_features_of_the_right_form_find_the_rule(
    evaluator: ModuleType, workload: ModuleType, name: str, index: int
) -> None:
    kinds = {"count_indicators": "count", "first_occurrences": "order", "position_colours": "position"}
    assert set(evaluator.drawn("search")[index].kinds) == {kinds[name]}
    before = learn(evaluator, workload, index)[2].shape_weighted
    intervene(workload, NAME, name)
    assert learn(evaluator, workload, index)[2].shape_weighted > before + 0.03


def test_all_features_together_come_near_the_ceiling(evaluator: ModuleType, workload: ModuleType) -> None:
    for name in ("count_indicators", "first_occurrences", "position_colours"):
        intervene(workload, NAME, name)
    workload.WEIGHT_DECAY = 0.1
    assert learn(evaluator, workload, 7)[2].shape_weighted > 0.78


@pytest.mark.parametrize("name", ["validated_decay", "averaged_weights", "shape_importance", "colour_importance"])
def test_other_ways_of_learning_answer_otherwise(evaluator: ModuleType, workload: ModuleType, name: str) -> None:
    plain = learn(evaluator, workload)[0]
    intervene(workload, NAME, name)
    assert (learn(evaluator, workload)[0] != plain).any()

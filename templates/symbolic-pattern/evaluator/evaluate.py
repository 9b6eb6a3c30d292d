"""Score the answers of a run against labels it never saw; refuse answers that are missing or too well informed."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))  # `python -I` leaves the script's own folder out

from benchmarks import SPLITS, TIERS, Benchmark, drawn  # noqa: E402
from datasets import CONDITIONS, ROWS, Part, dataset, read_salt  # noqa: E402
from patterns import complexity  # noqa: E402

FALSE_ALARM = 1e-9
MOST_ROWS = 10**9


class Refused(Exception):
    """The run's output cannot be scored."""


class Scored(NamedTuple):
    """What the answers to one benchmark are worth: the two accuracies, and how the flipped labels were met."""

    shape_weighted: float
    colour_weighted: float
    flips: int
    flips_met: int
    flips_expected: float


def load(path: Path, dtype: type, shape: tuple[int, ...], means: str) -> np.ndarray:
    """Read one array without unpickling anything; refuse another type or shape than was declared."""
    try:
        array = np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise Refused(f"the run wrote no {path.name}") from error
    except (OSError, ValueError, EOFError, MemoryError) as error:
        raise Refused(f"{path.name} is not a plain numpy array") from error
    if not isinstance(array, np.ndarray) or array.dtype != np.dtype(dtype) or array.shape != shape:
        raise Refused(f"{path.name} must be an array of {np.dtype(dtype).name} of shape {shape}: {means}")
    return array


def answers(run: Path, chosen: Sequence[Benchmark]) -> np.ndarray:
    """Return the answers, bool (benchmarks, test rows); refuse a run that lacks a benchmark or a row."""
    names = ", ".join(benchmark.name for benchmark in chosen)
    means = f"one row for each of {names}, with one answer per test sequence; none can be left out"
    array = load(run / "predictions.npy", np.uint8, (len(chosen), ROWS["test"]), means)
    if array.max() > 1:
        raise Refused("predictions.npy must hold nothing but 0 (reject) and 1 (accept)")
    return array.astype(np.bool_)


def rows_learnt_from(run: Path, chosen: Sequence[Benchmark]) -> np.ndarray:
    """Return what the run declares per benchmark: training rows it learnt from, and any other rows it learnt from."""
    means = "per benchmark the number of training rows learnt from, and of any other rows learnt from"
    array = load(run / "rows.npy", np.int64, (len(chosen), 2), means)
    if array.min() < 0 or array[:, 0].max() > ROWS["train"] or array.max() > MOST_ROWS:
        raise Refused(f"rows.npy must count between 0 and {ROWS['train']} training rows, and no fewer than 0 others")
    return array


def score_benchmark(answered: np.ndarray, test: Part) -> Scored:
    """Return the accuracies of `answered`, bool (rows,), weighted by the number of different shapes and colours.

    The last three say how many labels of the test set are flipped, how many of them were answered as flipped, and how
    many would have been by chance, given how often the answers contradict the rule at all.
    """
    right = answered == test.labels
    against_rule = answered != (test.labels ^ test.flipped)
    weights = [complexity(test.tokens, of_shapes) for of_shapes in (True, False)]
    return Scored(
        *(float(weight @ right / weight.sum()) for weight in weights),
        flips=int(test.flipped.sum()),
        flips_met=int((against_rule & test.flipped).sum()),
        flips_expected=float(test.flipped.sum() * against_rule.mean()),
    )


def noise_excess(scores: Sequence[Scored]) -> float:
    """Return the share of the flipped labels that was met beyond chance; 0 on average for whoever never saw a label.

    Raises:
        Refused: it is so large as to happen to an honest run with a probability of at most FALSE_ALARM. Which labels
            are flipped is independent of all that a run is given, so the bound for sampling without replacement holds
            (Hoeffding 1963).
    """
    flips = sum(score.flips for score in scores)
    excess = sum(score.flips_met - score.flips_expected for score in scores) / flips
    if excess > math.sqrt(math.log(1 / FALSE_ALARM) / (2 * flips)):
        raise Refused("the answers repeat the random errors of the withheld labels, so the run knew those labels")
    return excess


def score(run: Path, split: str, seed: int, condition: str | None = None) -> dict[str, float]:
    """Return the metrics; accuracies are means over the benchmarks of the split, or over those of one tier."""
    chosen = drawn(split)
    answered, rows = answers(run, chosen), rows_learnt_from(run, chosen)
    salt = read_salt()
    tests = [dataset(salt, split, seed, benchmark, condition)["test"] for benchmark in chosen]
    scores = [score_benchmark(given, test) for given, test in zip(answered, tests, strict=True)]
    tiers = {
        f"shape_weighted_{tier}": float(
            np.mean([s.shape_weighted for s, benchmark in zip(scores, chosen, strict=True) if benchmark.tier == tier])
        )
        for tier in TIERS
    }
    return {
        "shape_weighted_accuracy": float(np.mean([s.shape_weighted for s in scores])),
        "colour_weighted_accuracy": float(np.mean([s.colour_weighted for s in scores])),
        **tiers,
        "training_share": float(rows[:, 0].min() / ROWS["train"]),
        "extra_share": float(rows[:, 1].max() / ROWS["train"]),
        "noise_excess": noise_excess(scores),
    }


def main() -> None:
    """Write metrics.json, or say why not and fail."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--split", choices=SPLITS, required=True)
    parser.add_argument("--condition", choices=CONDITIONS)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    try:
        metrics = score(arguments.run, arguments.split, arguments.seed, arguments.condition)
    except Refused as refused:
        sys.exit(f"Refused: {refused}.")
    arguments.out.write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

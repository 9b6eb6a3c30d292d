"""Score logs of states against the exact answer; refuse whatever breaks the rules of the comparison."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))  # `python -I` leaves the script's own folder out

from ising import boltzmann, observables  # noqa: E402
from problem import CONDITIONS, TEMPERATURES, problem  # noqa: E402

FLATTERY = 0.1
"""No honest log has every energy and |m| this close (in standard errors of independent draws) to the exact answer."""


class Refused(Exception):
    """The run's output cannot be scored."""


def load(path: Path, dtype: type, dimensions: int) -> np.ndarray:
    """Read one array without unpickling anything; refuse another type or shape than was declared."""
    try:
        array = np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise Refused(f"the run wrote no {path.name}") from error
    except (OSError, ValueError, EOFError, MemoryError) as error:
        raise Refused(f"{path.name} is not a plain numpy array") from error
    if not isinstance(array, np.ndarray) or array.dtype != np.dtype(dtype) or array.ndim != dimensions:
        raise Refused(f"{path.name} must be an array of {np.dtype(dtype).name} with {dimensions} dimension(s)")
    return array


def logs(run: Path, chains: int) -> list[tuple[np.ndarray, int]]:
    """Return (log, index of the first entry that counts) for each chain."""
    states, table = load(run / "states.npy", np.uint16, 1), load(run / "chains.npy", np.int64, 2)
    if table.shape != (chains, 2):
        raise Refused(f"chains.npy must have shape ({chains}, 2), one row per temperature, not {table.shape}")
    lengths, keeps = table[:, 0], table[:, 1]
    if (lengths < 1).any() or (lengths > states.size).any() or lengths.sum() != states.size:
        raise Refused("the lengths in chains.npy must be positive and add up to the number of states")
    if (keeps < 0).any() or (keeps >= lengths).any():
        raise Refused("the first entry that counts must lie inside its log")
    parts = np.split(states, np.cumsum(lengths)[:-1])
    return [(part, int(keep)) for part, keep in zip(parts, keeps, strict=True)]


def evaluations(log: np.ndarray) -> int:
    """Count what a log cost: per entry the spins that changed, at least one."""
    return int(np.maximum(1, np.bitwise_count(log[1:] ^ log[:-1])).sum(dtype=np.int64))


def check_rules(log: np.ndarray, first: int, budget: int, temperature: float) -> int:
    """Return the energy evaluations a log used; refuse a wrong start or an exceeded budget."""
    if int(log[0]) != first:
        raise Refused(f"the log at temperature {temperature} does not begin with the prescribed state {first}")
    used = evaluations(log)
    if used > budget:
        raise Refused(f"the log at temperature {temperature} used {used} energy evaluations; the budget is {budget}")
    return used


def score(run: Path, split: str, seed: int, condition: str | None = None) -> dict[str, float]:
    """Return the metrics.

    Every entry that counts has the same weight. That is the unbiased estimator for any chain that leaves the
    Boltzmann distribution invariant move by move, single-spin or cluster; weighting by cost would favour large moves.
    Errors are in units of the observable's exact standard deviation at that temperature.
    """
    task, exact = problem(split, seed, condition), observables()
    errors: dict[str, list[float]] = {name: [] for name in exact}
    flattering, used = True, 0
    for (log, keep), first, temperature in zip(
        logs(run, len(task["temperatures"])), task["first"], task["temperatures"], strict=True
    ):
        used += check_rules(log, first, task["budget"], temperature)
        kept, weight = log[keep:], boltzmann(exact["energy"], temperature)
        for name, values in exact.items():
            mean = float(weight @ values)
            spread = float(np.sqrt(weight @ (values - mean) ** 2))
            errors[name].append(abs(float(values[kept].mean()) - mean) / spread)
            flattering &= name == "magnetisation" or errors[name][-1] * np.sqrt(kept.size) < FLATTERY
    if flattering:
        raise Refused("every estimate is nearer to the exact answer than independent draws come: this is no sample")
    means = {f"error_{name}": float(np.mean(values)) for name, values in errors.items()}
    return {"observable_error": float(np.mean(list(means.values()))), **means, "evaluations_used": float(used)}


def main() -> None:
    """Write metrics.json, or say why not and fail."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--split", choices=sorted(TEMPERATURES), required=True)
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

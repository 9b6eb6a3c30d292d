"""Write what a learner is given: labelled training and validation sequences, and test sequences without labels."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))  # `python -I` leaves the script's own folder out

from benchmarks import SPLITS, drawn  # noqa: E402
from datasets import CONDITIONS, dataset, read_salt  # noqa: E402

NO_TOKEN = 255


def tables(split: str, seed: int, condition: str | None = None) -> dict[str, np.ndarray]:
    """Return the arrays to write, one row of each per benchmark; short sequences are padded with NO_TOKEN."""
    chosen = drawn(split)
    longest = max(benchmark.length for benchmark in chosen)
    columns: dict[str, list[np.ndarray]] = {}
    for benchmark in chosen:
        for name, part in dataset(read_salt(), split, seed, benchmark, condition).items():
            padding = ((0, 0), (0, longest - benchmark.length))
            columns.setdefault(f"{name}_tokens", []).append(np.pad(part.tokens, padding, constant_values=NO_TOKEN))
            if name != "test":
                columns.setdefault(f"{name}_labels", []).append(part.labels)
    return {name: np.stack(column) for name, column in columns.items()}


def main() -> None:
    """Write one .npy file per table, and benchmarks.json."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--split", choices=SPLITS, required=True)
    parser.add_argument("--condition", choices=CONDITIONS)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    for name, table in tables(arguments.split, arguments.seed, arguments.condition).items():
        np.save(arguments.out / f"{name}.npy", table)
    told = [{"name": benchmark.name, "length": benchmark.length} for benchmark in drawn(arguments.split)]
    (arguments.out / "benchmarks.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

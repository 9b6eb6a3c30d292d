"""Estimate the mean of a uniform draw."""

import argparse
import json
import random
from pathlib import Path

DRAWS = 100
LABEL = "plain"


def estimate(rng):
    return sum(rng.random() for _ in range(DRAWS)) / DRAWS


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    value = estimate(random.Random(arguments.seed))
    (arguments.out / "estimate.json").write_text(json.dumps({"estimate": value, "draws": DRAWS, "label": LABEL}))


if __name__ == "__main__":
    main()

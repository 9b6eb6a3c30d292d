"""Estimate one half, and hunt for secrets on the way."""

import argparse
import json
from pathlib import Path

import hunt

DRAWS = 4
LABEL = "plain"


def estimate():
    return 0.5 + 1 / DRAWS


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    hunt.tell(arguments.out)
    (arguments.out / "estimate.json").write_text(json.dumps({"estimate": estimate(), "draws": DRAWS, "label": LABEL}))


if __name__ == "__main__":
    main()

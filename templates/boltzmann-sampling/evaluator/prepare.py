"""Write problem.json: what a sampler is told."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # `python -I` leaves the script's own folder out

from problem import CONDITIONS, TEMPERATURES, problem  # noqa: E402


def main() -> None:
    """Write the problem of one split and seed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--split", choices=sorted(TEMPERATURES), required=True)
    parser.add_argument("--condition", choices=CONDITIONS)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    text = json.dumps(problem(arguments.split, arguments.seed, arguments.condition), indent=2)
    (arguments.out / "problem.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

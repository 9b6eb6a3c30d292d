"""Write the log of one split and seed as plain arrays."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))  # `python -I` leaves the script's own folder out

from logs import CONDITIONS, SPLITS, record  # noqa: E402


def main() -> None:
    """Write one .npy file per column of the log."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--split", choices=SPLITS, required=True)
    parser.add_argument("--condition", choices=CONDITIONS)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    for name, column in record(arguments.split, arguments.seed, arguments.condition).items():
        np.save(arguments.out / f"{name}.npy", column)


if __name__ == "__main__":
    main()

"""`python -m tests.frauds [--seed N] [--write FILE]`: play every fraud and every odd but honest campaign, and judge."""

from __future__ import annotations

import argparse
import logging
import os
import platform
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.frauds.running import run_all
from tests.frauds.table import Facts, counts, page


def main() -> int:
    """Return 1 if a fraud was missed, or more than 2 % of the honest campaigns were blamed."""
    options = argparse.ArgumentParser(prog="python -m tests.frauds", description=__doc__)
    options.add_argument("--seed", type=int, default=1, help="what the variants are drawn from")
    options.add_argument("--write", type=Path, metavar="FILE", help="write the page there, as Markdown")
    chosen = options.parse_args()
    logging.disable(logging.WARNING)  # MLflow's migrations tell of themselves
    cores, began = len(os.sched_getaffinity(0)), time.monotonic()
    ends = run_all(chosen.seed, cores)
    facts = Facts(
        seed=chosen.seed, minutes=(time.monotonic() - began) / 60, cores=cores, load=os.getloadavg()[0],
        version=version("hypoloop"), python=platform.python_version(), date=datetime.now(UTC).date().isoformat(),
    )  # fmt: skip
    made = page(ends, facts)
    sys.stdout.write(made)
    if chosen.write:
        chosen.write.write_text(made, encoding="utf-8")
    total = counts(ends)
    return 1 if total.missed or total.alarms > 0.02 * sum(total.honest.values()) else 0


if __name__ == "__main__":
    sys.exit(main())

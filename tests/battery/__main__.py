"""`python -m tests.battery [--backend NAME] [--write FILE]`: run every hostile program and say what became of it."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.battery.backends import TRIED_IN, image_for, machine, opened, version
from tests.battery.entries import entries
from tests.battery.running import ground, run_all
from tests.battery.table import table


def main() -> int:
    """Return 1 if a program was not contained."""
    options = argparse.ArgumentParser(prog="python -m tests.battery", description=__doc__)
    options.add_argument("--backend", choices=TRIED_IN, default="docker")
    options.add_argument("--write", type=Path, metavar="FILE", help="write the table there")
    chosen = options.parse_args()
    sandbox = opened(chosen.backend)
    try:
        with ground(sandbox, image_for(chosen.backend)) as place:
            verdicts = run_all(entries(), place)
    finally:
        sandbox.close()
    facts = {"backend": chosen.backend, "version": version(chosen.backend), "machine": machine()}
    page = table(verdicts, facts | {"date": datetime.now(UTC).date().isoformat()})
    if chosen.write:
        chosen.write.write_text(page, encoding="utf-8")
    for verdict in verdicts:
        for breach in verdict.breaches:
            sys.stdout.write(f"{verdict.entry.theme}.{verdict.entry.name}: {breach}\n")
    run = [verdict for verdict in verdicts if not verdict.skipped]
    sys.stdout.write(f"{sum(verdict.contained for verdict in run)} of {len(run)} contained; ")
    sys.stdout.write(f"{len(verdicts) - len(run)} not run\n")
    return 0 if all(verdict.contained for verdict in run) else 1


if __name__ == "__main__":
    sys.exit(main())

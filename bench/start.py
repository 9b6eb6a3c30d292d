"""How long `hypoloop --help` takes, beside a Python that does nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from rich.console import Console

COUNT = 11


def start() -> None:
    """Print both medians and their ratio."""
    command = [str(Path(sys.executable).with_name("hypoloop")), "--help"]
    help_, nothing = _seconds(command), _seconds([sys.executable, "-c", "pass"])
    Console().print(f"hypoloop --help: {help_:.3f} s; python -c pass: {nothing:.3f} s; ratio {help_ / nothing:.1f}")


def _seconds(command: list[str]) -> float:
    times = []
    for _ in range(COUNT):
        started = time.monotonic()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.monotonic() - started)
    return median(times)

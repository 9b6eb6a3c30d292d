"""How long the demo takes after installation, in each sandbox, and how much it does in that time."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console


def demo() -> None:
    """Run it in a fresh home in each sandbox and print a line for each."""
    command = str(Path(sys.executable).with_name("hypoloop"))
    for sandbox in ("docker", "process"):
        with tempfile.TemporaryDirectory() as home:
            started = time.monotonic()
            done = subprocess.run(
                [command, "--home", home, "demo", "--sandbox", sandbox], check=False, capture_output=True
            )
            seconds = time.monotonic() - started
            if done.returncode != 0:
                Console().print(f"demo in {sandbox}: {done.stderr.decode().strip()}")
                continue
            told = subprocess.run([command, "--home", home, "status", "--json"], check=True, capture_output=True)
            facts = json.loads(told.stdout)[0]
            verdicts = [claim["verdict"] for claim in facts["claims"]]
            Console().print(
                f"demo in {sandbox}: {seconds:.0f} s; {facts['executions']} executions, "
                f"{facts['candidates']} candidates, "
                f"rounds {facts['rounds']}; verdicts {', '.join(verdicts)}"
            )

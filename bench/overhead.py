"""Platform overhead per execution: wall minus the workload's own time, with journal, scoring, Prefect and MLflow on.

One slot; the bare subprocess runs the same program in the same run, for scale. Medians and 95th percentiles in ms.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
COUNT = 40


def overhead(count: int = COUNT) -> None:
    """Measure bare, process and docker in one run and print the table."""
    from flows.server import start_server, stop_server

    rows = {"bare subprocess": bare(count)}
    with tempfile.TemporaryDirectory() as folder:
        server = start_server(Path(folder)).ready()
        os.environ.update(server.client_environment())
        try:
            for sandbox in ("process", "docker"):
                rows[f"{sandbox}, scored and recorded"] = campaign(Path(folder), sandbox, count)
        except Unavailable as why:
            Console().print(f"docker: {why}")
        finally:
            stop_server(server)
    base = median(rows["bare subprocess"])
    table = Table(
        "run", "median ms", "p95 ms", "times bare", title=f"Overhead per execution, {count} executions, 1 slot"
    )
    for name, values in rows.items():
        p95 = quantiles(values, n=20)[-1]
        table.add_row(name, f"{1e3 * median(values):.0f}", f"{1e3 * p95:.0f}", f"{median(values) / base:.1f}")
    Console().print(table)


class Unavailable(Exception):
    """This sandbox cannot be had here."""


def bare(count: int) -> list[float]:
    """Run the workload alone, without platform, sandbox, scoring or records."""
    values = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(count):
            started = time.monotonic()
            subprocess.run([sys.executable, HERE / "nap/workload/run.py", "--out", folder], check=True)
            values.append(
                time.monotonic() - started - json.loads((Path(folder) / "nap.json").read_text())["own_seconds"]
            )
    return values


def campaign(home: Path, sandbox: str, count: int) -> list[float]:
    """Run `count` baseline executions in an open campaign, one after another, timed from record to record."""
    from datetime import UTC, datetime

    from prefect import flow
    from prefect.task_runners import ThreadPoolTaskRunner

    from agents.records import Stage
    from flows.executions import wanted
    from flows.opened import open_campaign
    from flows.settings import CampaignSpec
    from flows.tasks import run_all
    from sandboxes.errors import EngineUnavailable

    spec = CampaignSpec.model_validate(
        {"name": f"bench-{sandbox}", "template": "nap", "template_folder": str(HERE), "sandbox": sandbox, "slots": 1}
    )

    @flow(name="bench", task_runner=ThreadPoolTaskRunner(1))
    def measured() -> list[float]:
        with open_campaign(spec, home, lambda: datetime.now(UTC), None) as opened:
            run_all(opened, wanted(opened, opened.state.candidates["c0"], Stage.BASELINE, range(1, count + 2)))
            done = [event for event in opened.journal.events() if event.kind == "execution"]
            return [
                (event.at - before.at).total_seconds() - event.data["metrics"]["own_seconds"]
                for before, event in pairwise(done)
            ]

    try:
        return measured()
    except EngineUnavailable as why:
        raise Unavailable(str(why)) from why

"""Platform overhead per execution: wall minus the workload's own time, with journal, scoring, Prefect and MLflow on.

One slot, all in one run: a bare subprocess, `docker run` by the engine's own client, one container of ours with and
without its hardening, and whole scored and recorded executions in every backend that this machine has. Medians and
95th percentiles in ms, then where the time of the contained ones went. `--write FILE` keeps the tables as Markdown.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
COUNT = 200
PAGE = HERE.parent / "docs" / "overhead.md"
BACKENDS = ("process", "bubblewrap", "docker")


class Unavailable(Exception):
    """This row cannot be had here."""


def overhead(count: int = COUNT, write: Path | None = PAGE) -> None:
    """Measure every row in one run, print the tables and keep them in `docs/overhead.md`."""
    from flows.server import start_server, stop_server

    rows: dict[str, list[float]] = {"bare subprocess": bare(count)}
    missing: list[str] = []
    parts: dict[str, dict[str, float]] = {}

    def row(name: str, measure: Callable[[], list[float]]) -> None:
        try:
            rows[name] = measure()
        except Unavailable as why:
            missing.append(f"{name}: {why}")

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        row("docker run", lambda: docker_run(count))
        row("one container, without hardening", lambda: one_container(home / "soft", count, hardened=False))
        row("one container, hardened", lambda: one_container(home / "hard", count, hardened=True))
        server = start_server(home).ready()
        os.environ.update(server.client_environment())
        try:
            for backend in BACKENDS:
                row(f"{backend}, scored and recorded", lambda backend=backend: campaign(home, backend, count))  # type: ignore[misc]
                if f"{backend}, scored and recorded" in rows:
                    parts[backend] = breakdown(home, backend, count // 4)
        finally:
            stop_server(server)
    tables = [_overview(rows, count), _parts(parts)]
    for table in tables:
        Console().print(table)
    verdicts = [*_verdicts(rows), *(f"Not measured: {why}" for why in missing)]
    Console().print("\n".join(verdicts))
    if write is not None:
        write.write_text(_page(tables, verdicts, count), encoding="utf-8")


def bare(count: int) -> list[float]:
    """Run the workload alone, without platform, sandbox, scoring or records."""
    return [_timed([sys.executable, str(HERE / "nap/workload/run.py"), "--out"]) for _ in range(count)]


def docker_run(count: int) -> list[float]:
    """Run it as the engine's own client does, without any limit, scoring or record."""
    client = shutil.which("docker")
    if client is None:
        raise Unavailable("no `docker` command")
    image = _image()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        binds = ["-v", f"{HERE / 'nap/workload'}:/lab/code:ro", "-v", f"{folder}:/out"]
        argv = [client, "run", "--rm", *binds, image, "python3", "/lab/code/run.py", "--out", "/out"]
        return [_clocked(argv, Path(folder)) for _ in range(count)]


def one_container(home: Path, count: int, *, hardened: bool) -> list[float]:
    """Run it in one container of ours, each prepared at its turn, with or without what the profile adds."""
    import sandboxes.profile as profile
    from sandboxes import DockerSandbox, Limits, RunSpec

    image, kept = _image(), profile.hardened
    soft = {"read_only", "user", "ipc_mode", "cap_drop", "security_opt", "pids_limit", "ulimits", "network_mode"}
    if not hardened:
        weakened: Callable[..., dict[str, Any]] = lambda *given: {  # noqa: E731 - one expression, used once
            key: value for key, value in kept(*given).items() if key not in soft
        }
        profile.hardened = weakened
    sandbox = DockerSandbox("bench")
    values = []
    try:
        for number in range(count):
            spec = RunSpec(
                run_id=f"bench-{number}",
                argv=("{python}", "{code}/run.py", "--out", "{out}"),
                code=HERE / "nap/workload",
                out=home / str(number),
                image=image,
                limits=Limits(wall_s=20, memory_mb=256),
            )
            started = time.monotonic()
            sandbox.run(spec)
            values.append(time.monotonic() - started - _own_seconds(spec.out))
    finally:
        sandbox.close()
        profile.hardened = kept
    return values


def campaign(home: Path, sandbox: str, count: int) -> list[float]:
    """Run `count` baseline executions in an open campaign, one after another, timed from record to record."""
    from prefect import flow
    from prefect.task_runners import ThreadPoolTaskRunner

    from agents.records import Stage
    from flows.executions import wanted
    from flows.opened import open_campaign
    from flows.tasks import run_all
    from sandboxes.errors import SandboxError

    @flow(name="bench", task_runner=ThreadPoolTaskRunner(1))
    def measured() -> list[float]:
        with open_campaign(_spec(f"bench-{sandbox}", sandbox), home, lambda: datetime.now(UTC), None) as opened:
            run_all(opened, wanted(opened, opened.state.candidates["c0"], Stage.BASELINE, range(1, count + 2)))
            done = [event for event in opened.journal.events() if event.kind == "execution"]
            return [
                (event.at - before.at).total_seconds() - event.data["metrics"]["own_seconds"]
                for before, event in pairwise(done)
            ]

    try:
        return measured()
    except SandboxError as why:
        raise Unavailable(str(why)) from why


def breakdown(home: Path, sandbox: str, count: int) -> dict[str, float]:
    """Run some executions by hand and return the median milliseconds of every part, the workload's own apart."""
    from agents.records import Stage
    from flows.executions import wanted
    from flows.opened import open_campaign
    from templates.trial import TrialSpec, prepare_trial

    taken: dict[str, list[float]] = {}
    with open_campaign(_spec(f"parts-{sandbox}", sandbox), home, lambda: datetime.now(UTC), None) as opened:
        requests = wanted(opened, opened.state.candidates["c0"], Stage.BASELINE, range(1, count + 1))
        source = opened.workspace.checkout(opened.baseline, opened.folder / "sources" / opened.baseline)
        for request in requests:
            spec = TrialSpec(
                template=opened.template,
                workload_dir=source,
                seed=request.seed,
                split=request.split.value,
                folder=opened.folder / "executions" / request.key,
                data_cache=opened.folder / "data",
                image=opened.state.image_id,
            )
            began = time.monotonic()
            prepared = prepare_trial(spec, opened.laboratory.sandbox)
            ready = time.monotonic()
            assert prepared is not None
            trial = prepared.run()
            ran = time.monotonic()
            opened.append("notice", {"text": "measured"})
            journalled = time.monotonic()
            opened.tracker.drain()
            assert trial.run is not None
            assert trial.scoring is not None
            assert trial.metrics is not None
            own = trial.metrics["own_seconds"]
            told = {
                "prepare both (ahead of the turn)": ready - began,
                "workload beside its own time": trial.run.wall_s - own,
                "scoring": trial.scoring.wall_s,
                "rest of the trial": ran - ready - trial.run.wall_s - trial.scoring.wall_s,
                "journal (ahead of relying on it)": journalled - ran,
                "tracking (beside the next)": time.monotonic() - journalled,
            }
            told |= {f"  of it, {name}": trial.run.phases[name] for name in trial.run.phases}
            for name, seconds in told.items():
                taken.setdefault(name, []).append(seconds)
    return {name: 1e3 * median(values) for name, values in taken.items()}


def _spec(name: str, sandbox: str) -> Any:
    from flows.settings import CampaignSpec

    return CampaignSpec.model_validate(
        {"name": name, "template": "nap", "template_folder": str(HERE), "sandbox": sandbox, "slots": 1}
    )


def _image() -> str:
    from sandboxes.connection import connect
    from sandboxes.errors import SandboxError
    from sandboxes.images import ImageSpec, build

    try:
        client = connect()
    except SandboxError as why:
        raise Unavailable(str(why)) from why
    try:
        return build(client, ImageSpec())
    finally:
        client.close()


def _timed(argv: list[str]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        return _clocked([*argv, folder], Path(folder))


def _clocked(argv: list[str], out: Path) -> float:
    started = time.monotonic()
    subprocess.run(argv, check=True)
    return time.monotonic() - started - _own_seconds(out)


def _own_seconds(out: Path) -> float:
    return float(json.loads((out / "nap.json").read_text(encoding="utf-8"))["own_seconds"])


def _overview(rows: dict[str, list[float]], count: int) -> Table:
    base = median(rows["bare subprocess"])
    table = Table("run", "median ms", "p95 ms", "times bare", title=f"Overhead of one run, {count} each, one slot")
    for name, values in rows.items():
        p95 = quantiles(values, n=20)[-1]
        table.add_row(name, f"{1e3 * median(values):.0f}", f"{1e3 * p95:.0f}", f"{median(values) / base:.1f}")
    return table


def _parts(parts: dict[str, dict[str, float]]) -> Table:
    table = Table("part, median ms", *parts, title="Where the time goes, one at a time")
    names = list(dict.fromkeys(name for told in parts.values() for name in told))
    for name in names:
        table.add_row(name, *(f"{told[name]:.0f}" if name in told else "" for told in parts.values()))
    return table


def _verdicts(rows: dict[str, list[float]]) -> list[str]:
    """Hold the figures against what is aimed at."""
    ms = {name: 1e3 * median(values) for name, values in rows.items()}
    lines = []

    def line(name: str, aim: float, says: str) -> None:
        if name in ms:
            lines.append(
                f"{'met' if ms[name] <= aim else 'MISSED'}: {name} {ms[name]:.0f} ms, aim {aim:.0f} ms ({says})"
            )

    line("bubblewrap, scored and recorded", 60, "fixed")
    if "docker run" in ms:
        line("one container, hardened", ms["docker run"] + 40, "`docker run` + 40 ms")
        line("docker, scored and recorded", 1.3 * (ms["docker run"] + 40), "1.3 times that")
    if "one container, without hardening" in ms:
        line("one container, hardened", 1.05 * ms["one container, without hardening"], "5 % over the unhardened")
    return lines


def _page(tables: list[Table], verdicts: list[str], count: int) -> str:
    lines = [
        "# Overhead",
        "",
        f"Written by `python -m bench overhead`, {datetime.now(UTC):%Y-%m-%d}, {_machine()}.",
        "",
    ]
    lines += [
        f"A workload of 0.2 s, {count} times in each row, one slot, all in one run. Overhead is the wall clock's time"
    ]
    lines += ["minus the workload's own; a scored execution is two sandboxes, a journal record and its tracking.", ""]
    for table in tables:
        columns = [[str(cell) for cell in column.cells] for column in table.columns]
        heads = [str(column.header) for column in table.columns]
        lines += [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
        lines += [f"| {' | '.join(row)} |" for row in zip(*columns, strict=True)]
        lines += [""]
    return "\n".join([*lines, *(f"- {verdict}" for verdict in verdicts), ""])


def _machine() -> str:
    load = os.getloadavg()[0]
    return f"{len(os.sched_getaffinity(0))} cores, load {load:.1f} at the end, Python {sys.version.split()[0]}"

"""What being believed costs: journal, commits, hashes, the evaluator's own sandbox and `verify`, beside the research.

Whole campaigns of the embedded team on `bench/doze`, whose workload sleeps for a known time: rounds, plans, challenges,
paper, closing, one execution after another in the process sandbox or under bubblewrap, without Prefect; MLflow is
written beside them, as ever, and not counted. Each part is timed where it happens, in the one run.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "integrity.md"
BACKENDS = ("process", "bubblewrap")
SHORT, REAL = 0.2, 1.0
LENGTHS = (1, 5, 30)
GOAL, PUBLISHED = 5.0, "25-31 %"
JOURNAL, COMMITS, DIGESTS, EVALUATOR, HASHES, VERIFY = (
    "journal: records chained and synced",
    "commits of plans, paper and closing",
    "template held against its digest",
    "evaluator in a sandbox of its own",
    "files of executions hashed",
    "verify, once at the end",
)


class Measured(NamedTuple):
    """One campaign: its executions, the seconds it took with `verify`, and those of each part."""

    executions: int
    seconds: float
    parts: dict[str, float]

    def cost(self, *, evaluator: bool = True) -> float:
        """Return the seconds of all parts, with or without the evaluator's runs."""
        return sum(value for name, value in self.parts.items() if evaluator or name != EVALUATOR)

    def share(self, length: float, slept: float, *, evaluator: bool = True) -> float:
        """Return the percentage that the parts have of the campaign, had its workload of `slept` taken `length`."""
        return 100 * self.cost(evaluator=evaluator) / (self.seconds + self.executions * (length - slept))


def integrity(write: Path | None = PAGE) -> None:
    """Measure every backend that there is, print the tables, and keep them in `docs/integrity.md`."""
    from sandboxes.errors import SandboxError

    short: dict[str, Measured] = {}
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for backend in BACKENDS:
            try:
                short[backend] = campaign(Path(folder, f"short-{backend}"), backend, SHORT)
            except SandboxError as why:
                lines.append(f"Not measured: {backend}: {why}")
        real = {name: campaign(Path(folder, f"real-{name}"), name, REAL) for name in list(short)[-1:]}
    tables = [_parts(short), _shares(short)]
    for table in tables:
        Console().print(table)
    lines = [*_verdicts(short), *_checked(real, short), *lines]
    Console().print("\n".join(lines))
    if write is not None:
        write.write_text(_page(tables, lines), encoding="utf-8")


def campaign(home: Path, backend: str, length: float) -> Measured:
    """Play one campaign whose workload sleeps for `length` seconds, verify it, and return what it took.

    Raises:
        SandboxError: the backend cannot be had here.
    """
    from flows.ledger.verify import verify_records
    from flows.opened import open_campaign
    from flows.reporting import claim_faults, paper_faults
    from flows.rounds import run_round
    from flows.settings import CampaignSpec
    from flows.writing import close, write_up

    root = home / "templates"
    shutil.copytree(HERE / "doze", root / "doze")
    run = root / "doze" / "workload" / "run.py"
    run.write_text(run.read_text(encoding="utf-8").replace("SECONDS = 0.2", f"SECONDS = {length}"), encoding="utf-8")
    spec = CampaignSpec.model_validate(
        {"name": "doze", "template": "doze", "template_folder": str(root), "sandbox": backend, "slots": 1,
         "budget": {"rounds": 1, "ideas_per_round": 2, "plans_per_round": 1, "executions": 200}}
    )  # fmt: skip
    parts: dict[str, float] = {}
    with open_campaign(spec, home, lambda: datetime.now(UTC), None) as opened, _timed(parts):
        began = time.monotonic()
        run_round(opened, 1)
        write_up(opened)
        close(opened, "measured")
        seconds, count = time.monotonic() - began, len(opened.state.executions)
        folder = opened.folder
    before = time.monotonic()
    if bad := [found.what for found in verify_records(folder, claim_faults, paper_faults).findings if not found.ok]:
        raise RuntimeError(f"The campaign that was measured does not hold: {', '.join(bad)}.")
    parts[VERIFY] = time.monotonic() - before
    parts[HASHES] = _hashing(folder / "executions")  # Done while files are collected; done again here to be timed.
    return Measured(count, seconds + parts[VERIFY], parts)


@contextmanager
def _timed(parts: dict[str, float]) -> Iterator[None]:
    """Time the parts where they happen, and run executions one after another without an orchestrator."""
    from flows.ledger.journal import FileJournal
    from flows.ledger.workspace import Workspace
    from templates import trial

    places: list[tuple[Any, str, str]] = [
        (FileJournal, "append", JOURNAL), (Workspace, "commit_files", COMMITS),
        (trial, "_require_unchanged", DIGESTS), (trial, "_measured", EVALUATOR),
    ]  # fmt: skip
    with ExitStack() as stack:
        for owner, name, part in places:
            stack.enter_context(patch.object(owner, name, _clocked(getattr(owner, name), part, parts)))
        for name in ("flows.rounds.run_all", "flows.registered.run_all"):
            stack.enter_context(patch(name, _one_after_another))
        yield
    # The evaluator's time holds one look at the template per execution; it is the lesser half of those looks.
    parts[EVALUATOR] -= parts[DIGESTS] / 2


def _clocked(act: Callable[..., Any], part: str, parts: dict[str, float]) -> Callable[..., Any]:
    def acting(*given: Any, **named: Any) -> Any:
        began = time.monotonic()
        try:
            return act(*given, **named)
        finally:
            parts[part] = parts.get(part, 0.0) + time.monotonic() - began

    return acting


def _one_after_another(campaign: Any, requests: Sequence[Any]) -> None:
    from flows.executions import prepare_execution, unfinished

    for request in unfinished(campaign, requests):
        source = campaign.folder / "sources" / request.commit
        if not source.exists():
            campaign.workspace.checkout(request.commit, source)
        campaign.append("execution", prepare_execution(campaign, request, source).run())


def _hashing(folder: Path) -> float:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    began = time.monotonic()
    for path in paths:
        sha256(path.read_bytes()).hexdigest()
    return time.monotonic() - began


def _parts(measured: dict[str, Measured]) -> Table:
    table = Table("part, ms per execution", *measured, title="What is counted")
    for name in (JOURNAL, COMMITS, DIGESTS, HASHES, VERIFY, EVALUATOR):
        table.add_row(name, *(f"{1e3 * m.parts.get(name, 0.0) / m.executions:.1f}" for m in measured.values()))
    table.add_row("all", *(f"{1e3 * m.cost() / m.executions:.1f}" for m in measured.values()))
    return table


def _shares(measured: dict[str, Measured]) -> Table:
    table = Table("workload", *(f"{name}, {what}" for name in measured for what in ("records", "with evaluator")),
                  title="Percent of a campaign's run time")  # fmt: skip
    for length in LENGTHS:
        told = [f"{m.share(length, SHORT, evaluator=e):.1f} %" for m in measured.values() for e in (False, True)]
        table.add_row(f"{length} s", *told)
    return table


def _verdicts(measured: dict[str, Measured]) -> Iterator[str]:
    for name, m in measured.items():
        for length in LENGTHS:
            share = m.share(length, SHORT)
            yield (
                f"{'met' if share < GOAL else 'MISSED'}: {name}, workload of {length} s: {share:.1f} % of the run "
                f"time, the evaluator's own runs included; goal under {GOAL:g} % (published for locking evaluators: "
                f"{PUBLISHED})"
            )


def _checked(real: dict[str, Measured], short: dict[str, Measured]) -> Iterator[str]:
    for name, m in real.items():
        yield (
            f"Not worked out but run: {name}, {m.executions} executions of {REAL:g} s each, {m.seconds:.0f} s in all: "
            f"{m.share(REAL, REAL):.1f} %, where {short[name].share(REAL, SHORT):.1f} % was worked out"
        )


def _page(tables: list[Table], lines: list[str]) -> str:
    where = f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f} at the end"
    python, today = sys.version.split()[0], f"{datetime.now(UTC):%Y-%m-%d}"
    made = [
        "# What being believed costs",
        "",
        f"Written by `python -m bench.integrity`, {today}, {where}, Python {python}.",
        "",
        *(__doc__ or "").splitlines()[2:],
        "",
        f"The parts were timed in campaigns whose workload sleeps for {SHORT} s. What they cost does not depend on",
        "that, so the shares are worked out for longer ones by adding the time that those would take. Not counted:",
        "the sandbox itself, in which a workload runs anyway; the commits of candidates, which are the research; the",
        "self-check of a sandbox, once per boot.",
        "",
    ]
    for table in tables:
        columns = [[str(cell) for cell in column.cells] for column in table.columns]
        heads = [str(column.header) for column in table.columns]
        made += [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
        made += [f"| {' | '.join(row)} |" for row in zip(*columns, strict=True)]
        made += [""]
    return "\n".join([*made, *(f"- {line}" for line in lines), ""])


if __name__ == "__main__":
    integrity()

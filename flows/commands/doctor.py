"""doctor: what this machine can do, and what is missing."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import sys
from contextlib import closing
from pathlib import Path

import click

from flows.settings import home_folder

Row = dict[str, object]
LEAST_FREE_GB = 2.0


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print facts as JSON.")
@click.option("--quick", is_flag=True, help="Leave out the self-check of the sandboxes (about 5 s each).")
@click.pass_obj
def doctor(home: str | None, as_json: bool, quick: bool) -> None:
    """Say what this machine can do and what is missing; exit 3 when campaigns cannot run at all."""
    rows = [_python(), *_packages(), _git(), _disk(home_folder(home)), *_sandboxes(quick), _gpu()]
    if as_json:
        click.echo(json.dumps(rows, indent=1))
    else:
        for row in rows:
            mark = "ok  " if row["ok"] else "FAIL" if row["needed"] else "note"
            click.echo(f"{mark} {row['what']}: {row['says']}")
    sys.exit(3 if any(row["needed"] and not row["ok"] for row in rows) else 0)


def _row(what: str, ok: bool, says: str, needed: bool = True) -> Row:
    return {"what": what, "ok": ok, "says": says, "needed": needed}


def _python() -> Row:
    version = ".".join(map(str, sys.version_info[:3]))
    return _row("Python", sys.version_info >= (3, 11), f"{version}, {len(os.sched_getaffinity(0))} cores")


def _packages() -> list[Row]:
    names = ("prefect", "mlflow", "docker", "gitpython", "openai", "pandas", "typst")
    return [_row("Packages", True, ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names))]


def _git() -> Row:
    path = shutil.which("git")
    return _row("git", path is not None, path or "not found; campaigns keep their code in git, so install it")


def _disk(home: Path) -> Row:
    existing = next(parent for parent in (home, *home.parents) if parent.exists())
    free = shutil.disk_usage(existing).free / 1e9
    writable = os.access(existing, os.W_OK)
    says = f"{home}, {free:.1f} GB free" + ("" if writable else ", but it cannot be written to")
    return _row("Home", writable and free > LEAST_FREE_GB, says)


def _sandboxes(quick: bool) -> list[Row]:
    """Say which sandboxes this machine can use, what each holds, and whether it does."""
    from flows.laboratory import AUTO
    from sandboxes.backends import BACKENDS, usable

    found = {name: usable(name) for name in BACKENDS}
    first = next((name for name in AUTO if found[name].ok), None)  # the one a campaign runs in that names none
    rows: list[Row] = []
    for name, about in found.items():
        rows.append(_row(f"Sandbox {name}", about.ok, about.says, needed=False))
        if about.ok and not quick:
            rows += _held(name, needed=name == first)
    return rows


def _held(name: str, needed: bool) -> list[Row]:
    """Attack every promise of a sandbox; one row for what holds, and one for each promise that does not."""
    from sandboxes.backends import connect_to, open_sandbox
    from sandboxes.contract import Hold
    from sandboxes.errors import SandboxError
    from sandboxes.images import ImageSpec, build
    from sandboxes.selfcheck import self_check

    try:
        image = None
        if name in ("docker", "podman"):
            with closing(connect_to(name)) as client:
                image = build(client, ImageSpec())
        with closing(open_sandbox(name, "doctor")) as sandbox:
            checks = self_check(sandbox, image)
    except SandboxError as error:
        return [_row(f"Sandbox {name}, self-check", False, f"it could not be run: {error}", needed)]
    says = "; ".join(
        f"{'not held' if hold is Hold.ABSENT else hold}: {', '.join(names)}"
        for hold in Hold
        if (names := [check.name for check in checks if check.hold is hold and check.ok])
    )
    broken = [_row(f"Sandbox {name}, {check.name}", False, check.detail, needed) for check in checks if not check.ok]
    if broken:
        says = f"{len(broken)} promises are not kept, and it is refused; otherwise {says}"
    return [_row(f"Sandbox {name}, self-check", not broken, says, needed), *broken]


def _gpu() -> Row:
    """Say what a template that asks for a GPU would find missing."""
    from sandboxes.backends import connect_to
    from sandboxes.connection import engine_errors
    from sandboxes.devices import NODES, visible_gpus
    from sandboxes.errors import SandboxError

    ids, nodes = visible_gpus(os.environ), sorted(path.name for path in NODES.glob("nvidia[0-9]*"))
    lacks = [] if ids else ["no device is visible (HYPOLOOP_GPUS or CUDA_VISIBLE_DEVICES may name some)"]
    lacks += [] if nodes else [f"there is no device node {NODES}/nvidia0: no driver, or no device"]
    try:
        with closing(connect_to("docker")) as client, engine_errors("say what it is"):
            if "nvidia" not in (client.info().get("Runtimes") or {}):
                lacks.append("Docker has no nvidia runtime: install the NVIDIA container toolkit")
    except SandboxError:
        lacks.append("no Docker engine answers")
    says = f"devices {', '.join(ids) or 'none'}; nodes {', '.join(nodes) or 'none'}"
    if lacks:
        says += f"; {'; '.join(lacks)}. Templates that ask for a GPU are refused before anything is charged"
    return _row("GPU", not lacks, says, needed=False)

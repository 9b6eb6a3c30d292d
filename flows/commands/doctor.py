"""doctor: what this machine can do, and what is missing."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flows.settings import home_folder

if TYPE_CHECKING:
    from docker import DockerClient

Row = dict[str, object]
LEAST_FREE_GB = 2.0


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print facts as JSON.")
@click.option("--quick", is_flag=True, help="Leave out the self-check of the sandbox (about 5 s).")
@click.pass_obj
def doctor(home: str | None, as_json: bool, quick: bool) -> None:
    """Say what this machine can do and what is missing; exit 3 when campaigns cannot run at all."""
    rows = [_python(), *_packages(), _git(), _disk(home_folder(home)), *_docker(quick)]
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


def _docker(quick: bool) -> list[Row]:
    from sandboxes.connection import connect
    from sandboxes.errors import EngineUnavailable

    try:
        client = connect()
    except EngineUnavailable as error:
        says = f"{error.why}. Without it, only code that hypoloop itself wrote runs, in the process sandbox."
        return [_row("Docker engine", False, says, needed=False)]
    info = client.info()
    gpu = "nvidia" in info.get("Runtimes", {})
    rows = [
        _row("Docker engine", True, f"{info['ServerVersion']}, cgroup v{info.get('CgroupVersion', '1')}"),
        _row("GPU runtime", gpu, "nvidia" if gpu else "none; templates that ask for a GPU are refused", needed=False),
    ]
    return rows if quick else rows + _self_check(client)


def _self_check(client: DockerClient) -> list[Row]:
    from sandboxes.docker import DockerSandbox
    from sandboxes.images import ImageSpec, build
    from sandboxes.selfcheck import self_check

    with closing(DockerSandbox("doctor")) as sandbox:
        checks = self_check(sandbox, build(client, ImageSpec()))
    return [_row(f"Sandbox {check.name}", check.ok, check.detail) for check in checks]

"""sandbox run, check: one program under the default profile, and whether a sandbox holds what it says."""

from __future__ import annotations

import json
import math
import os
import re
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sandboxes.contract import Limits, Sandbox

# Said here again, for `sandboxes` takes half a second to import and `--help` is instant. A test compares.
BACKENDS = ("docker", "podman", "bubblewrap", "process")
CONTAINERS = ("docker", "podman")
LIMITS = {
    "memory": "memory_mb",
    "wall": "wall_s",
    "cpus": "cpus",
    "pids": "pids",
    "out_bytes": "out_mb",
    "out_files": "out_files",
    "file_bytes": "file_mb",
    "log_bytes": "log_mb",
    "open_files": "open_files",
    "gpus": "gpus",
}
"""The options that limit a run, and the limit that each sets."""
Options = Mapping[str, Any]


def size(value: str) -> int:
    """Return how many MiB, in which limits count, an amount such as 256m or 1g is."""
    parts = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)([kmg])(?:i?b)?", value.strip().lower())
    if parts is None:
        raise click.BadParameter(f"{value!r} is no size; write a number and its unit, as in 256m or 1g.")
    amount = float(parts[1]) * {"k": 1 / 1024, "m": 1, "g": 1024}[parts[2]]
    if amount < 1 or amount != int(amount):
        raise click.BadParameter(f"{value} is no whole number of MiB, in which limits count; write 1m, 2m and so on.")
    return int(amount)


BACKEND = click.option("--backend", type=click.Choice(BACKENDS), default="docker", show_default=True)
RUNTIME = click.option("--runtime", metavar="NAME", help="Another OCI runtime that Docker knows, such as runsc.")


@click.group()
def sandbox() -> None:
    """Run one program in a sandbox; check that a sandbox holds what it says."""


@sandbox.command()
@BACKEND
@RUNTIME
@click.option("--json", "as_json", is_flag=True, help="Print facts as JSON.")
def check(backend: str, runtime: str | None, as_json: bool) -> None:
    """Attack every promise of a sandbox, harmlessly, for about 5 s.

    Exit 0 when all hold, 1 when one does not, 3 when the platform is not there.
    """
    from sandboxes.selfcheck import self_check

    chosen = {"runtime": runtime, "output": None, "image": None}
    _refuse_mismatch(backend, chosen)
    with closing(_opened(backend, chosen)) as opened:
        checks = self_check(opened, _image(backend, None))
    sound = all(each.ok for each in checks)
    if as_json:
        rows = [each._asdict() for each in checks]
        click.echo(json.dumps({"backend": backend, "runtime": runtime, "ok": sound, "checks": rows}, indent=1))
    else:
        for each in checks:
            mark = "FAIL" if not each.ok else "--" if each.hold == "absent" else "ok"
            click.echo(f"{mark:<5}{each.name:<12}{each.hold:<10}{each.detail}")
    sys.exit(0 if sound else 1)


@sandbox.command(context_settings={"allow_interspersed_args": False})
@BACKEND
@RUNTIME
@click.option(
    "--output", type=click.Choice(["auto", "volume", "bind"]), help="Where a container writes. Default: auto."
)
@click.option("--image", metavar="NAME", help="Default: Python and its standard library, built at first use.")
@click.option("--memory", type=size, help="Files in memory included. Default: 512m.")
@click.option("--wall", type=float, metavar="SECONDS", help="Default: 60.")
@click.option("--cpus", type=click.FloatRange(min=0.01), help="Default: 1.")
@click.option("--pids", type=click.IntRange(4, 2**22), help="Processes and threads. Default: 64.")
@click.option("--out-bytes", type=size, help="All that it writes. Default: 32m.")
@click.option("--out-files", type=int, help="Files and folders that it makes. Default: 500.")
@click.option("--file-bytes", type=size, help="One file. Default: 32m.")
@click.option("--log-bytes", type=size, help="All that it prints. Default: 4m.")
@click.option("--open-files", type=click.IntRange(32, 2**20), help="Default: 1024.")
@click.option("--gpus", type=int, help="Default: 0.")
@click.option("--env", multiple=True, metavar="K=V", help="A variable for the program. May be repeated.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Keep what it wrote in DIR, a new folder.")
@click.option("--json", "as_json", is_flag=True, help="Print the record as JSON.")
@click.argument("program", nargs=-1, metavar="[--] FILE.py [ARGS]...", type=click.UNPROCESSED)
@click.pass_obj
def run(home: str | None, /, program: tuple[str, ...], backend: str, as_json: bool, **chosen: Any) -> None:
    """Run FILE.py once under the default profile and print the whole record of the run.

    Of this machine the program sees FILE.py alone. It is started in an empty folder, which {out} in ARGS names too;
    what it writes there is collected. Exit 0 when it ended well, 1 when not, 2 when the input is wrong, 3 when the
    platform failed, 130 when you interrupted it.
    """
    from rich.console import Console

    from flows.onerun import OneRun, cancelled_by_signals, run_once, visible_devices
    from flows.runrecord import print_record, record
    from sandboxes.outbox import SHELF_MB

    script = _script(program, chosen["out"])
    _refuse_mismatch(backend, chosen)
    limits, env = _limits(chosen), _variables(chosen["env"])
    if backend == "docker" and chosen["output"] is None and limits.out_mb > SHELF_MB:
        chosen["output"] = "bind"  # what `auto` comes to; said, so that the record tells how the output was held
    with closing(_opened(backend, chosen)) as opened:
        image = _image(backend, chosen["image"])
        _accept(opened, image, home, chosen["runtime"])
        _notice(opened)
        one = OneRun(script, program[1:], limits, env, image, chosen["out"], visible_devices())
        with cancelled_by_signals() as cancel:
            result = run_once(opened, one, cancel)
        facts = record(result, opened.capabilities(), chosen["out"])
    if as_json:
        click.echo(json.dumps(facts, indent=1))
    else:
        print_record(facts, Console())
    sys.exit({"ok": 0, "cancelled": 130}.get(result.outcome, 1))


def _script(program: tuple[str, ...], out: Path | None) -> Path:
    if not program:
        raise click.UsageError("Name a program, as in `hypoloop sandbox run -- FILE.py`.")
    script = Path(program[0])
    if script.is_dir():
        raise click.UsageError(f"{script} is a folder; name the one file to run.")
    if not script.is_file():
        raise click.UsageError(f"There is no file {script}.")
    if not os.access(script, os.R_OK):
        raise click.UsageError(f"You may not read {script}.")
    if out is not None and (out.exists() or out.is_symlink()):
        raise click.UsageError(f"{out} is there already; name a folder that is not, to keep the files in.")
    return script


def _refuse_mismatch(backend: str, chosen: Options) -> None:
    """Refuse options that the backend would have to ignore."""
    for option in ("output", "image"):
        if chosen[option] is not None and backend not in CONTAINERS:
            raise click.UsageError(f"--{option} is for containers; the {backend} sandbox has none.")
    if chosen["runtime"] is not None and backend != "docker":
        raise click.UsageError(f"--runtime is for Docker; the {backend} sandbox takes none.")


def _limits(chosen: Options) -> Limits:
    from pydantic import ValidationError

    from sandboxes.contract import Limits

    for option in LIMITS:
        if chosen[option] is not None and not math.isfinite(chosen[option]):
            raise click.UsageError(f"--{option.replace('_', '-')} must be a number.")
    try:
        return Limits(**{field: chosen[option] for option, field in LIMITS.items() if chosen[option] is not None})
    except ValidationError as error:
        first = error.errors()[0]
        option = next(option for option, field in LIMITS.items() if field == first["loc"][0])
        unit = "m" if LIMITS[option].endswith("_mb") else ""
        says = first["msg"].removeprefix("Input should be ")
        raise click.UsageError(f"--{option.replace('_', '-')} must be {says}{unit}.") from error


def _variables(given: tuple[str, ...]) -> dict[str, str]:
    env: dict[str, str] = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise click.UsageError(f"--env {pair!r} is no variable; write NAME=VALUE.")
        env[name] = value
    return env


def _opened(backend: str, chosen: Options) -> Sandbox:
    from flows.onerun import visible_devices
    from sandboxes.backends import open_sandbox
    from sandboxes.docker import DockerOptions

    options = DockerOptions(output=chosen["output"] or "auto", runtime=chosen["runtime"], gpus=visible_devices())
    return open_sandbox(backend, "sandbox", options)


def _notice(opened: Sandbox) -> None:
    """Say on standard error that a sandbox is a weak one."""
    offered = opened.capabilities()
    if not offered.isolates:
        click.echo(f"Notice: the {offered.backend} sandbox does not isolate. {' '.join(offered.notes)}", err=True)


def _image(backend: str, named: str | None) -> str | None:
    """Return the image to run on: the one named, else one with nothing but Python, which is built if need be."""
    if backend not in CONTAINERS or named is not None:
        return named
    from sandboxes.backends import connect_to
    from sandboxes.images import ImageSpec, build

    with closing(connect_to(backend)) as client:
        return build(client, ImageSpec(), lambda line: click.echo(line, err=True))


def _accept(opened: Sandbox, image: str | None, home: str | None, runtime: str | None) -> None:
    """Let another runtime run nothing before every promise was seen to hold under it."""
    if runtime is None:
        return
    from flows.settings import home_folder
    from flows.soundness import require_sound

    click.echo(f"Checking what the sandbox holds under {runtime} ...", err=True)
    require_sound(opened, image, home_folder(home), runtime)

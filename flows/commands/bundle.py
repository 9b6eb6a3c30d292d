"""export, reproduce: a campaign as one file for others, and a claim run again."""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flows.commands.words import visible
from flows.settings import home_folder

if TYPE_CHECKING:
    from flows.reproduction import Reproduction


@click.command()
@click.argument("name")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Default: NAME.zip in this folder.")
@click.option(
    "--outputs", type=click.FloatRange(min=0, max=1024), default=256.0, show_default=True, metavar="MIB",
    help="How much of the collected outputs goes in at the most; what does not is named in the bundle.",
)  # fmt: skip
@click.option("--host-paths", is_flag=True, help="Export although records name folders of this machine.")
@click.option("--json", "as_json", is_flag=True, help="Print facts as JSON.")
@click.pass_obj
def export(home: str | None, name: str, out: Path | None, outputs: float, host_paths: bool, as_json: bool) -> None:  # noqa: PLR0913 - one per option
    """Write campaign NAME to one file that verifies offline, on a machine that knows nothing of it."""
    from flows.bundle.exporting import Wish
    from flows.bundle.exporting import export as write

    made = write(home_folder(home), name, out or Path(f"{name}.zip"), os.environ, Wish(outputs, host_paths))
    if as_json:
        told = asdict(made) | {"path": str(made.path), "facts": made.facts.model_dump(mode="json")}
        click.echo(json.dumps(told, indent=1))
        return
    facts = made.facts
    click.echo(f"Wrote {made.path}: {made.files} files, {made.size / 2**20:.1f} MiB, campaign {name} {facts.stands}.")
    for each in facts.left_out[:5]:
        click.echo(f"left out {each.name}: {each.why}")
    if len(facts.left_out) > 5:
        click.echo(f"left out {len(facts.left_out) - 5} more; bundle.json in it names them all")
    click.echo(f"sha256 {made.sha256}\nCheck it: hypoloop verify {made.path}")


@click.command()
@click.argument("told", metavar="NAME|BUNDLE")
@click.argument("claim")
@click.option(
    "--sandbox", type=click.Choice(["auto", "docker", "podman", "bubblewrap", "process"]),
    help="Default: the sandbox that the campaign ran in.",
)  # fmt: skip
@click.option("--challenges", is_flag=True, help="Run the executions of the claim's challenges again, too.")
@click.option("--allow-weak-sandbox", "allow_weak", is_flag=True, help="Let it run where nothing confines the code.")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
@click.pass_obj
def reproduce(  # noqa: PLR0913 - one per option
    home: str | None, told: str, claim: str, sandbox: str | None, challenges: bool, allow_weak: bool, as_json: bool
) -> None:
    """Run the executions behind CLAIM again in fresh sandboxes and compare; exit 0 the same, 1 not, 3 platform.

    The claim is one of the campaign NAME, or of the BUNDLE (a .zip) that `hypoloop export` made of one.
    """
    from flows.reproducing import How, open_subject
    from flows.reproducing import reproduce as run

    # A shell starts what it puts in the background with Ctrl-C ignored; who sends the signal all the same means it.
    for wish in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wish, signal.default_int_handler)
    folder = home_folder(home)
    with open_subject(folder, told) as subject:
        found = run(subject, subject.claim(claim), How(sandbox, challenges, allow_weak), folder, _progress)
    if as_json:
        click.echo(json.dumps(asdict(found), indent=1))
    else:
        _print(found)
    sys.exit(0 if found.reproduced else 1)


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{done} of {total} executions" + ("\n" if done == total else ""), err=True, nl=False)


def _print(found: Reproduction) -> None:
    _say(f"{found.claim} of {found.campaign}, {found.verdict}: {found.statement}\n")
    click.echo(f"{'plan':<6}{'seed':>6}  {'side':<6}{'recorded':<24}{'now':<24}equal")
    for row in found.rows:
        equal = "yes" if row.equal else "NO"
        _say(f"{row.plan:<6}{row.seed:>6}  {row.candidate:<6}{row.recorded!s:<24}{row.now!s:<24}{equal}")
        for line in row.differs:
            _say(f"{'':<14}{line}")
    same = sum(row.same_outputs for row in found.rows)
    click.echo(f"\nThe output files of {same} of {len(found.rows)} executions are the recorded ones, byte for byte.")
    for note in found.notes:
        _say(f"note: {note}")
    _say(found.says)


def _say(text: str) -> None:
    click.echo(visible(text))

"""status, report, verify: what the journal says, and whether it holds."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flows.commands.words import visible
from flows.settings import campaign_folder, home_folder, is_bundle

if TYPE_CHECKING:
    from flows.ledger.findings import Finding


@click.command()
@click.argument("names", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print facts as JSON.")
@click.pass_obj
def status(home: str | None, names: tuple[str, ...], as_json: bool) -> None:
    """Show where campaigns stand: all of them, or NAMES alone, one after the other."""
    from flows.ledger.reading import campaign_names, read_campaign
    from flows.summary import facts

    folder = home_folder(home)
    chosen = names or campaign_names(folder)
    rows = [facts(read_campaign(folder, each), campaign_folder(folder, each)) for each in chosen]
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    if not rows:
        click.echo(f"No campaign in {folder}. Start one: hypoloop demo")
    for row in rows:
        _print_facts(row)


def _print_facts(row: dict[str, object]) -> None:
    click.echo(f"{row['name']}: {row['stands']}")
    for key in ("template", "backend", "rounds", "ideas", "candidates", "executions", "plans", "paper", "folder"):
        click.echo(f"  {key:<11}{row[key] or 'not yet'}")
    if row["thinking"]:
        click.echo(f"  models     {_asked(row['thinking'])}")
        click.echo(f"  their code {_ran(row['thinking'])}")
    if row["asks"]:
        click.echo(f"  asks       {row['asks']['id']}, about the {row['asks']['at']}: hypoloop answer {row['name']}")  # type: ignore[index]
    for claim in row["claims"]:  # type: ignore[attr-defined]
        labels = "".join(f", {label}" for label in ("exploratory", "narrowed") if claim[label])
        click.echo(f"  {claim['id']:<11}{claim['verdict']}{labels}: {claim['statement']}")
    for notice in row["notices"]:  # type: ignore[attr-defined]
        click.echo(f"  note       {notice}")


def _asked(told: Any) -> str:
    """Return what models were asked, in a line."""
    price = f"{told['money']:.4f} US dollars"
    if told["unpriced"]:
        price += f" and {told['unpriced']} calls of unknown price"
    caps = told["budget"]
    if caps["money"] is not None:
        price += f" of {caps['money']:g}"
    tokens = f"{told['input'] + told['output']} tokens" + (f" of {caps['tokens']}" if caps["tokens"] else "")
    stages = ", ".join(f"{name} {each['calls']}" for name, each in told["stages"].items())
    share = f"{told['cacheable']:.0%} of the input could come from a cache"
    return f"{told['calls']} calls ({stages}), {tokens}, {price}; {share}"


def _ran(told: Any) -> str:
    """Return how the code that models wrote ran, and how much they proposed twice, in a line."""
    ran, sifted = told["ran"], told["sifted"]
    when = ("at once", "after 1 repair", *(f"after {count} repairs" for count in range(2, len(ran["after"]))))
    ways = ", ".join(
        [*map("{} {}".format, ran["after"], when), f"{ran['crashed']} never", f"{ran['unwritten']} came to no code"]
    )
    again = f"{sifted['duplicates']} of {sifted['proposals']} proposals were duplicates"
    within = f" within {ran['repairs']} repairs" if ran["repairs"] is not None else ""
    return f"{sum(ran['after'])} of {ran['ideas']} ideas ran{within} ({ways}); {again}"


@click.command()
@click.argument("name")
@click.pass_obj
def report(home: str | None, name: str) -> None:
    """Write the paper and the report of NAME again, from the journal alone."""
    from flows.reporting import rewrite

    folder = rewrite(home_folder(home), name)
    click.echo(f"Paper:  {folder / 'paper.pdf'}\nReport: {folder / 'report.html'}")


@click.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print every check as JSON.")
@click.pass_obj
def verify(home: str | None, name: str, as_json: bool) -> None:
    """Check chain, commits, hashes, plans, MLflow and every number of the paper; exit 1 at what does not hold.

    NAME is a campaign, or the .zip that `hypoloop export` made of one: that is checked offline, and nothing in it runs.
    """
    findings = _findings(home, name)
    bad = [finding for finding in findings if not finding.ok]
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=1))
    else:
        for finding in findings:
            click.echo(visible(f"{'ok  ' if finding.ok else 'FAIL'} {finding.what}: {finding.detail}"))
        click.echo(visible(f"\n{name} does not hold: {bad[0].what}: {bad[0].detail}" if bad else f"\n{name} holds."))
    sys.exit(1 if bad else 0)


def _findings(home: str | None, name: str) -> list[Finding]:
    if is_bundle(name):
        from flows.bundle import verify_bundle

        return verify_bundle(Path(name))
    from flows.reporting import verify_all

    return verify_all(home_folder(home), name)

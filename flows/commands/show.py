"""status, report, verify: what the journal says, and whether it holds."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

from flows.settings import campaign_folder, home_folder


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print facts as JSON.")
@click.pass_obj
def status(home: str | None, name: str | None, as_json: bool) -> None:
    """Show where campaigns stand: all of them, or NAME alone."""
    from flows.ledger.reading import campaign_names, read_campaign
    from flows.summary import facts

    folder = home_folder(home)
    names = [name] if name else campaign_names(folder)
    rows = [facts(read_campaign(folder, each), campaign_folder(folder, each)) for each in names]
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
    for claim in row["claims"]:  # type: ignore[attr-defined]
        click.echo(f"  {claim['id']:<11}{claim['verdict']}: {claim['statement']}")
    for notice in row["notices"]:  # type: ignore[attr-defined]
        click.echo(f"  note       {notice}")


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
    """Check chain, commits, hashes, plans, MLflow and every number of the paper; exit 1 at what does not hold."""
    from flows.reporting import verify_all

    findings = verify_all(home_folder(home), name)
    bad = [finding for finding in findings if not finding.ok]
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=1))
    else:
        for finding in findings:
            click.echo(f"{'ok  ' if finding.ok else 'FAIL'} {finding.what}: {finding.detail}")
        click.echo(f"\n{name} does not hold: {bad[0].what}: {bad[0].detail}" if bad else f"\n{name} holds.")
    sys.exit(1 if bad else 0)

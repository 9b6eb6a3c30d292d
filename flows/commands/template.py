"""template list, show, check: what can be experimented on."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

FOLDER = click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), help="A folder of your own templates."
)


@click.group()
def template() -> None:
    """List, show and check what can be experimented on."""


@template.command(name="list")
@FOLDER
@click.option("--json", "as_json", is_flag=True)
def list_(folder: Path | None, as_json: bool) -> None:
    """List the templates that are installed, and those in --folder."""
    from templates.template import list_templates, load_template

    folders = (folder,) if folder else ()
    loaded = [load_template(name, folders) for name in list_templates(folders)]
    if as_json:
        click.echo(json.dumps([{"name": t.name, "title": t.manifest.title, "digest": t.digest} for t in loaded]))
        return
    for each in loaded:
        click.echo(f"{each.name:<24}{each.manifest.title}")


@template.command()
@click.argument("name")
@FOLDER
@click.option("--json", "as_json", is_flag=True)
def show(name: str, folder: Path | None, as_json: bool) -> None:
    """Show the question, the metric and the factors of template NAME."""
    from templates.template import load_template

    loaded = load_template(name, (folder,) if folder else ())
    manifest = loaded.manifest
    if as_json:
        click.echo(manifest.model_dump_json(indent=1))
        return
    click.echo(f"{manifest.title}\n{manifest.question}\n")
    click.echo(f"metric: {manifest.metric.title} ({manifest.metric.name}), {manifest.metric.direction},")
    click.echo(f"        least effect of interest {manifest.metric.least_effect:g}\nfolder: {loaded.root}\n\nfactors:")
    for factor in manifest.factors:
        click.echo(f"  {factor.name:<26}{factor.kind:<14}{factor.title}")


@template.command()
@click.argument("name")
@FOLDER
@click.option(
    "--sandbox",
    type=click.Choice(["auto", "docker", "podman", "bubblewrap", "process"]),
    default="auto",
    show_default=True,
)
def check(name: str, folder: Path | None, sandbox: str) -> None:
    """Run template NAME's baseline, feed its evaluator garbage, and say what does not hold (then exit 1)."""
    import tempfile

    from flows.laboratory import open_laboratory
    from flows.settings import CampaignSpec
    from templates.check import check_template
    from templates.template import load_template

    loaded = load_template(name, (folder,) if folder else ())
    spec = CampaignSpec.model_validate({"name": "check", "template": name, "sandbox": sandbox})
    with (
        tempfile.TemporaryDirectory() as scratch,
        open_laboratory(spec, loaded, "", Path(scratch), False) as laboratory,
    ):
        checks = check_template(loaded, laboratory.sandbox, laboratory.image_id, Path(scratch))
    for each in checks:
        click.echo(f"{'ok  ' if each.ok else 'FAIL'} {each.name}: {each.detail}")
    sys.exit(0 if all(each.ok for each in checks) else 1)

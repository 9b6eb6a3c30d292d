"""image build, list: the sandbox images."""

from __future__ import annotations

import json

import click


@click.group()
def image() -> None:
    """Build and list the sandbox images."""


@image.command()
@click.argument("template", required=False)
@click.option("--base", help="A base image to build on; default: one that can be pulled, else this machine's Python.")
def build(template: str | None, base: str | None) -> None:
    """Build the image of TEMPLATE, or of every template that is installed."""
    from sandboxes.connection import connect
    from sandboxes.images import ImageSpec
    from sandboxes.images import build as build_image
    from templates.template import list_templates, load_template

    client = connect()
    for name in [template] if template else list_templates():
        requirements = load_template(name).manifest.image.requirements
        spec = ImageSpec(requirements=requirements, base=base or "auto")
        click.echo(f"{name}: {build_image(client, spec, progress=click.echo)}")


@image.command(name="list")
@click.option("--json", "as_json", is_flag=True)
def list_(as_json: bool) -> None:
    """List the images that hypoloop built on this machine."""
    from sandboxes.connection import connect
    from sandboxes.images import list_images

    rows = list_images(connect())
    if as_json:
        click.echo(json.dumps([row.model_dump(mode="json") for row in rows], indent=1))
        return
    for row in rows:
        click.echo(f"{row.tag:<32}{row.image_id[:19]:<22}{row.size_mb:>7.0f} MB  {', '.join(row.installed)}")
    if not rows:
        click.echo("None yet. Build them: hypoloop image build")

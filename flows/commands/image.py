"""image build, list, prune: the sandbox images."""

from __future__ import annotations

import json
from contextlib import closing

import click

BACKEND = click.option("--backend", type=click.Choice(["docker", "podman"]), default="docker", show_default=True)
JSON = click.option("--json", "as_json", is_flag=True, help="Print facts as JSON.")


@click.group()
def image() -> None:
    """Build, list and prune the sandbox images."""


@image.command()
@click.argument("template", required=False)
@click.option("--base", help="A base image to build on; default: one that can be pulled, else this machine's Python.")
@BACKEND
def build(template: str | None, base: str | None, backend: str) -> None:
    """Build the image of TEMPLATE, or of every template that is installed."""
    from sandboxes.backends import connect_to
    from sandboxes.images import ImageSpec
    from sandboxes.images import build as build_image
    from templates.template import list_templates, load_template

    with closing(connect_to(backend)) as client:
        for name in [template] if template else list_templates():
            requirements = load_template(name).manifest.image.requirements
            spec = ImageSpec(requirements=requirements, base=base or "auto")
            click.echo(f"{name}: {build_image(client, spec, progress=click.echo)}")


@image.command(name="list")
@BACKEND
@JSON
def list_(backend: str, as_json: bool) -> None:
    """List the images that hypoloop built on this machine, and the bases that it made for them."""
    from sandboxes.backends import connect_to
    from sandboxes.imagestore import list_images

    with closing(connect_to(backend)) as client:
        rows = list_images(client)
    if as_json:
        click.echo(json.dumps([row.model_dump(mode="json") for row in rows], indent=1))
        return
    for row in rows:
        says = ", ".join(row.installed) or ("Python alone" if row.base else "a base of this host's own Python")
        click.echo(f"{row.tag:<32}{row.image_id[:19]:<22}{row.size_mb:>7.0f} MB  {says}")
    if not rows:
        click.echo("None yet. Build them: hypoloop image build")


@image.command()
@click.option("--all", "everything", is_flag=True, help="Also those that installed templates need.")
@BACKEND
@JSON
def prune(everything: bool, backend: str, as_json: bool) -> None:
    """Remove the images of hypoloop's own that no installed template needs, and what builds left half done.

    An image that a container uses stays, and so does what a kept one stands on. No other image is touched.
    """
    from sandboxes.backends import connect_to
    from sandboxes.imagestore import prune as prune_images

    with closing(connect_to(backend)) as client:
        pruned = prune_images(client, None if everything else _needed())
    if as_json:
        click.echo(json.dumps(pruned.model_dump(mode="json"), indent=1))
        return
    for tag in pruned.removed:
        click.echo(f"removed {tag}")
    for kept in pruned.kept:
        click.echo(f"kept    {kept.tag}: {kept.why}")
    if not pruned.removed:
        click.echo("Nothing to remove." + ("" if everything else " Those that templates need go with --all."))


def _needed() -> set[str]:
    """Return the tags of the images that installed templates run on, and of the one for single programs."""
    from sandboxes.images import ImageSpec, image_tag
    from templates.template import list_templates, load_template

    requirements = [(), *(load_template(name).manifest.image.requirements for name in list_templates())]
    return {image_tag(ImageSpec(requirements=needs)) for needs in requirements}

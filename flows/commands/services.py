"""up, down: the two windows to look through, on loopback."""

from __future__ import annotations

import json

import click

from flows.settings import home_folder


@click.command()
@click.option("--prefect-port", type=click.IntRange(1, 65535), default=4200, show_default=True)
@click.option("--mlflow-port", type=click.IntRange(1, 65535), default=5000, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the addresses as JSON.")
@click.pass_obj
def up(home: str | None, prefect_port: int, mlflow_port: int, as_json: bool) -> None:
    """Start the Prefect server and the MLflow UI, with their data under the hypoloop home."""
    from flows.services import up as start

    if prefect_port == mlflow_port:
        raise click.UsageError("Prefect and MLflow cannot share a port; give them two.")
    running = start(home_folder(home), prefect_port=prefect_port, mlflow_port=mlflow_port)
    if as_json:
        click.echo(json.dumps({"prefect": running.prefect, "mlflow": running.mlflow}))
        return
    already = " (they were up already)" if running.already else ""
    click.echo(f"Prefect: {running.prefect}\nMLflow:  {running.mlflow}\nStop both{already}: hypoloop down")


@click.command()
@click.pass_obj
def down(home: str | None) -> None:
    """Stop both, once their history is complete."""
    from flows.services import down as stop

    stopped = stop(home_folder(home))
    click.echo(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")

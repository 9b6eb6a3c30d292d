"""deviate: a plan changed after it was frozen, in the open."""

from __future__ import annotations

import json

import click

from flows.settings import home_folder


@click.command()
@click.argument("name")
@click.argument("plan")
@click.option("--what", required=True, help="What is otherwise than registered.")
@click.option("--why", required=True, help="Why that is necessary.")
@click.option(
    "--set", "fields", multiple=True, metavar="KEY=VALUE",
    help="A field of the plan and its new value, as JSON: seeds=[1001,1002]. Without any, the change is only recorded.",
)  # fmt: skip
@click.pass_obj
def deviate(home: str | None, name: str, plan: str, what: str, why: str, fields: tuple[str, ...]) -> None:
    """Change PLAN of the open campaign NAME after its freeze; what it shows then is exploratory.

    The journal, the plan's file and the paper tell of it: what was changed, why, and when.
    """
    from flows.deviating import deviate as change

    made = change(home_folder(home), name, plan, what, why, dict(_field(each) for each in fields))
    click.echo(f"Plan {made.id} of {name} was changed, and what it shows is exploratory. It now reads:\n{made.rule}")
    click.echo(f"Go on: hypoloop resume {name}")


def _field(text: str) -> tuple[str, object]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise click.BadParameter(f"{text!r} is not of the form KEY=VALUE.", param_hint="--set")
    try:
        return key.strip(), json.loads(value)
    except ValueError:
        return key.strip(), value

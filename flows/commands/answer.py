"""answer: what a copilot campaign asks, and a person's answer."""

from __future__ import annotations

import json

import click

from flows.commands.words import visible
from flows.settings import home_folder


@click.command()
@click.argument("name")
@click.option("--approve", is_flag=True, help="Approve everything that is asked about.")
@click.option("--reject", multiple=True, metavar="ID", help="Reject this item, or `all`; the others are approved.")
@click.option(
    "--edit", "edits", multiple=True, nargs=2, metavar="WHAT TEXT",
    help="Say it anew: i3 (its statement), i3.title, i3.mechanism, i3.least_effect, title, abstract.",
)  # fmt: skip
@click.option("--remark", default="", help="Told to those who go on with it; it changes no evidence.")
@click.option("--json", "as_json", is_flag=True, help="Print the question as JSON.")
@click.pass_obj
def answer(  # noqa: PLR0913 - one parameter an option
    home: str | None, name: str, approve: bool, reject: tuple[str, ...], edits: tuple[tuple[str, str], ...],
    remark: str, as_json: bool,
) -> None:  # fmt: skip
    """Answer what the copilot campaign NAME asks; without a decision, show the question.

    A campaign that waits goes on at once; where no process waits, the answer is kept and `hypoloop resume` uses it.
    """
    from flows.answering import give, given, question_of
    from flows.ledger.reading import read_campaign

    folder = home_folder(home)
    question = question_of(read_campaign(folder, name))
    if not (approve or reject or edits or remark):
        if as_json:
            click.echo(question.model_dump_json(indent=1))
            return
        about = "the paper" if question.at == "paper" else f"the {question.at} of round {question.round}"
        click.echo(f"{name} asks about {about} ({question.id}):")
        for item in question.items:
            click.echo(visible(f"\n{item.id}: {item.title}\n{item.text}"))
        click.echo(f"\nhypoloop answer {name} --approve, or --reject ID, or --edit WHAT TEXT; and --remark TEXT")
        return
    taken = given(question, approve, reject, edits, remark)
    waited = give(folder, name, taken)
    if as_json:
        click.echo(json.dumps(taken.model_dump(mode="json"), indent=1))
        return
    then = f"{name} goes on." if waited else f"It is kept. Go on: hypoloop resume {name}"
    click.echo(f"{question.id} is answered: {taken.decision}. {then}")

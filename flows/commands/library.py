"""library add, find, search, list, show, disown: the literature that ideas and papers rest on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flows.commands.words import visible

if TYPE_CHECKING:
    from agents.literature.entry import Entry
    from agents.literature.library import Added, Library

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print facts as JSON.")
INDEXES = ("openalex", "semantic-scholar", "arxiv")


@click.group()
def library() -> None:
    """Keep the literature that ideas and papers rest on, and search it."""


@library.command()
@click.argument("sources", nargs=-1, required=True, metavar="PATH|seeds...")
@click.pass_obj
def add(home: str | None, sources: tuple[str, ...]) -> None:
    """Add works: listings (.jsonl), BibTeX, PDFs, plain abstracts (.txt, .md), directories of these, or `seeds`.

    A work that is there already is not added twice; what is missing there is filled in. `seeds` is the listing that
    ships with hypoloop.
    """
    from agents.literature.reading import SEEDS, read, seeds

    shelf = _library(home)
    for source in sources:
        found = seeds() if source == SEEDS else read(Path(source))
        for problem in found.problems:
            click.echo(visible(f"note  {problem}"), err=True)
        _print_added(source, shelf.add(found.works))
    click.echo(f"The library holds {len(shelf.all())} works. Search it: hypoloop library search WORDS")


@library.command()
@click.argument("query")
@click.option("--in", "index", type=click.Choice(INDEXES), help="Ask this index alone. Default: all three.")
@click.option("-n", "count", type=click.IntRange(1, 100), default=10, show_default=True, help="Works of each.")
@click.pass_obj
def find(home: str | None, query: str, index: str | None, count: int) -> None:
    """Ask OpenAlex, Semantic Scholar and arXiv for works about QUERY, and add them.

    $OPENALEX_API_KEY and $S2_API_KEY are used where they are set. Answers are kept; the same question is asked once.
    """
    import os

    from agents.literature.entry import Work
    from agents.literature.fetching import Web
    from agents.literature.sources import ArXiv, OpenAlex, SemanticScholar, find_in

    shelf = _library(home)
    web = Web(shelf.pages)
    keys = (os.environ.get("OPENALEX_API_KEY", ""), os.environ.get("S2_API_KEY", ""))
    asked = (OpenAlex(web, keys[0]), SemanticScholar(web, keys[1]), ArXiv(web))
    found = find_in([source for source in asked if index in (None, source.name)], query, count)
    if found.notice:
        click.echo(visible(f"note  {found.notice}"), err=True)
    _print_added(query, shelf.add(Work(entry=entry) for entry in found.entries))


@library.command()
@click.argument("words", nargs=-1, required=True)
@click.option("-n", "count", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many.")
@AS_JSON
@click.pass_obj
def search(home: str | None, words: tuple[str, ...], count: int, as_json: bool) -> None:
    """List the works about WORDS, best first."""
    hits = _library(home).search(" ".join(words), count)
    if as_json:
        click.echo(json.dumps([hit.model_dump() for hit in hits], indent=1))
        return
    if not hits:
        click.echo("Nothing in the library is about that. Add works: hypoloop library add seeds, or a file of yours.")
    for hit in hits:
        click.echo(_row(hit.entry))


@library.command(name="list")
@AS_JSON
@click.pass_obj
def list_(home: str | None, as_json: bool) -> None:
    """List every work, by key."""
    entries = _library(home).all()
    if as_json:
        click.echo(json.dumps([entry.model_dump() for entry in entries], indent=1))
        return
    if not entries:
        click.echo("The library is empty. Add works: hypoloop library add seeds, or a file of yours.")
    for entry in entries:
        click.echo(_row(entry))


@library.command()
@click.argument("key")
@AS_JSON
@click.pass_obj
def show(home: str | None, key: str, as_json: bool) -> None:
    """Show what is known of the work KEY, and the sentences in which it says what is open."""
    from agents.literature.bibtex import standing
    from agents.literature.spans import spans

    shelf = _library(home)
    entry = shelf.get(key)
    if as_json:
        facts = {**entry.model_dump(), "spans": [span._asdict() for span in spans(entry)]}
        click.echo(json.dumps({**facts, "characters_of_text": len(shelf.text(key))}, indent=1))
        return
    click.echo(
        visible(f"{entry.title}\n{', '.join(entry.authors) or 'authors not known'}, {entry.year or 'no year'}\n")
    )
    if entry.disowned:
        click.echo(visible(f"SUPPORTS NOTHING: {standing(entry)}\n"))
    click.echo(visible(entry.abstract))
    for span in spans(entry):
        click.echo(visible(f"\nopen, from character {span.start}: {span.text}"))
    click.echo(f"\n{shelf.bibtex([entry.id])}")


@library.command()
@click.argument("key")
@click.option("--why", required=True, help="Who disowned it, when, and for what.")
@click.pass_obj
def disown(home: str | None, key: str, why: str) -> None:
    """Mark the work KEY: it supports nothing, no idea is drawn from it, and a paper that cites it is flagged."""
    if not why.strip():
        raise click.BadParameter("say why: papers and people are told it.", param_hint="--why")
    entry = _library(home).disown(key, why)
    click.echo(visible(f"{entry.id} supports nothing from now on: {entry.note}"))


def _library(home: str | None) -> Library:
    from agents.literature.library import FILE, Library
    from flows.settings import home_folder

    return Library(home_folder(home) / FILE)


def _print_added(source: str, added: Added) -> None:
    repeats = f", {len(added.repeats)} were there already" if added.repeats else ""
    click.echo(visible(f"{source}: {len(added.entries)} works added{repeats}."))
    marked = [entry for entry in added.entries if entry.disowned]
    for entry in marked:
        click.echo(visible(f"  {entry.id} is {entry.status} and supports nothing: {entry.title}"))


def _row(entry: Entry) -> str:
    mark = f" [{entry.status}]" if entry.disowned else ""
    return visible(f"{entry.id:<28} {entry.year or '':<5} {entry.title[:120]}{mark}")

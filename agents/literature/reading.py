"""Reading files into works: listings (JSONL), BibTeX, PDFs, plain abstracts, and directories of these."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from agents.literature.bibtex import read_bibtex
from agents.literature.entry import TEXT_CAP, Entry, Work
from agents.literature.errors import SourceUnreadable
from agents.literature.pdf import read_pdf
from agents.records import Record

SEEDS = "seeds"
PLAIN_MB = 2
LISTING_MB = 500
LINE_CAP = 2_000_000
TITLE_WORDS = 30
FAULTS_NAMED = 20
ABOUT_ITSELF = frozenset({"readme", "license", "licence", "changelog", "contributing", "requirements"})


class Reading(Record):
    """What was read, and a sentence for everything that was not."""

    works: tuple[Work, ...]
    problems: tuple[str, ...] = ()


def read(path: Path) -> Reading:
    """Return the works in a file, or in the files of a directory and those below it, in the order of their names.

    In a directory, one file that cannot be read is a problem, not an error; hidden files, links, and what tells of the
    directory itself (a README, a licence) are passed over.

    Raises:
        SourceUnreadable: the file is missing, of no kind that is read, or cannot be read.
    """
    if path.is_dir():
        return _directory(path)
    if not path.is_file():
        raise SourceUnreadable(path, "is neither a file nor a directory.")
    reader = READERS.get(path.suffix.casefold())
    if reader is None:
        raise SourceUnreadable(path, f"is of no kind that is read. These are: {', '.join(sorted(READERS))}.")
    works, problems = reader(path)
    return Reading(works=tuple(works), problems=tuple(problems))


def seeds() -> Reading:
    """Return the listing of works that hypoloop was designed after."""
    text = resources.files("agents.literature").joinpath("seeds.jsonl").read_text("utf-8")
    works, problems = _listed(text.splitlines(), SEEDS)
    return Reading(works=tuple(works), problems=tuple(problems))


def _directory(folder: Path) -> Reading:
    works: list[Work] = []
    problems: list[str] = []
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if (
            hidden
            or path.stem.casefold() in ABOUT_ITSELF
            or path.is_symlink()
            or not path.is_file()
            or path.suffix.casefold() not in READERS
        ):
            continue
        try:
            found = read(path)
        except SourceUnreadable as problem:
            problems.append(str(problem))
            continue
        works += found.works
        problems += found.problems
    return Reading(works=tuple(works), problems=tuple(problems))


def _listing(path: Path) -> tuple[list[Work], list[str]]:
    _within(path, LISTING_MB)
    with path.open(encoding="utf-8", errors="replace") as lines:
        return _listed(lines, path.name)


def _listed(lines: Iterator[str] | list[str], name: str) -> tuple[list[Work], list[str]]:
    """The works of a listing, one JSON object a line."""
    works: list[Work] = []
    problems: list[str] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            works.append(_record(line, name))
        except (ValueError, RecursionError):
            problems.append(f"{name}, line {number}: not a JSON object with a title or an abstract; left out.")
    if len(problems) > FAULTS_NAMED:
        problems = [*problems[:FAULTS_NAMED], f"{name}: {len(problems) - FAULTS_NAMED} more lines were left out."]
    return works, problems


def _record(line: str, name: str) -> Work:
    told = json.loads(line) if len(line) <= LINE_CAP else None
    if not isinstance(told, Mapping):
        raise ValueError(line[:40])
    place = told.get("source")
    entry = {
        **{key: told.get(key) for key in ("title", "abstract", "year", "doi", "arxiv", "url", "status")},
        "authors": _names(told.get("authors")),
        "source": f"{name}/{place}" if isinstance(place, str) else name,
        "alias": told.get("id"),
        "note": told.get("status_note"),
    }
    text = told.get("text")
    return Work(entry=Entry.model_validate(entry), text=text[:TEXT_CAP] if isinstance(text, str) else "")


def _names(told: Any) -> list[str]:
    """Authors as a list of names, of `{"name": ...}`, or as one text parted by semicolons, "and" or commas."""
    if isinstance(told, str):
        parts = told.replace(" and ", ";").split(";") if ";" in told or " and " in told else told.split(",")
        return [part.strip(" ,") for part in parts]
    each = told if isinstance(told, list) else []
    return [str(name.get("name") or "") if isinstance(name, Mapping) else str(name) for name in each]


def _plain(path: Path) -> tuple[list[Work], list[str]]:
    """One abstract: a short first line is its title."""
    _within(path, PLAIN_MB)
    text = path.read_text("utf-8", "replace").strip()
    first, _, rest = text.partition("\n")
    titled = bool(rest.strip()) and len(first.split()) <= TITLE_WORDS
    told = {"title": first.lstrip("# ") if titled else None, "abstract": rest if titled else text}
    try:
        entry = Entry.model_validate({**told, "source": path.name, "alias": path.stem})
    except ValueError:
        raise SourceUnreadable(path, "has no words in it.") from None
    return [Work(entry=entry, text=text[:TEXT_CAP] if len(text) > len(entry.abstract) + 500 else "")], []


def _within(path: Path, most_mb: int) -> None:
    if path.stat().st_size > most_mb * 1_000_000:
        raise SourceUnreadable(path, f"is too large: files of its kind are read up to {most_mb} MB.")


def _pdf(path: Path) -> tuple[list[Work], list[str]]:
    return [read_pdf(path)], []


READERS: Mapping[str, Callable[[Path], tuple[list[Work], list[str]]]] = {
    ".jsonl": _listing,
    ".bib": read_bibtex,
    ".pdf": _pdf,
    ".txt": _plain,
    ".md": _plain,
}

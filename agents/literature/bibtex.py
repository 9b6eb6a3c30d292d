"""BibTeX, read and written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from agents.literature.entry import STATUSES, Entry, Work
from agents.literature.errors import SourceUnreadable

CAP_BYTES = 8_000_000
STARTS = re.compile(r"^\s*@(?!comment|string|preamble)\w+\s*[{(]", re.IGNORECASE | re.MULTILINE)
DEEP = re.compile(r"(?:\{[^{}]*){200}")


def works_of(text: str, name: str) -> tuple[list[Work], list[str]]:
    """Return the works of a BibTeX file called `name`, and a sentence for each thing in it that could not be read.

    Raises:
        SourceUnreadable: it is too large, or nested without end.
    """
    import bibtexparser
    from bibtexparser.bparser import BibTexParser

    if len(text) > CAP_BYTES:
        raise SourceUnreadable(name, f"is too large: BibTeX is read up to {CAP_BYTES // 1_000_000} MB. Part it.")
    if DEEP.search(text):
        raise SourceUnreadable(name, "nests braces without end; it is no bibliography.")
    parser = BibTexParser(common_strings=True, ignore_nonstandard_types=False, interpolate_strings=False)
    read = bibtexparser.loads(text, parser).entries
    works, problems = [], []
    for fields in read:
        try:
            works.append(Work(entry=_entry(fields, name)))
        except ValueError:
            problems.append(f"{name}: the entry {fields.get('ID', '?')} has neither a title nor an abstract; left out.")
    lost = len(STARTS.findall(text)) - len(read)
    if lost > 0:
        problems.append(f"{name}: {lost} entries could not be read, their braces do not close or their keys repeat.")
    return works, problems


def _entry(fields: Mapping[str, object], name: str) -> Entry:
    told = {key.casefold(): _plain(str(value)) for key, value in fields.items()}
    key = re.sub(r"[^A-Za-z0-9:._-]+", "-", told.get("id", "")).strip("-")
    remarks = " ".join(told.get(key, "") for key in ("keywords", "note", "status"))
    status = next((word for word in STATUSES if re.search(rf"\b{word}\b", remarks, re.IGNORECASE)), "")
    where = " ".join(told.get(k, "") for k in ("eprint", "arxivid", "journal", "volume", "url", "doi"))
    return Entry.model_validate({
        "id": key if re.match(r"[A-Za-z]", key) else f"ref-{key}" if key else None,
        "title": told.get("title"),
        "authors": [_name(each) for each in _several(str(fields.get("author", "")))],
        "year": told.get("year") or told.get("date"),
        "abstract": told.get("abstract"),
        "doi": told.get("doi"),
        "arxiv": where if "arxiv" in f"{told.get('archiveprefix', '')} {where}".casefold() else None,
        "url": told.get("url"),
        "source": name,
        "alias": told.get("id"),
        "status": status,
        "note": remarks.strip() if status else "",
    })  # fmt: skip


def _several(told: str) -> Iterator[str]:
    """Names parted by "and", but not within braces."""
    name, depth = "", 0
    for piece in re.split(r"(\s+and\s+|[{}])", told):
        if depth == 0 and piece.strip() == "and":
            yield name
            name = ""
            continue
        depth += {"{": 1, "}": -1}.get(piece, 0)
        name += piece
    if name.strip():
        yield name


def _name(told: str) -> str:
    """Given name first; a name in braces is one as it is."""
    last, comma, given = told.partition(",")
    is_whole = told.strip().startswith("{") and told.strip().endswith("}")
    return _plain(f"{given.strip()} {last.strip()}" if comma and not is_whole else told).strip()


def _plain(value: str) -> str:
    """Drop TeX: accents become letters, braces go."""
    from bibtexparser.latexenc import latex_to_unicode

    return str(latex_to_unicode(value)).replace("{", "").replace("}", "").replace("\\", "")


def written(entries: Iterable[Entry]) -> str:
    """Return entries as BibTeX, in the order given."""
    return "\n".join(_written(entry) for entry in entries)


def _written(entry: Entry) -> str:
    fields = {
        "author": " and ".join(_braced(name) for name in entry.authors),
        # A second pair of braces keeps capitals as they are.
        "title": f"{{{_escaped(entry.title)}}}",
        "year": str(entry.year or ""),
        "doi": _verbatim(entry.doi),
        "eprint": _verbatim(entry.arxiv),
        "archiveprefix": "arXiv" if entry.arxiv else "",
        "url": _verbatim(entry.url or (f"https://arxiv.org/abs/{entry.arxiv}" if entry.arxiv else "")),
        "note": _escaped(standing(entry)),
    }
    lines = "".join(f"  {name:<13} = {{{value}}},\n" for name, value in fields.items() if value)
    return f"@misc{{{entry.id},\n{lines}}}\n"


def standing(entry: Entry) -> str:
    """Return why an entry supports nothing, beginning with its status; empty if it may support something."""
    says_it = entry.note.casefold().startswith(entry.status)
    return entry.note if says_it else f"{entry.status}: {entry.note}".rstrip(": ")


def _braced(name: str) -> str:
    safe = _escaped(name)
    return f"{{{safe}}}" if "," in safe or re.search(r"\band\b", safe, re.IGNORECASE) else safe


def _escaped(text: str) -> str:
    plain = re.sub(r"[{}\\\"^~]", lambda found: "'" if found[0] == '"' else " ", text)
    return re.sub(r"([%&#$_])", r"\\\1", plain)


def _verbatim(text: str) -> str:
    return re.sub(r"[{}\\\s\"%]", "", text)


def read_bibtex(path: Path) -> tuple[list[Work], list[str]]:
    """Return the works of the file at `path`, and what could not be read.

    Raises:
        SourceUnreadable: it is too large, or nested without end.
    """
    if path.stat().st_size > CAP_BYTES:
        raise SourceUnreadable(path, f"is too large: BibTeX is read up to {CAP_BYTES // 1_000_000} MB. Part it.")
    return works_of(path.read_text("utf-8", "replace"), path.name)

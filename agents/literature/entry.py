"""A work of the literature: what is known of it, the key it is cited by, and when two are the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Literal

from pydantic import Field, model_validator

from agents.records import Record

KEY = r"^[A-Za-z][A-Za-z0-9:._-]*$"
"""What a citation key may be: what papers can cite as `[@key]`."""
TITLE_CAP, ABSTRACT_CAP, TEXT_CAP, AUTHORS_CAP = 400, 8_000, 400_000, 100
SHORT_TITLE = 20
"""Letters up to which a title alone does not tell a work: "Deep learning" is several."""
TELLING_ABSTRACT = 200
"""Letters from which an abstract alone tells a work."""
STATUSES = ("disowned", "retracted", "withdrawn")
MARKED = re.compile(r"^\W*(retracted|withdrawn)(?: article| paper| chapter)?\s*[:\]]", re.IGNORECASE)
DOI = re.compile(r"10\.\d{4,9}/[^\s\"<>{}]+")
ARXIV = re.compile(r"(?<![\w.])(\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Za-z]{2})?/\d{7})(?:v\d+)?(?![\w.]*\d)")
UNTELLING = re.compile(r"an?|the|on|of|for|in|to|and|or|with|from|by|is|are|at|as|via|how|what|why|when|towards|not")
"""Words that say nothing about a work."""

HIDDEN = re.compile("[\ufe00-\ufe0f\U000e0000-\U000e0fff]")
"""Characters that show nothing and can carry a message."""

Status = Literal["", "disowned", "retracted", "withdrawn"]


class Entry(Record):
    """A work. `status` says that its authors, institution or journal no longer stand by it, `note` why.

    Made by `Entry.model_validate` of whatever a source gives: texts are put on one line and cut to length, identifiers
    normalised, a missing `id` is made of author, year and title, else of what the source calls the work (`alias`).
    Without a title the abstract's first words stand in square brackets, and `supplied` is true.
    """

    id: str = Field(pattern=KEY, max_length=200)
    title: str = Field(min_length=1)
    authors: tuple[str, ...] = ()
    year: int | None = None
    abstract: str = ""
    doi: str = ""
    arxiv: str = ""
    url: str = ""
    source: str = ""
    alias: str = ""
    status: Status = ""
    note: str = ""
    supplied: bool = False

    @model_validator(mode="before")
    @classmethod
    def _tidied(cls, given: Any) -> Any:
        return _tidied(given) if isinstance(given, Mapping) else given

    @property
    def disowned(self) -> bool:
        """Whether it may not support anything."""
        return bool(self.status)

    @property
    def matter(self) -> str:
        """What it is about: title and abstract."""
        return self.abstract if self.supplied else f"{self.title}. {self.abstract}"


class Work(Record):
    """An entry on its way into the library, with its full text where there is one."""

    entry: Entry
    text: str = ""


def line(value: object, cap: int = 300) -> str:
    """Return text or a number on one line of at most `cap` characters, without characters that no reader sees.

    Anything else is no text, and comes back empty.
    """
    told = str(value)[: 4 * cap] if isinstance(value, str | int | float) else ""
    text = unicodedata.normalize("NFC", told.encode("utf-8", "ignore").decode("utf-8"))
    seen = HIDDEN.sub("", text)
    if not seen.isprintable():
        seen = "".join(c if c.isprintable() else " " for c in seen)
    words = " ".join(seen.split())
    return words if len(words) <= cap else words[: cap - 1].rstrip() + "…"


def identities(entry: Entry) -> tuple[str, ...]:
    """Return what tells the work: two with one in common are the same. Editions and preprints fall together."""
    return tuple(_identities(entry))


def _identities(entry: Entry) -> Iterator[str]:
    if entry.doi:
        yield f"doi:{entry.doi}"
    if entry.arxiv:
        yield f"arxiv:{entry.arxiv}"
    title = letters(entry.title)
    if title and not entry.supplied:
        short = len(title) < SHORT_TITLE
        yield f"title:{title}" + (f"|{_surname(entry.authors)}|{entry.year}" if short else "")
    abstract = letters(entry.abstract)
    if len(abstract) >= TELLING_ABSTRACT:
        yield f"abstract:{sha256(abstract.encode()).hexdigest()}"


def letters(text: str) -> str:
    """Return the letters and digits of a text alone, in one case: what stays when it is set in another way."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


def _tidied(given: Mapping[str, Any]) -> dict[str, Any]:
    known: dict[str, Any] = {key: given.get(key) for key in Entry.model_fields}
    title, abstract = line(known["title"], TITLE_CAP), line(known["abstract"], ABSTRACT_CAP)
    supplied = bool(known["supplied"]) or not title
    doi = DOI.search(line(known["doi"]))
    arxiv = _arxiv(line(known["arxiv"]), doi[0] if doi else "")
    status, note = _status(line(known["status"]).casefold(), line(known["note"]), title)
    tidy = {
        "title": title or _first_words(abstract),
        "abstract": abstract,
        "authors": tuple(name for each in _several(known["authors"]) if (name := line(each, 120)))[:AUTHORS_CAP],
        "year": _year(known["year"], arxiv),
        "doi": doi[0].rstrip(".,;)").casefold() if doi else "",
        "arxiv": arxiv,
        "url": line(known["url"]) if re.match(r"https?://\S+$", line(known["url"])) else "",
        "source": line(known["source"]),
        "alias": line(known["alias"], 100),
        "status": status,
        "note": note,
        "supplied": supplied,
    }
    # What is no field goes on to be refused.
    strange = {key: value for key, value in given.items() if key not in known}
    return {"id": known["id"] or _key(tidy), **tidy, **strange}


def _several(given: object) -> tuple[object, ...]:
    return tuple(given) if isinstance(given, list | tuple) else ()


def _first_words(abstract: str, count: int = 12) -> str:
    words = abstract.split()
    return f"[{' '.join(words[:count])}{' …' if len(words) > count else ''}]"[:TITLE_CAP] if words else ""


def _arxiv(text: str, doi: str) -> str:
    found = ARXIV.search(text) or ARXIV.search(doi.casefold().partition("10.48550/arxiv.")[2])
    return found[1] if found else ""


def _year(given: object, arxiv: str) -> int | None:
    found = re.search(r"\b(1[5-9]|20)\d\d\b", line(given))
    if found:
        return int(found[0])
    return 2000 + int(arxiv[:2]) if re.match(r"\d{4}\.", arxiv) else None


def _status(status: str, note: str, title: str) -> tuple[str, str]:
    marked = MARKED.match(title)
    if status in STATUSES:
        return status, note
    if marked:
        return marked[1].casefold(), note or "so marked in its title"
    return "", ": ".join(part for part in (status, note) if part)


def _surname(authors: tuple[str, ...]) -> str:
    if not authors:
        return ""
    name = authors[0].partition(",")[0] if "," in authors[0] else authors[0].split()[-1]
    return _plain(name)


def _plain(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in apart if c.isascii() and c.isalnum())


def _key(tidy: Mapping[str, Any]) -> str:
    """A key such as lu2024scientist; without an author what the source calls it, else the title's beginning."""
    words = [w for w in (_plain(w) for w in tidy["title"].split()) if w and not UNTELLING.fullmatch(w)]
    surname = _surname(tidy["authors"])
    if surname[:1].isalpha():
        return f"{surname[:40]}{tidy['year'] or ''}{words[0][:30] if words else ''}"
    called = re.sub(r"[^A-Za-z0-9:._-]+", "-", tidy["alias"]).strip("-.:_") or "-".join(words[:3])[:60]
    called = called or sha256(tidy["title"].encode()).hexdigest()[:10]
    return called if called[0].isalpha() else f"ref-{called}"

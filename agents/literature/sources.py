"""Sources: OpenAlex, Semantic Scholar and arXiv, asked for works about something. None of them ever raises."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from agents.literature.atom import ARXIV, entries_of
from agents.literature.entry import UNTELLING, Entry, identities
from agents.literature.errors import LibraryError
from agents.literature.fetching import Question, Web
from agents.records import Record

QUERY_WORDS = 12
ABSTRACT_WORDS = 3_000
MOST = 100


class Found(Record):
    """The works a source has, and what the user should know: empty, or a sentence that is said once."""

    entries: tuple[Entry, ...] = ()
    notice: str = ""


class Source(Protocol):
    """A place where literature is found."""

    @property
    def name(self) -> str:
        """What it is called in settings."""
        ...

    def find(self, query: str, n: int) -> Found:
        """Return at most `n` works about `query`, best first. Whatever goes wrong is a notice, never an error."""
        ...


class OpenAlex:
    """api.openalex.org. With a `key` it allows about a thousand searches a day, without one a few."""

    name = "openalex"

    def __init__(self, web: Web, key: str = "", base: str = "https://api.openalex.org") -> None:
        """Ask over `web`."""
        self._web, self._key, self._base = web, key, base

    def find(self, query: str, n: int) -> Found:
        """Return at most `n` works about `query`, best first."""
        params = {"search": _words(query), "per_page": str(_count(n))}
        secret = {"api_key": self._key} if self._key else {}
        return _found(self._web, Question(f"{self._base}/works", params, secret), _openalex, n)


class SemanticScholar:
    """api.semanticscholar.org. Without a `key` all its users share one allowance, so it is often busy."""

    name = "semantic-scholar"

    def __init__(self, web: Web, key: str = "", base: str = "https://api.semanticscholar.org/graph/v1") -> None:
        """Ask over `web`."""
        self._web, self._key, self._base = web, key, base

    def find(self, query: str, n: int) -> Found:
        """Return at most `n` works about `query`, best first."""
        fields = "title,abstract,year,authors,externalIds,url"
        params = {"query": _words(query), "limit": str(_count(n)), "fields": fields}
        headers = {"x-api-key": self._key} if self._key else {}
        return _found(self._web, Question(f"{self._base}/paper/search", params, headers=headers), _scholar, n)


class ArXiv:
    """export.arxiv.org, which asks for three seconds between requests."""

    name = "arxiv"

    def __init__(self, web: Web, base: str = "https://export.arxiv.org/api") -> None:
        """Ask over `web`."""
        self._web, self._base = web, base

    def find(self, query: str, n: int) -> Found:
        """Return at most `n` works about `query`, best first."""
        terms = " OR ".join(f"all:{word}" for word in _words(query).split())
        params = {"search_query": terms, "max_results": str(_count(n)), "sortBy": "relevance"}
        return _found(self._web, Question(f"{self._base}/query", params), _arxiv, n)


def find_in(sources: Sequence[Source], query: str, n: int) -> Found:
    """Ask several sources for `n` works each; the same work is returned once, as the first source has it."""
    seen: set[str] = set()
    entries: list[Entry] = []
    notices: list[str] = []
    for found in (source.find(query, n) for source in sources):
        for entry in found.entries:
            marks = set(identities(entry))
            if not marks & seen:
                entries.append(entry)
            seen |= marks
        notices += [found.notice] if found.notice else []
    return Found(entries=tuple(entries), notice=" ".join(notices))


def _found(web: Web, question: Question, read: Callable[[bytes], list[dict[str, Any]]], n: int) -> Found:
    if not any(question.params.get(key) for key in ("search", "query", "search_query")):
        return Found()
    try:
        told = web.get(question, read)
    except LibraryError as error:
        return Found(notice=str(error))
    return Found(entries=tuple(_entries(told))[: max(n, 0)])


def _entries(told: Sequence[Mapping[str, Any]]) -> Iterator[Entry]:
    """Records with neither title nor abstract are passed over."""
    for each in told:
        try:
            yield Entry.model_validate(each)
        except ValueError:
            continue


def _words(query: str) -> str:
    """The first telling words alone: what an index would read as an operator is gone."""
    words = re.findall(r"[^\W_]+", query.encode("utf-8", "ignore").decode())
    return " ".join([word for word in words if not UNTELLING.fullmatch(word.casefold())][:QUERY_WORDS])


def _count(n: int) -> int:
    return min(max(n, 1), MOST)


def _rows(body: bytes, key: str) -> list[dict[str, Any]]:
    told = json.loads(body)
    rows = told.get(key) if isinstance(told, dict) else None
    if not isinstance(rows, list):
        raise ValueError(f"there is no list of {key}")
    return [row for row in rows if isinstance(row, dict)]


def _openalex(body: bytes) -> list[dict[str, Any]]:
    return [
        {
            "title": row.get("title") or row.get("display_name"),
            "authors": [_within(each, "author", "display_name") for each in _list(row.get("authorships"))],
            "year": row.get("publication_year"),
            "abstract": in_order(row.get("abstract_inverted_index")),
            "doi": row.get("doi"),
            "url": _within(row, "primary_location", "landing_page_url") or row.get("id"),
            "source": OpenAlex.name,
            "alias": str(row.get("id") or "").rpartition("/")[2],
            "status": "retracted" if row.get("is_retracted") is True else "",
            "note": "so marked in OpenAlex" if row.get("is_retracted") is True else "",
        }
        for row in _rows(body, "results")
    ]


def _scholar(body: bytes) -> list[dict[str, Any]]:
    told = json.loads(body)
    if isinstance(told, dict) and told.get("total") == 0:
        return []
    return [
        {
            "title": row.get("title"),
            "authors": [_within(each, "name") for each in _list(row.get("authors"))],
            "year": row.get("year"),
            "abstract": row.get("abstract"),
            "doi": _within(row, "externalIds", "DOI"),
            "arxiv": _within(row, "externalIds", "ArXiv"),
            "url": row.get("url"),
            "source": SemanticScholar.name,
            "alias": row.get("paperId"),
        }
        for row in _rows(body, "data")
    ]


def _arxiv(body: bytes) -> list[dict[str, Any]]:
    def one(row: Mapping[str, list[str]], key: str) -> str:
        return row.get(key, [""])[0]

    return [
        {
            "title": one(row, "title"),
            "authors": row.get("author/name", []),
            "year": one(row, "published")[:4],
            "abstract": one(row, "summary"),
            "doi": one(row, f"{ARXIV} doi"),
            "arxiv": one(row, "id").rpartition("/abs/")[2],
            "url": one(row, "id"),
            "source": ArXiv.name,
        }
        for row in entries_of(body)
        # arXiv puts its errors into an entry of the feed.
        if "/abs/" in one(row, "id")
    ]


def in_order(index: object) -> str:
    """Return the text of an inverted index, word -> places, in reading order; at most 3000 words of it."""
    if not isinstance(index, dict):
        return ""
    places = (
        (place, str(word))
        for word, where in index.items()
        for place in _list(where)[:ABSTRACT_WORDS]
        if isinstance(place, int) and place >= 0
    )
    return " ".join(word for _, word in sorted(places)[:ABSTRACT_WORDS])


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _within(value: object, *path: str) -> Any:
    """What lies at a path of keys, None where it breaks off."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value

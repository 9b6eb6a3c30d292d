"""Atom feeds, as arXiv answers with: plain elements only. A document type is refused, and with it every entity."""

from __future__ import annotations

from collections.abc import Mapping
from xml.parsers import expat

DEPTH = 12
ATOM = "http://www.w3.org/2005/Atom"
ARXIV = "http://arxiv.org/schemas/atom"


class FeedRefused(ValueError):
    """It is no plain Atom feed."""


class _Feed:
    """Collects, for each entry, the texts of its elements by path such as `author/name`."""

    def __init__(self) -> None:
        self.entries: list[dict[str, list[str]]] = []
        self._path: list[str] = []
        self._text: list[str] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._path.append(name.removeprefix(f"{ATOM} "))
        self._text = []
        if len(self._path) > DEPTH:
            raise FeedRefused("its elements nest without end")
        if self._path == ["feed", "entry"]:
            self.entries.append({})

    def text(self, data: str) -> None:
        self._text.append(data)

    def end(self, name: str) -> None:
        if self._path[:2] == ["feed", "entry"] and len(self._path) > 2:
            self.entries[-1].setdefault("/".join(self._path[2:]), []).append("".join(self._text).strip())
        self._path.pop()
        self._text = []

    def refuse(self, *declared: object) -> None:
        raise FeedRefused("it declares a document type or entities")


def entries_of(body: bytes) -> list[dict[str, list[str]]]:
    """Return the entries of a feed: path of an element -> its texts. Names outside Atom keep their namespace.

    Raises:
        FeedRefused: it is not well-formed, declares a document type, nests too deep, or is no feed.
    """
    feed = _Feed()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = feed.start
    parser.CharacterDataHandler = feed.text
    parser.EndElementHandler = feed.end
    parser.StartDoctypeDeclHandler = feed.refuse
    parser.EntityDeclHandler = feed.refuse
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise FeedRefused(f"it is no XML: {error}") from None
    if b"http://www.w3.org/2005/Atom" not in body[:2000]:
        raise FeedRefused("it is no Atom feed")
    return feed.entries

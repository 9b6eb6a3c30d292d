"""The library: every work once, found by what it is about, each with its standing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from agents.literature.bibtex import written
from agents.literature.embedding import Embedding, HashedNgrams
from agents.literature.entry import TEXT_CAP, Entry, Status, Work, identities, line
from agents.literature.errors import EntryUnknown
from agents.literature.ranking import fused, lexical, similar
from agents.literature.store import Pages, Store
from agents.records import Record

FILE = "library.db"
BATCH = 256
UNDATED = 9999


class Hit(Record):
    """A work that a search found: its fused score, and the cosine of its vector to the query's, None if far."""

    entry: Entry
    score: float
    similarity: float | None


class Repeat(Record):
    """A work that was there already: what the source calls it, and the key it has in the library."""

    called: str
    kept: str


class Added(Record):
    """What came of adding works."""

    entries: tuple[Entry, ...]
    repeats: tuple[Repeat, ...]


class Library:
    """Works in one SQLite file at `path`. May be shared by threads; several processes may use the same file."""

    def __init__(self, path: Path, embedding: Embedding | None = None) -> None:
        """Use the file at `path`, made when a work is added, and `embedding`, hashed n-grams by default."""
        self._store = Store(path)
        self._embedding = embedding or HashedNgrams()
        self.pages = Pages(self._store)

    def add(self, works: Iterable[Work]) -> Added:
        """Take works in. One that is there already fills what is missing there, and its status only ever worsens.

        Raises:
            LibraryBroken: the file cannot be used.
        """
        entries: list[Entry] = []
        repeats: list[Repeat] = []
        remaining = iter(works)
        while batch := tuple(islice(remaining, BATCH)):
            with self._store.writing() as connection:
                for work in batch:
                    kept, is_new = _taken_in(connection, work)
                    if is_new:
                        entries.append(kept)
                    else:
                        repeats.append(Repeat(called=work.entry.alias or work.entry.id, kept=kept.id))
            self._complete()
        return Added(entries=tuple(entries), repeats=tuple(repeats))

    def get(self, name: str) -> Entry:
        """Return the work with this key, or else the first that its source calls so.

        Raises:
            EntryUnknown: there is none.
        """
        with self._store.reading() as connection:
            return _named(connection, name)[1]

    def text(self, name: str) -> str:
        """Return the full text of a work, empty where there is only an abstract.

        Raises:
            EntryUnknown: there is no such work.
        """
        with self._store.reading() as connection:
            number, _ = _named(connection, name)
            return str(connection.execute("SELECT body FROM words WHERE rowid = ?", (number,)).fetchone()[0])

    def all(self) -> tuple[Entry, ...]:
        """Return every work, by key."""
        with self._store.reading() as connection:
            return tuple(_entry(row[0]) for row in connection.execute("SELECT record FROM entry ORDER BY id"))

    def search(self, text: str, n: int = 10, exclude_disowned: bool = False) -> tuple[Hit, ...]:
        """Return at most `n` works about `text`, best first: by words and by vectors, the two ranks fused.

        Any text will do; none of it is read as an operator.
        """
        self._complete()
        point = self._embedding.embed([line(text, 20_000)])[0]
        with self._store.reading() as connection:
            near = dict(similar(connection, self._embedding.name, point))
            ranked = fused([lexical(connection, text), list(near)])
            hits = (Hit(entry=_named(connection, id)[1], score=s, similarity=near.get(id)) for id, s in ranked)
            return tuple(islice((hit for hit in hits if not (exclude_disowned and hit.entry.disowned)), n))

    def near(self, text: str, n: int, exclude_disowned: bool = True) -> tuple[Entry, ...]:
        """Return at most `n` works about `text`, best first."""
        return tuple(hit.entry for hit in self.search(text, n, exclude_disowned))

    def chain(self, text: str, n: int) -> tuple[Entry, ...]:
        """Return the `n` works nearest to `text` in the order of their years, ties by key, the undated last."""
        return tuple(sorted(self.near(text, n), key=lambda entry: (entry.year or UNDATED, entry.id)))

    def supports(self, name: str) -> bool:
        """Say whether a work may support a statement: it is in the library and nobody disowned it."""
        try:
            return not self.get(name).disowned
        except EntryUnknown:
            return False

    def disown(self, name: str, why: str, status: Status = "disowned") -> Entry:
        """Mark a work as one that supports nothing, and return it.

        Raises:
            EntryUnknown: there is no such work.
        """
        with self._store.writing() as connection:
            number, entry = _named(connection, name)
            marked = entry.model_copy(update={"status": status, "note": line(why)})
            _put(connection, number, marked)
        return marked

    def bibtex(self, names: Sequence[str]) -> str:
        """Return works as BibTeX under their keys, disowned ones with a `note` that says so.

        Raises:
            EntryUnknown: one of them is not in the library.
        """
        return written([self.get(name) for name in names])

    def copy(self, path: Path) -> Library:
        """Write the library as it is now to `path`, and return that: what must not change while it is used.

        Raises:
            LibraryBroken: one of the files cannot be used, or there is something at `path`.
        """
        self._complete()
        with self._store.reading() as connection:
            connection.execute("COMMIT")
            connection.execute("VACUUM INTO ?", (str(path),))
        return Library(path, self._embedding)

    def _complete(self) -> None:
        """Embed what has no vector yet under this embedding's name."""
        name = self._embedding.name
        while True:
            with self._store.reading() as connection:
                bare = connection.execute(
                    "SELECT number, record FROM entry WHERE number NOT IN"
                    " (SELECT number FROM vector WHERE embedding = ?) ORDER BY number LIMIT ?",
                    (name, BATCH),
                ).fetchall()
            if not bare:
                return
            points = self._embedding.embed([_entry(record).matter for _, record in bare])
            rows = [(name, point.tobytes(), *told) for told, point in zip(bare, points, strict=True)]
            with self._store.writing() as connection:
                # Only for what the entry still says: another process may have changed it.
                connection.executemany(
                    "INSERT OR IGNORE INTO vector SELECT ?, number, ? FROM entry WHERE number = ? AND record = ?", rows
                )


def _entry(record: str) -> Entry:
    return Entry.model_validate_json(record)


def _named(connection: sqlite3.Connection, name: str) -> tuple[int, Entry]:
    wanted = line(name)
    row = connection.execute(
        "SELECT number, record FROM entry WHERE id = ? OR alias = ? ORDER BY id = ? DESC, number LIMIT 1",
        (wanted, wanted, wanted),
    ).fetchone()
    if row is None or not wanted:
        raise EntryUnknown(name)
    return int(row[0]), _entry(row[1])


def _taken_in(connection: sqlite3.Connection, work: Work) -> tuple[Entry, bool]:
    marks = identities(work.entry)
    slots = ", ".join("?" * len(marks))
    row = connection.execute(
        f"SELECT entry.number, record, body FROM identity JOIN entry USING (number)"  # noqa: S608 - only question marks
        f" JOIN words ON words.rowid = entry.number WHERE name IN ({slots}) ORDER BY entry.number LIMIT 1",
        marks,
    ).fetchone()
    if row is None:
        (number,) = connection.execute("SELECT coalesce(max(number), 0) + 1 FROM entry").fetchone()
        entry, body = work.entry.model_copy(update={"id": _free(connection, work.entry.id)}), work.text
    else:
        before = _entry(row[1])
        number, entry, body = row[0], _merged(before, work.entry), row[2] or work.text
        if (entry, body) == (before, row[2]):
            return entry, False
    _put(connection, number, entry)
    _put_words(connection, number, entry, body[:TEXT_CAP])
    connection.executemany(
        "INSERT OR IGNORE INTO identity VALUES (?, ?)", [(mark, number) for mark in (*marks, *identities(entry))]
    )
    return entry, row is None


def _put(connection: sqlite3.Connection, number: int, entry: Entry) -> None:
    """Write an entry; a vector of what it said before is dropped."""
    before = connection.execute("SELECT record FROM entry WHERE number = ?", (number,)).fetchone()
    if before and _entry(before[0]).matter != entry.matter:
        connection.execute("DELETE FROM vector WHERE number = ?", (number,))
    row = (number, entry.id, entry.alias, entry.model_dump_json())
    connection.execute("INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?)", row)


def _put_words(connection: sqlite3.Connection, number: int, entry: Entry, body: str) -> None:
    title = "" if entry.supplied else entry.title
    connection.execute("DELETE FROM words WHERE rowid = ?", (number,))
    connection.execute(
        "INSERT INTO words (rowid, title, abstract, authors, body) VALUES (?, ?, ?, ?, ?)",
        (number, title, entry.abstract, " ".join(entry.authors), body),
    )


def _merged(kept: Entry, other: Entry) -> Entry:
    """Fill what is missing; a work that anyone disowned stays disowned."""
    missing = {
        k: v for k, v in other.model_dump().items() if k not in ("id", "status", "note") and not getattr(kept, k)
    }
    missing.pop("supplied", None)
    if kept.supplied and not other.supplied:
        missing |= {"title": other.title, "supplied": False}
    if other.disowned and not kept.disowned:
        missing |= {"status": other.status, "note": other.note}
    return kept.model_copy(update=missing)


def _free(connection: sqlite3.Connection, id: str) -> str:
    """The key, with a letter or number after it where another work has it."""
    for ending in _endings():
        if not connection.execute("SELECT 1 FROM entry WHERE id = ?", (id + ending,)).fetchone():
            return id + ending
    raise AssertionError


def _endings() -> Iterator[str]:
    yield from ("", *"bcdefghijklmnopqrstuvwxyz")
    number = 2
    while True:
        yield f"-{number}"
        number += 1

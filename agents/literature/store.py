"""The library's file: one SQLite database.

It is opened anew for every reading or writing, so that threads and processes share it without sharing a connection.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from agents.literature.errors import LibraryBroken

VERSION = 1
WAIT_S = 30.0
IN_MEMORY = ":memory:"
SCHEMA = """
CREATE TABLE entry (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, alias TEXT NOT NULL, record TEXT NOT NULL);
CREATE INDEX by_alias ON entry (alias);
CREATE TABLE identity (name TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE vector (embedding TEXT, number INTEGER, point BLOB NOT NULL, PRIMARY KEY (embedding, number));
CREATE VIRTUAL TABLE words USING fts5 (title, abstract, authors, body, tokenize = 'porter unicode61');
CREATE TABLE page (url TEXT PRIMARY KEY, body BLOB NOT NULL);
"""


class Store:
    """The database at `path`, made when it is first written to."""

    def __init__(self, path: Path) -> None:
        """Touch nothing yet."""
        self.path = path

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection that sees one state of the library from its first query to the end.

        Where there is no file, the library is empty, and stays without one.

        Raises:
            LibraryBroken: the file is no library, is from a newer version, or cannot be read.
        """
        with self._opened(self.path if self.path.exists() else IN_MEMORY) as connection:
            connection.execute("BEGIN")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection whose changes are kept together at the end, or not at all after an error.

        Raises:
            LibraryBroken: as for reading; or another process holds the library for too long, or the disk is full.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._opened(self.path) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def _opened(self, place: Path | str) -> Iterator[sqlite3.Connection]:
        try:
            # Closing a connection rolls back what was not committed.
            with closing(sqlite3.connect(place, timeout=WAIT_S, isolation_level=None)) as connection:
                self._prepare(connection)
                yield connection
        except sqlite3.DatabaseError as error:
            raise LibraryBroken(self.path, str(error)) from error

    def _prepare(self, connection: sqlite3.Connection) -> None:
        if _version(connection) == 0:
            connection.execute("BEGIN IMMEDIATE")
            if _version(connection) == 0:
                for statement in filter(str.strip, SCHEMA.split(";")):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("COMMIT")
        if _version(connection) != VERSION:
            raise LibraryBroken(self.path, "it was written by another version of hypoloop")


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


class Pages:
    """What indexes answered, by address: asked once, kept for good."""

    def __init__(self, store: Store) -> None:
        """Keep pages in `store`."""
        self._store = store

    def get(self, url: str) -> bytes | None:
        """Return what is kept of `url`, or None."""
        with self._store.reading() as connection:
            row = connection.execute("SELECT body FROM page WHERE url = ?", (url,)).fetchone()
        return bytes(row[0]) if row else None

    def put(self, url: str, body: bytes) -> None:
        """Keep what `url` answered."""
        with self._store.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO page VALUES (?, ?)", (url, body))

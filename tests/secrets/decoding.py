"""Taking things apart: archives, databases, repositories, papers and escapes, down to the bytes that are in them."""

from __future__ import annotations

import gzip
import io
import os
import re
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from tests.secrets import pdf

DEPTH = 6
SQLITE = b"SQLite format 3\0"
ESCAPED = re.compile(rb"\\+(?:u00|x)([0-9A-Fa-f]{2})")
Inside = Iterator[tuple[str, bytes]]


class Part(NamedTuple):
    """Some bytes, and where they were found."""

    where: str
    content: bytes


def parts(where: str, content: bytes, depth: int = 0) -> Iterator[Part]:
    """Yield `content` and, down to some depth, everything that is packed, compressed or escaped in it."""
    yield Part(where, content)
    if depth == DEPTH:
        return
    for name, inner in _opened(content):
        yield from parts(f"{where} > {name}", inner, depth + 1)


def folder_parts(folder: Path) -> Iterator[Part]:
    """Yield the parts of every file below `folder`, and names, link targets and git objects beside them."""
    for path in sorted(folder.rglob("*")):
        where = str(path.relative_to(folder))
        yield Part(f"name {where}", os.fsencode(where))
        if path.is_symlink():
            yield Part(f"link {where}", os.fsencode(path.readlink()))
        elif path.is_file():
            content = path.read_bytes()
            yield from parts(where, content)
            if content.startswith(SQLITE):
                yield from _database_parts(where, path)
        elif (path / "objects").is_dir() and (path / "HEAD").is_file():
            yield from (part for name, each in git_objects(path) for part in parts(f"{where} > {name}", each))


def git_objects(repository: Path) -> Inside:
    """Yield every object of a repository, reachable or not, loose or packed."""
    listed = subprocess.run(
        ["git", "--git-dir", str(repository), "cat-file", "--batch-all-objects", "--unordered", "--batch"],
        capture_output=True, check=True, env=_git_environment(),
    ).stdout  # fmt: skip
    at = 0
    while at < len(listed):
        end = listed.index(b"\n", at)
        sha, kind, size = listed[at:end].decode().split()
        at = end + 1 + int(size) + 1
        yield f"{kind} {sha[:12]}", listed[end + 1 : at - 1]


def _opened(content: bytes) -> Inside:
    """Yield what is in `content`, told by its first bytes; nothing when it is plain."""
    open_ = next((open_ for magic, open_ in KINDS.items() if content.startswith(magic)), None)
    if open_ is not None:
        yield from open_(content)
    elif content[257:262] == b"ustar":
        yield from _tar(content)
    elif ESCAPED.search(content):
        yield "unescaped", ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), content)


def _gzip(content: bytes) -> Inside:
    yield "gzip", gzip.decompress(content)


def _zlib(content: bytes) -> Inside:
    try:
        yield "zlib", zlib.decompressobj().decompress(content)
    except zlib.error:
        return  # two bytes that look like the beginning of one


def _zip(content: bytes) -> Inside:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        yield "comments", archive.comment + b"\n".join(entry.comment for entry in archive.infolist())
        yield from ((entry.filename, archive.read(entry)) for entry in archive.infolist() if not entry.is_dir())


def _tar(content: bytes) -> Inside:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for entry in archive:
            file = archive.extractfile(entry) if entry.isfile() else None
            if file is not None:
                yield entry.name, file.read()


def _bundle(content: bytes) -> Inside:
    with tempfile.TemporaryDirectory(prefix="hypoloop-bundle-") as name:
        bundle, repository = Path(name, "bundle"), Path(name, "repository")
        bundle.write_bytes(content)
        subprocess.run(
            ["git", "clone", "--quiet", "--mirror", str(bundle), str(repository)],
            capture_output=True, check=True, env=_git_environment(),
        )  # fmt: skip
        yield from git_objects(repository)


def _git_environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return kept | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_NO_REPLACE_OBJECTS": "1"}


def _sqlite(content: bytes) -> Inside:
    with closing(sqlite3.connect(":memory:")) as connection:
        # Two bytes say that a log lies beside it, which a database in memory cannot have.
        connection.deserialize(content[:18] + b"\1\1" + content[20:])
        yield from _rows(connection)


def _database_parts(where: str, path: Path) -> Iterator[Part]:
    """Yield the rows of a database together with what only its write-ahead log holds yet."""
    with tempfile.TemporaryDirectory(prefix="hypoloop-database-") as name:
        for suffix in ("", "-wal"):
            beside = path.with_name(path.name + suffix)
            if beside.exists():
                shutil.copyfile(beside, Path(name, "database" + suffix))
        with closing(sqlite3.connect(Path(name, "database"))) as connection:
            for table, rows in _rows(connection):
                yield from parts(f"{where}, log included > {table}", rows)


def _rows(connection: sqlite3.Connection) -> Inside:
    connection.text_factory = bytes
    tables = [name.decode() for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
    for table in tables:
        quoted = '"' + table.replace('"', '""') + '"'
        cells = [cell for row in connection.execute(f"select * from {quoted}") for cell in row if cell is not None]
        told = [cell if isinstance(cell, bytes) else str(cell).encode() for cell in cells]
        yield f"table {table}", b"\n".join(told)
        yield from ((f"cell of {table}", cell) for cell in told if cell.startswith(tuple(KINDS)))


KINDS: dict[bytes, Callable[[bytes], Inside]] = {
    b"\x1f\x8b\x08": _gzip,
    b"\x78\x01": _zlib,
    b"\x78\x9c": _zlib,
    b"\x78\xda": _zlib,
    b"PK\x03\x04": _zip,
    b"%PDF-": pdf.opened,
    SQLITE: _sqlite,
    b"# v2 git bundle": _bundle,
    b"# v3 git bundle": _bundle,
}

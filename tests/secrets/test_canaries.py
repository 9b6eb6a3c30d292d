"""The search bites: a canary that is planted in any kind of place, in any encoding, is found."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import subprocess
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from flows.papers.typst import escape
from tests.secrets.canaries import ENCODINGS, Canaries, environment, plant
from tests.secrets.decoding import folder_parts, parts
from tests.secrets.search import search

CANARIES = Canaries()
BYTES_ONLY = ("UTF-16", "UTF-16, other end first")
"""Encodings that no text holds as they are."""


def found(content: bytes) -> bool:
    return bool(search(CANARIES, parts("here", content)))


def planted(encoding: str) -> bytes:
    return b"before " + ENCODINGS[encoding](CANARIES.of("OPENAI_API_KEY")) + b" after"


def zipped(content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.txt", content)
    return stream.getvalue()


def tarred(content: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        entry = tarfile.TarInfo("layer/etc/secret")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def stored(content: bytes) -> bytes:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("create table results (key text, value blob)")
        connection.execute("insert into results values ('k', ?)", (zlib.compress(content),))
        connection.commit()
        return bytes(connection.serialize())


SINKS: Mapping[str, Callable[[bytes], bytes]] = {
    "a file": lambda content: content,
    "a journal": lambda content: json.dumps({"log": content.decode("utf-8", "backslashreplace")}).encode(),
    "a journal in a record": lambda content: json.dumps(
        json.dumps(content.decode("utf-8", "backslashreplace"))
    ).encode(),
    "a page": lambda content: b"<p>" + content.replace(b"+", b"&#43;").replace(b"/", b"&#x2F;") + b"</p>",
    "a traceback": lambda content: f"KeyError: {content!r}".encode(),
    "a paper's source": lambda content: escape(content.decode("utf-8", "backslashreplace")).encode(),
    "a loose object": zlib.compress,
    "a compressed log": gzip.compress,
    "a bundle": zipped,
    "an image": tarred,
    "an archive in an archive": lambda content: zipped(tarred(zipped(content))),
    "a database": stored,
    "a database in a bundle": lambda content: zipped(stored(content)),
}
"""What makes a thing of its kind out of a content."""


NEVER_THERE = {"a paper's source": {*BYTES_ONLY, "base64 in lines", "HTML"}}
"""No zero may stand in a paper, words of it are no HTML, and it is set in lines of its own."""


@pytest.mark.parametrize("sink", SINKS)
def test_a_canary_is_found_in_every_encoding_and_in_every_kind_of_place(sink: str) -> None:
    possible = [name for name in ENCODINGS if name not in NEVER_THERE.get(sink, ())]
    assert [name for name in possible if not found(SINKS[sink](planted(name)))] == []


@pytest.mark.parametrize("sink", SINKS)
def test_nothing_is_found_where_nothing_is(sink: str) -> None:
    others = Canaries().of("OPENAI_API_KEY")
    assert not found(SINKS[sink](b" ".join(encode(others) for encode in ENCODINGS.values())))


@pytest.mark.parametrize("before", range(7))
def test_base64_is_found_wherever_the_canary_begins(before: int) -> None:
    text = "x" * before + CANARIES.of("token") + "y" * before
    assert found(ENCODINGS["base64"](text))
    assert found(ENCODINGS["base64 of UTF-16"](text))


@pytest.mark.parametrize("kept", [25, 30])
def test_a_canary_that_was_cut_is_found(kept: int) -> None:
    assert found(CANARIES.of("OPENAI_API_KEY")[:kept].encode())


def test_the_text_of_a_paper_is_read_as_a_reader_sees_it() -> None:
    import typst

    readable = [name for name in ENCODINGS if name not in (*BYTES_ONLY, "HTML", "escapes", "JSON escapes")]
    words = {name: planted(name).decode() for name in readable}
    columns = "#set page(width: 90pt, height: auto)\n#set text(hyphenate: true)\n"
    for name, word in words.items():
        for form in (escape(word), f"#raw({json.dumps(word)})"):
            made = typst.compile({"main.typ": (columns + form).encode()}, format="pdf", ignore_system_fonts=True)
            assert CANARIES.token.encode() not in made
            assert found(made), (name, form)


def test_the_title_and_the_links_of_a_paper_are_read() -> None:
    import typst

    for source in ('#set document(title: "%s")\nx', '#link("http://user:%s@x.invalid")[y]', '#show "x": "%s"\nx'):
        text = (source % CANARIES.of("title")).encode()
        assert found(typst.compile({"main.typ": text}, format="pdf", ignore_system_fonts=True))


def git(repository: Path, *arguments: str, told: bytes = b"") -> str:
    command = ["git", "--git-dir", str(repository), *arguments]
    return subprocess.run(command, input=told, capture_output=True, check=True).stdout.decode().strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "--quiet", "--bare", "--template=", str(tmp_path / "repo")], check=True)
    return tmp_path / "repo"


def test_git_objects_are_read_loose_or_packed_and_in_a_bundle(repository: Path, tmp_path: Path) -> None:
    blobs = [git(repository, "hash-object", "-w", "--stdin", told=planted(name)) for name in ENCODINGS]
    tree = git(repository, "mktree", told="".join(f"100644 blob {b}\tf{n}\n" for n, b in enumerate(blobs)).encode())
    who = ("-c", "user.name=x", "-c", "user.email=x@x")
    commit = git(repository, *who, "commit-tree", tree, "-m", f"title\n\nSeen: {CANARIES.of('message')}")
    expected = {f"repo > blob {blob[:12]}" for blob in blobs} | {f"repo > commit {commit[:12]}"}
    for _ in range(2):
        assert expected <= {hit.where.removesuffix(" > unescaped") for hit in search(CANARIES, folder_parts(tmp_path))}
        git(repository, "update-ref", "refs/heads/main", commit)
        git(repository, "repack", "-adq")
        git(repository, "prune-packed")
    git(repository, "bundle", "create", "--quiet", str(tmp_path / "all.bundle"), "main")
    inside = {hit.where for hit in search(CANARIES, parts("", zipped((tmp_path / "all.bundle").read_bytes())))}
    assert f" > inner.txt > commit {commit[:12]}" in inside


def test_rows_that_only_the_log_of_a_database_holds_are_read(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "some.db")) as connection:
        connection.execute("pragma journal_mode = wal")
        connection.execute("create table runs (value blob)")
        connection.execute("insert into runs values (?)", (zlib.compress(planted("plain")),))
        connection.commit()
        assert any("log included" in hit.where for hit in search(CANARIES, folder_parts(tmp_path)))


def test_names_of_files_and_targets_of_links_are_read(tmp_path: Path) -> None:
    (tmp_path / CANARIES.token).touch()
    (tmp_path / "link").symlink_to(f"/nowhere/{CANARIES.token}")
    assert {hit.where.split()[0] for hit in search(CANARIES, folder_parts(tmp_path))} == {"name", "link"}


def test_what_cannot_be_taken_apart_is_no_clean_place() -> None:
    with pytest.raises(zipfile.BadZipFile):
        found(zipped(b"content")[:-10])
    with pytest.raises(sqlite3.DatabaseError):
        found(stored(b"content")[:4000])


def test_every_secret_of_the_planted_user_is_a_canary(tmp_path: Path) -> None:
    told = environment(CANARIES, tmp_path, "127.0.0.1:1/index")
    assert all(found(value.encode()) for name, value in told.items() if name not in ("HOME", "NO_PROXY"))
    files = plant(CANARIES, tmp_path)
    assert all(found(path.read_bytes()) for path in files)
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}

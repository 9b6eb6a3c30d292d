"""The archive: the same files are the same bytes, and whatever no export writes is found before it is unpacked."""

from __future__ import annotations

import io
import random
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.bundle import archive
from flows.bundle.archive import Archive, write_archive
from flows.errors import BundleBroken, BundleTooLarge

FILES = {"a/one.txt": b"one " * 40, "a/two.bin": bytes(range(256)), "b.json": b"{}", "c/räte.txt": b"", "z": b"z"}


def packed(files: dict[str, bytes | Path]) -> bytes:
    stream = io.BytesIO()
    write_archive(stream, files)
    return stream.getvalue()


def opened(content: bytes) -> Archive:
    return Archive(io.BytesIO(content))


def read(whole: Archive) -> dict[str, bytes]:
    return {name: b"".join(whole.pieces(name)) for name in whole.entries}


def by_zipfile(put: Callable[[zipfile.ZipFile], None]) -> bytes:
    """A zip as the standard library writes it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        put(target)
    return stream.getvalue()


def named(*names: str) -> bytes:
    def put(target: zipfile.ZipFile) -> None:
        for name in names:
            target.writestr(zipfile.ZipInfo(name), b"x")

    return by_zipfile(put)


def test_the_order_in_which_files_come_changes_no_byte() -> None:
    assert packed(dict(FILES)) == packed(dict(reversed(FILES.items())))


def test_what_was_written_is_read_back() -> None:
    whole = opened(packed(dict(FILES)))
    assert read(whole) == FILES


def test_other_tools_read_it_and_see_plain_files_of_one_date(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(packed(dict(FILES)))
    with zipfile.ZipFile(path) as other:
        assert other.testzip() is None
        assert {info.filename: other.read(info) for info in other.infolist()} == FILES
        assert {info.date_time for info in other.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {info.external_attr >> 16 for info in other.infolist()} == {stat.S_IFREG | 0o644}


def test_a_large_file_comes_in_pieces_and_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    large = {"noise": random.Random(1).randbytes(300_000), "none": bytes(3_000_000), "some": b"ab" * 100_000}
    content = packed(dict(large))
    for piece in (1000, 4096, 1 << 20):
        monkeypatch.setattr(archive, "PIECE", piece)
        assert read(opened(content)) == large


def test_a_file_on_disk_is_packed_like_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"1" * 3_000_000)
    assert packed({"x": tmp_path / "x"}) == packed({"x": b"1" * 3_000_000})


def test_no_flipped_bit_of_an_archive_changes_what_is_read_without_a_word() -> None:
    content = packed({"a/b": b"some words", "c": b"and more"})
    for place in range(len(content)):
        for bit in (1, 128):
            changed = bytearray(content)
            changed[place] ^= bit
            try:
                other = opened(bytes(changed))
                found = read(other)
            except BundleBroken:
                continue
            assert found == {"a/b": b"some words", "c": b"and more"}, place


@pytest.mark.parametrize("cut", [0, 1, 10, 22, 60])
def test_an_archive_that_lacks_its_end_or_its_beginning_is_found(cut: int) -> None:
    content = packed(dict(FILES))
    with pytest.raises(BundleBroken):
        opened(content[: len(content) - cut - 1])
    with pytest.raises(BundleBroken):
        opened(content[cut + 1 :])


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("/etc/passwd",), "absolute"),
        (("C:/x",), "absolute"),
        (("../x",), "leaves its folder"),
        (("a/../../x",), "leaves its folder"),
        (("a//x",), "leaves its folder"),
        (("a/",), "leaves its folder, or names a folder"),
        (("a\\..\\x",), "characters"),
        (("a\nb",), "characters"),
        (("a\u202eb",), "characters"),
        (("e\u0301",), "characters"),
        (("x" * 2000,), "longer"),
        (("a", "A"), "twice"),
        (("a", "a/b"), "both a file and a folder"),
    ],
)
def test_a_name_that_is_not_safe_everywhere_is_refused(names: tuple[str, ...], says: str) -> None:
    with pytest.raises(BundleBroken, match=says):
        opened(named(*names))


@pytest.mark.parametrize("name", ["../x", "/x", "a\\b", "a/../b"])
def test_none_is_written_either(name: str) -> None:
    with pytest.raises(BundleBroken):
        packed({name: b""})


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_is_in_it_twice_is_found() -> None:
    with pytest.raises(BundleBroken, match="twice"):
        opened(named("a", "a"))


@pytest.mark.parametrize(("kind", "says"), [(stat.S_IFLNK, "a link"), (stat.S_IFIFO, "no plain file")])
def test_a_link_or_a_pipe_is_found(kind: int, says: str) -> None:
    def put(target: zipfile.ZipFile) -> None:
        info = zipfile.ZipInfo("a")
        info.create_system, info.external_attr = 3, (kind | 0o777) << 16
        target.writestr(info, "/etc/passwd")

    with pytest.raises(BundleBroken, match=says):
        opened(by_zipfile(put))


def test_a_zip_that_another_tool_wrote_is_no_export() -> None:
    with pytest.raises(BundleBroken, match=r"not what its directory says|no export writes"):
        opened(named("a"))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: b"#!/bin/sh\n" + content,
        lambda content: content + b"PK",
        lambda content: content[:-2] + struct.pack("<H", 3) + b"hi!",
        lambda content: content.replace(b"a/one.txt", b"a/two.txt", 1),
        lambda content: content.replace(b"PK\x01\x02\x14\x03", b"PK\x01\x02\x14\x00", 1),
    ],
    ids=["before it", "after it", "a comment", "two names for one file", "another system"],
)
def test_what_no_export_writes_is_found(spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(BundleBroken):
        opened(spoil(packed({"a/one.txt": b"1", "b": b"2"})))


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    content = packed({"a": bytes(1 << 20), "b": bytes(1 << 20)})
    assert len(content) < 10_000
    monkeypatch.setattr(archive, "MAX_BYTES", 1 << 20)
    with pytest.raises(BundleBroken, match="unpacks to more"):
        opened(content)
    with pytest.raises(BundleTooLarge):
        packed({"a": bytes(1 << 20), "b": bytes(1)})


def test_a_file_that_is_longer_than_it_says_is_found() -> None:
    content = packed({"a": b"x" * 100})
    lying = content.replace(struct.pack("<I", 100), struct.pack("<I", 99))
    with pytest.raises(BundleBroken, match="does not unpack to what"):
        read(opened(lying))


def test_a_crowd_of_files_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    content = packed({f"f{i}": b"" for i in range(5)})
    monkeypatch.setattr(archive, "MAX_FILES", 4)
    with pytest.raises(BundleBroken, match="5 files"):
        opened(content)
    with pytest.raises(BundleTooLarge, match="5 files"):
        packed({f"f{i}": b"" for i in range(5)})


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(17), bytes(100)])
def test_what_is_no_zip_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(BundleBroken, match="no zip"):
        opened(content)

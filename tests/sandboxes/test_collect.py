from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxes import Limits
from sandboxes.collect import Collector, collect_directory, collect_tar, name_fault

LIMITS = Limits(out_mb=1, file_mb=1, out_files=3)


def archive(*members: tuple[str, bytes | int]) -> bytes:
    """A tar as an engine sends it; a number instead of bytes is the type of a member without content."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tar:
        for name, content in members:
            entry = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
            else:
                entry.type = b"%d" % content
                entry.linkname = "/etc/passwd"
                tar.addfile(entry)
    return target.getvalue()


def pieces(data: bytes, size: int = 700) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def collected(out: Path, data: bytes, expect: tuple[str, ...] = ()) -> Collector:
    collector = Collector(out, LIMITS, expect)
    collect_tar(pieces(data), collector, LIMITS)
    return collector


@pytest.mark.parametrize("name", ["out/../../x", "out//x", "out//etc/x", "out/./x", "out/a\nb", "out/" + "n" * 201])
def test_a_name_that_leads_elsewhere_is_refused(out: Path, name: str) -> None:
    collector = collected(out, archive((name, b"x"), ("out/fine", b"y")))
    assert [artifact.name for artifact in collector.artifacts] == ["fine"]
    assert len(collector.refused) == 1
    assert [path.name for path in out.parent.rglob("*")] == ["out", "fine"]


@pytest.mark.parametrize("kind", [1, 2, 3, 4, 6])  # hard link, link, devices, pipe
def test_what_is_no_file_is_refused(out: Path, kind: int) -> None:
    collector = collected(out, archive(("out/x", kind)))
    assert collector.artifacts == ()
    assert [refused.why for refused in collector.refused] == ["type"]


def test_caps_hold_on_size_total_and_count(out: Path) -> None:
    assert [r.why for r in collected(out, archive(("out/a", bytes(2**20 + 1)))).refused] == ["size"]
    two = archive(("out/b", bytes(700_000)), ("out/c", bytes(700_000)))
    assert [r.why for r in collected(out, two).refused] == ["total"]
    many = archive(*((f"out/n{number}", b"") for number in range(5)))
    assert [r.why for r in collected(out, many).refused] == ["count", "count"]


def test_expected_names_do_not_count(out: Path) -> None:
    many = archive(*((f"out/n{number}", b"") for number in range(5)), ("out/z.json", b"{}"))
    assert "z.json" in {artifact.name for artifact in collected(out, many, ("z.json",)).artifacts}


def test_a_stream_longer_than_the_output_can_be_is_not_read_on(out: Path) -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        yield archive(("out/first", b"1"))[:1024]
        header = tarfile.TarInfo("out/huge")
        header.size = 2**40
        yield header.tobuf()
        while True:
            taken += 2**20
            yield bytes(2**20)

    collector = Collector(out, LIMITS, ())
    collect_tar(endless(), collector, LIMITS)
    assert taken <= 8 * 2**20
    assert [artifact.name for artifact in collector.artifacts] == ["first"]
    assert collector.met is not None


def test_a_torn_archive_keeps_what_came_before(out: Path) -> None:
    whole = archive(("out/a", b"1"), ("out/b", bytes(3000)))
    collector = Collector(out, LIMITS, ())
    collect_tar(pieces(whole[:1024] + b"garbage" * 100), collector, LIMITS)
    assert [artifact.name for artifact in collector.artifacts] == ["a"]
    assert collector.met is not None


def test_two_names_for_one_file_give_one_file(out: Path) -> None:
    collector = collected(out, archive(("out/a", b"1"), ("out/a/b", b"2"), ("out/a", b"3")))
    assert (out / "a").read_bytes() == b"1"
    assert [refused.why for refused in collector.refused] == ["exists"]


def test_a_flood_of_refusals_is_summed_up(out: Path) -> None:
    collector = collected(out, archive(*((f"out/l{number}", 2) for number in range(250))))
    assert len(collector.refused) == 101
    assert collector.refused[-1].why == "150 more refused"


def test_a_directory_with_links_gives_only_its_plain_files(tmp_path: Path, out: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("canary", encoding="utf-8")
    source = tmp_path / "source"
    (source / "d").mkdir(parents=True)
    (source / "d/x").write_text("1", encoding="utf-8")
    (source / "link").symlink_to(secret)
    (source / "folder").symlink_to(tmp_path)
    os.link(secret, source / "twin")
    os.mkfifo(source / "pipe")
    collector = Collector(out, Limits(), ("folder/secret", "link", "twin"))
    collect_directory(source, collector, ("folder/secret", "link", "twin"))
    assert [artifact.name for artifact in collector.artifacts] == ["d/x"]
    assert {(r.name, r.why) for r in collector.refused} >= {("link", "type"), ("twin", "link"), ("pipe", "type")}
    assert not any("canary" in path.read_text(encoding="utf-8") for path in out.rglob("*") if path.is_file())


def test_depth_is_capped() -> None:
    assert name_fault("/".join("abcdefgh")) is None
    assert name_fault("/".join("abcdefghi")) == "depth"

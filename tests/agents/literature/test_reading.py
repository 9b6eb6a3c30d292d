from __future__ import annotations

import json
from pathlib import Path

import pytest

from agents.literature.errors import SourceUnreadable
from agents.literature.reading import read
from tests.agents.literature.making import page, pdf


def test_a_listing_is_read_line_by_line_and_bad_lines_are_named(tmp_path: Path) -> None:
    path = tmp_path / "works.jsonl"
    lines = [
        json.dumps({"id": "a#1", "title": "One", "authors": [{"name": "A B"}, "C D"], "year": 2020, "extra": 1}),
        "", "not json", "[1, 2]", "null", json.dumps({"title": None, "abstract": ""}), "[" * 100_000,
        '{"title": "x", "year": 1' + "0" * 5000 + "}",
        json.dumps({"title": "Two", "authors": "E F and G H", "status": "withdrawn", "status_note": "by its authors"}),
    ]  # fmt: skip
    path.write_text("\n".join(lines))
    found = read(path)
    one, two = (work.entry for work in found.works)
    assert (one.alias, one.authors, one.year, one.source) == ("a#1", ("A B", "C D"), 2020, "works.jsonl")
    assert (two.authors, two.status, two.note) == (("E F", "G H"), "withdrawn", "by its authors")
    assert [problem.split(":")[0] for problem in found.problems] == [
        f"works.jsonl, line {number}" for number in (3, 4, 5, 6, 7, 8)
    ]


def test_of_very_many_bad_lines_only_the_first_are_named(tmp_path: Path) -> None:
    path = tmp_path / "works.jsonl"
    path.write_text("x\n" * 1000)
    problems = read(path).problems
    assert len(problems) == 21
    assert "980 more" in problems[-1]


def test_a_plain_abstract_has_its_title_in_a_short_first_line(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# A Study of Things\n\nWe study\nthings.")
    (tmp_path / "b.txt").write_text("We study things and have no title, which takes a long first sentence. It goes on.")
    titled, untitled = (read(tmp_path / name).works[0].entry for name in ("a.md", "b.txt"))
    assert (titled.title, titled.abstract) == ("A Study of Things", "We study things.")
    assert untitled.supplied
    assert untitled.abstract.startswith("We study things")


def test_a_directory_gives_everything_below_it_and_names_what_failed(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.md").write_text("B Title\nabout b")
    (tmp_path / "a.bib").write_text("@misc{a, title = {A Title}}")
    (tmp_path / "c.pdf").write_bytes(b"no pdf")
    (tmp_path / "d.pdf").write_bytes(pdf(page(["D Title Of It", *["and the words of its text go on and on"] * 10])))
    (tmp_path / ".hidden.md").write_text("Hidden\nnot read")
    (tmp_path / "README.md").write_text("Readme\nnot read")
    (tmp_path / "photo.png").write_bytes(b"not read")
    (tmp_path / "link.md").symlink_to("/etc/hostname")
    found = read(tmp_path)
    assert [work.entry.title for work in found.works] == ["A Title", "D Title Of It", "B Title"]
    assert len(found.problems) == 1
    assert "c.pdf is no PDF that can be read" in found.problems[0]


@pytest.mark.parametrize(
    ("name", "why"), [("nothing.bib", "neither a file"), ("a.docx", "of no kind"), ("e.txt", "no words")]
)
def test_what_cannot_be_read_is_told_in_a_sentence(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "a.docx").write_bytes(b"x")
    (tmp_path / "e.txt").write_bytes(b"  \n ")
    with pytest.raises(SourceUnreadable, match=why):
        read(tmp_path / name)


def test_a_plain_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with path.open("wb") as file:
        file.truncate(3_000_000)
    with pytest.raises(SourceUnreadable, match="too large"):
        read(path)

"""The report page and the files on disk."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from flows.papers import Composed, write_paper
from flows.papers.errors import CompileFailed
from flows.papers.html import strip
from tests.papers import sample

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Balanced(HTMLParser):
    """Checks that every element is closed in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page(paper: Composed) -> str:
    return paper.files["report.html"].decode()


def test_the_page_is_well_formed_and_runs_no_script(page: str) -> None:
    parser = Balanced()
    parser.feed(page)
    assert not parser.open
    assert "script" not in parser.seen
    assert parser.seen.count("figure") == 3


def test_the_page_needs_nothing_from_elsewhere(page: str) -> None:
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page.replace("http://www.w3.org", ""))
    assert "@import" not in page
    links = {name for name in re.findall(r'<a href="([^"#]+)"', page)}
    assert links == {"paper.pdf", "paper.typ", "bindings.json"}


def test_hostile_text_stays_text(page: str) -> None:
    assert "<script>" not in page
    assert "ValueError: &lt;script&gt;" in page
    assert "&lt;b&gt;&amp; comes back&lt;/b&gt;" in page


def test_the_page_shows_verdicts_intervals_ideas_attempts_and_executions(page: str) -> None:
    dossier = sample.dossier()
    assert all(f'id="{claim.id}"' in page for claim in dossier.claims)
    assert all(f"<td>{idea.id}</td>" in page for idea in dossier.ideas)
    assert "0.117</strong> [0.0957, 0.139]" in page
    assert f"Every execution ({len(sample.executions())})" in page
    assert "hypoloop verify sampling-nightly" in page
    assert "prefers-color-scheme: dark" in page


def test_a_claims_strip_keeps_everything_in_view_and_in_order() -> None:
    dossier = sample.dossier()
    plans = {plan.id: plan for plan in dossier.plans}
    drawn = strip(dossier.claims[0], plans)
    assert drawn.low is not None
    assert drawn.high is not None
    assert 0 <= drawn.zero < drawn.least < drawn.low < drawn.estimate < drawn.high <= 100
    bare = strip(dossier.claims[0].model_copy(update={"interval": None}), plans)
    assert bare.low is None


def test_writing_leaves_the_whole_paper_and_nothing_else(tmp_path: Path, paper: Composed) -> None:
    stale = tmp_path / "figures" / "old.svg"
    stale.parent.mkdir()
    stale.write_text("<svg/>")
    files = write_paper(tmp_path, paper)
    there = {p.relative_to(tmp_path).as_posix(): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert there == files
    assert {"paper.typ", "paper.pdf", "report.html", "bindings.json", "layout.typ"} <= set(files)


def test_a_paper_that_does_not_compile_changes_no_file(tmp_path: Path, paper: Composed) -> None:
    write_paper(tmp_path, paper)
    before = (tmp_path / "paper.typ").read_bytes()
    with pytest.raises(CompileFailed, match="unknown variable: nonsense"):
        write_paper(tmp_path, Composed("#nonsense", paper.files, ()))
    assert (tmp_path / "paper.typ").read_bytes() == before

from __future__ import annotations

from pathlib import Path

import pytest
import typst

from agents.literature.bibtex import CAP_BYTES, read_bibtex, works_of, written
from agents.literature.entry import Entry
from agents.literature.errors import SourceUnreadable
from agents.literature.library import Library
from flows.papers.binding import CITATION
from flows.papers.references import entries as in_papers

LISTING = r"""
% a comment
@string{neurips = "Advances in Neural Information Processing Systems"}
@inproceedings{kumar2020conservative,
  author = {Kumar, Aviral and {M{\"u}ller}, J{\"o}rg and Ludwig van Beethoven},
  title  = {Conservative {Q}-Learning for \emph{Offline} Learning},
  booktitle = neurips, year = 2020, month = jun, doi = {https://doi.org/10.1000/ABC},
}
@article{lu2024,
  title = "The {AI} Scientist", journal = {arXiv preprint arXiv:2408.06292}, keywords = {retracted by its journal},
}
@misc{empty, year = {1999}}
@article{broken, title = {never closed
"""


def test_a_bibliography_becomes_works() -> None:
    works, problems = works_of(LISTING, "my.bib")
    kumar, lu = (work.entry for work in works)
    assert kumar.id == "kumar2020conservative"
    assert kumar.authors == ("Aviral Kumar", "Jörg Müller", "Ludwig van Beethoven")
    assert kumar.title.startswith("Conservative Q-Learning for")
    assert (kumar.year, kumar.doi) == (2020, "10.1000/abc")
    assert (lu.arxiv, lu.year, lu.status, lu.note) == ("2408.06292", 2024, "retracted", "retracted by its journal")
    assert len(problems) == 2
    assert "empty has neither a title nor an abstract" in problems[0]
    assert "1 entries could not be read" in problems[1]


@pytest.mark.parametrize(
    "text", ["", "no bibliography at all", "@", "@article", "@article{", "@article{,}", "@{}", "%" * 1000]
)
def test_what_is_no_bibliography_has_no_works(text: str) -> None:
    assert works_of(text, "x.bib")[0] == []


def test_braces_without_end_are_refused() -> None:
    with pytest.raises(SourceUnreadable, match="nests braces without end"):
        works_of("@article{a, title = " + "{" * 5000 + "}" * 5000 + "}", "deep.bib")


def test_a_bibliography_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.bib"
    with path.open("wb") as file:
        file.truncate(CAP_BYTES + 1)
    with pytest.raises(SourceUnreadable, match="too large"):
        read_bibtex(path)


def test_what_is_written_is_read_back() -> None:
    told = {
        "title": 'A 100% "quoted" {braced} study of R&D_costs #1 for $5 \\ more',
        "authors": ["Chris Lu", "Research and Development Team", "Acme, Inc."],
        "year": 2024, "doi": "10.1000/a_b", "arxiv": "2408.06292", "id": "lu2024",
    }  # fmt: skip
    entry = Entry.model_validate(told)
    (work,), problems = works_of(written([entry]), "x.bib")
    back = work.entry
    assert not problems
    assert (back.id, back.year, back.doi, back.arxiv) == (entry.id, entry.year, entry.doi, entry.arxiv)
    assert back.title == "A 100% 'quoted' braced study of R&D_costs #1 for $5 more"
    assert back.authors == entry.authors


def test_no_text_of_a_work_starts_an_entry_of_its_own() -> None:
    entry = Entry.model_validate({"title": "x},\n}\n@misc{evil,\n title={y", "id": "good", "authors": ["a}\n@book{b,"]})
    assert [each.key for each in in_papers(written([entry]))] == ["good"]
    works, problems = works_of(written([entry]), "x.bib")
    assert ([work.entry.id for work in works], problems) == (["good"], [])


def test_papers_see_which_works_are_disowned(seeded: Library) -> None:
    seeded.disown("0#1", "its data was invented")
    text = seeded.bibtex(["1#41", "0#1", "0#2"])
    assert [each.disowned for each in in_papers(text)] == [True, True, False]


def test_typst_sets_every_seed_as_a_reference(seeded: Library) -> None:
    keys = [entry.id for entry in seeded.all()]
    assert all(CITATION.fullmatch(f"[@{key}]") for key in keys)
    source = '#bibliography("references.bib", full: true)\n' + "".join(f'#cite(label("{key}"));' for key in keys)
    files = {"main.typ": source.encode(), "references.bib": seeded.bibtex(keys).encode()}
    made = typst.compile(files, format="pdf", ignore_system_fonts=True)
    assert made[:5] == b"%PDF-"

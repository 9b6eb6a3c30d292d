"""Verification finds every number that was changed, and says which."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from agents.team import Dossier
from flows.papers import Composed, verify_paper, write_paper
from flows.papers.verify import NUMBER
from templates.template import Template
from tests.papers import sample

DIGIT = re.compile(r"\d")


@pytest.fixture
def published(tmp_path: Path, paper: Composed) -> tuple[Path, dict[str, str]]:
    files = write_paper(tmp_path / "paper", paper)
    return tmp_path / "paper", {name: sha256(data).hexdigest() for name, data in files.items()}


def numbers(source: str) -> Iterator[tuple[str, str, str]]:
    """Every number of the source: its key, what it should say, and the source with one digit of it changed."""
    for match in NUMBER.finditer(source):
        digit = DIGIT.search(source, match.start(2), match.end(2))
        if digit:
            other = str((int(digit.group()) + 1) % 10)
            yield match[1], match[2], source[: digit.start()] + other + source[digit.end() :]


def test_a_paper_as_written_holds(published: tuple[Path, dict[str, str]], paper: Composed) -> None:
    folder, recorded = published
    assert verify_paper(folder, paper, recorded) == []


def test_every_changed_number_is_found_and_named(
    published: tuple[Path, dict[str, str]], paper: Composed, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, recorded = published
    pdf = (folder / "paper.pdf").read_bytes()
    # What the composed source compiles to is the same in every round.
    monkeypatch.setattr("flows.papers.verify.compile_pdf", lambda _: pdf)
    mutations = list(numbers(paper.source))
    assert len(mutations) > 150
    for key, says, mutated in mutations:
        (folder / "paper.typ").write_text(mutated, encoding="utf-8")
        (problem,) = verify_paper(folder, paper, recorded)
        assert f"the journal says {says} ({key})" in problem


def test_the_sentence_names_line_both_numbers_and_the_reference(
    published: tuple[Path, dict[str, str]], paper: Composed
) -> None:
    folder, recorded = published
    right = '#num("claim:k1.estimate", "0.117");'
    line = next(i for i, text in enumerate(paper.source.splitlines(), 1) if right in text)
    wrong = paper.source.replace(right, right.replace("0.117", "0.217"), 1)
    (folder / "paper.typ").write_text(wrong, encoding="utf-8")
    assert verify_paper(folder, paper, recorded) == [
        f"paper.typ line {line}: the paper says 0.217, the journal says 0.117 (claim:k1.estimate)"
    ]


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("paper.typ", "*supported*", "*refuted*"),
        ("paper.typ", "claim:k1.estimate", "claim:k3.estimate"),
        ("figures/differences.svg", "#0072b2", "#0072b3"),
        ("figures/search.json", "0.3", "0.4"),
        ("report.html", "0.117", "0.217"),
        ("layout.typ", "#let cell(key, body) = link(label(key), body)", '#let cell(key, body) = "9"'),
        ("bindings.json", "31877.25", "31877.26"),
        ("references.bib", "1953", "1954"),
    ],
)
def test_a_change_to_any_file_is_found(
    published: tuple[Path, dict[str, str]], paper: Composed, name: str, old: str, new: str
) -> None:
    folder, recorded = published
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    (problem,) = verify_paper(folder, paper, recorded)
    assert problem.startswith(f"{name} line ")


def test_another_pdf_or_a_missing_figure_is_found(published: tuple[Path, dict[str, str]], paper: Composed) -> None:
    folder, recorded = published
    (folder / "paper.pdf").write_bytes(b"%PDF-1.7 swapped")
    (folder / "figures/evidence.svg").unlink()
    assert verify_paper(folder, paper, recorded) == [
        "paper.pdf: the file differs from what the source compiles to",
        "figures/evidence.svg: the file is missing",
    ]


def test_a_paper_rewritten_from_changed_records_is_not_the_published_one(
    published: tuple[Path, dict[str, str]], dossier: Dossier, tiny: Template
) -> None:
    folder, recorded = published
    claim = dossier.claims[0].model_copy(update={"estimate": 0.517})
    changed = sample.composed(dossier.model_copy(update={"claims": (claim, *dossier.claims[1:])}), tiny)
    write_paper(folder, changed)
    problems = verify_paper(folder, changed, recorded)
    assert any(p.startswith("paper.typ: the journal's records no longer lead to") for p in problems)


def test_a_file_the_journal_never_saw_is_named(published: tuple[Path, dict[str, str]], paper: Composed) -> None:
    folder, recorded = published
    del recorded["report.html"]
    recorded["figures/old.svg"] = "0" * 64
    assert verify_paper(folder, paper, recorded) == [
        "figures/old.svg: the journal remembers this file, and its records no longer lead to it",
        "report.html: the journal does not remember this file",
    ]

"""The programs describe themselves, and the page in the documentation lists exactly them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.battery.entries import KIT, PROGRAMS, Entry, entries
from tests.battery.judging import Verdict
from tests.battery.table import programs_in, table

PAGE = Path(__file__).parents[2] / "docs" / "battery.md"
FACTS = {"backend": "docker", "version": "1", "machine": "m", "date": "d"}


def test_there_are_more_than_a_hundred() -> None:
    assert len(entries()) > 100


def test_every_function_that_is_not_marked_serves_one_that_is() -> None:
    """A program without its mark would never run."""
    for path in PROGRAMS.glob("*.py"):
        if path.stem == KIT:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert functions - used <= {entry.name for entry in entries()}


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.name)
def test_a_program_says_what_it_tries_and_what_contains_it(entry: Entry) -> None:
    assert entry.contained_by
    assert entry.tried.endswith(".")
    assert entry.shown.endswith(".")
    assert not re.search(r"secure|safe", f"{entry.tried} {entry.shown}", re.IGNORECASE)


def test_a_header_that_is_no_description_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(
        '@hostile("files", colour="red")\ndef x():\n    """X.\n\n    Contained when y."""\n'
    )
    with pytest.raises(ValueError, match="colour"):
        entries(tmp_path)
    (tmp_path / "bad.py").write_text('@hostile("files")\ndef x():\n    """X."""\n')
    with pytest.raises(ValueError, match="when it is contained"):
        entries(tmp_path)


def test_the_page_lists_exactly_the_programs_that_exist() -> None:
    assert programs_in(PAGE.read_text(encoding="utf-8")) == [entry.name for entry in entries()]


def test_the_page_promises_nothing() -> None:
    assert not re.search(r"secure|safe", PAGE.read_text(encoding="utf-8"), re.IGNORECASE)


def test_a_table_tells_contained_skipped_and_not_contained_apart() -> None:
    first, second, third = entries()[:3]
    page = table(
        [
            Verdict(first, (), "ok | fine", "wall"),
            Verdict(second, ("it reached <x>",), "ok", "wall"),
            Verdict(third, (), "", "", "no network is held"),
        ],
        FACTS,
    )
    assert "| contained | 1 of 2 that were run |" in page
    assert "ok \\| fine |" in page
    assert "**not contained**: it reached &lt;x>" in page
    assert "not run: no network is held" in page
    assert programs_in(page) == [first.name, second.name, third.name]

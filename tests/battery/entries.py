"""The programs of the battery, as their headers describe them. Read from the source; nothing hostile is imported."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from sandboxes.contract import Limits, Outcome, Promise, Record

PROGRAMS = Path(__file__).parent / "programs"
KIT = "attack"
OURS = ("collection", "scoring")


class Entry(Record):
    """One hostile program. What it reaches, leaves or takes is judged from outside wherever it can be.

    `contained_by` names promises, or the parts of hypoloop that answer in every backend. Where `trial` is set the
    program is a candidate that is run and scored, and may come to these outcomes; `metrics` says that the metrics file
    it leaves must be refused. `loose`: it does no harm uncontained, and must then be judged as not contained.
    `enforced`: it is over before anybody who only watches could see it, so the kernel must hold the promises.
    """

    theme: str
    name: str
    tried: str
    shown: str
    contained_by: tuple[Promise | Literal["collection", "scoring"], ...]
    ends: tuple[Outcome, ...] = (Outcome.OK,)
    limit: Promise | None = None
    under: Limits = Limits()
    at_most: Mapping[str, int] = {}
    kept: tuple[str, ...] | None = None
    must: tuple[str, ...] = ()
    most: int | None = None
    refused: Mapping[str, str] = {}
    says: str = ""
    allows: Mapping[str, str] = {}
    trial: tuple[str, ...] = ()
    metrics: bool = False
    loose: bool = False
    enforced: bool = False

    @property
    def promises(self) -> tuple[Promise, ...]:
        """The promises a backend must hold for the program to be contained."""
        return tuple(word for word in self.contained_by if isinstance(word, Promise))


def entries(folder: Path = PROGRAMS) -> tuple[Entry, ...]:
    """Return every program, by theme, in the order of the source.

    Raises:
        ValueError: a header that is no description.
    """
    found = [entry for path in sorted(folder.glob("*.py")) if path.stem != KIT for entry in _of(path)]
    names = [entry.name for entry in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"Two programs have the same name: {', '.join(sorted(twice))}.")
    return tuple(found)


def _of(path: Path) -> list[Entry]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    common = _constant(tree, "CONTAINED")
    programs = [node for node in tree.body if isinstance(node, ast.FunctionDef) and _mark(node) is not None]
    return [_entry(path.stem, node, common) for node in programs]


def _constant(tree: ast.Module, name: str) -> str:
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name:
            return str(ast.literal_eval(node.value))
    return ""


def _mark(node: ast.FunctionDef) -> ast.Call | None:
    for mark in node.decorator_list:
        if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name) and mark.func.id == "hostile":
            return mark
    return None


def _entry(theme: str, node: ast.FunctionDef, common: str) -> Entry:
    mark = _mark(node)
    told: dict[str, Any] = {word.arg or "": ast.literal_eval(word.value) for word in mark.keywords} if mark else {}
    tried, _, shown = (ast.get_docstring(node) or "").partition("\n\n")
    shown = (shown or common).removeprefix("Contained when ").strip()
    if not tried or not shown:
        raise ValueError(f"{theme}.{node.name} must say what it tries and when it is contained.")
    limits = {"wall_s": 20.0, "memory_mb": 256} | told.pop("under", {})
    return Entry(
        theme=theme,
        name=node.name,
        tried=" ".join(tried.split()),
        shown=" ".join(shown.split()),
        contained_by=tuple(ast.literal_eval(word) for word in mark.args) if mark else (),
        under=Limits(**limits),
        **told,
    )

"""What a crash implicates: the functions that a traceback runs through, innermost first, and what they call.

The log is what untrusted code wrote: it is matched against patterns and chooses among files that are there.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple, TypeGuard

from agents.llm.desk import WORKLOAD, parsed

_FRAME = re.compile(r'^ *File "([^"\n]{1,1000})", line (\d{1,7})(?:, in .*)?$', re.MULTILINE)
_PLACE = re.compile(r"(?<![\w.:/])(?:/[^\s/\"'`:,;()<>\[\]]+){2,}/?")
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,16}\b")
_FOREIGN = ("/site-packages/", "/dist-packages/", "/lib/python")
_AROUND, _LONG = 10, 200
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Excerpt(NamedTuple):
    """Lines `first` to `last`, counted from 1, of a file, and why they are shown."""

    path: str
    first: int
    last: int
    why: str


def plain(log: str, files: Mapping[str, str]) -> str:
    """Return a log without what differs from machine to machine: host folders and addresses in memory.

    A path of one of `files` is called by its name there, any other by its last part.
    """

    def named(match: re.Match[str]) -> str:
        place = match.group().rstrip("/")
        return _file_of(place, files) or f".../{place.rpartition('/')[2]}"

    return _ADDRESS.sub("0x...", _PLACE.sub(named, log))


def implicated(log: str, files: Mapping[str, str]) -> tuple[Excerpt, ...]:
    """Return the code that a log's tracebacks run through, innermost first, then what it uses of its own file.

    Empty when no traceback leads into `files`.
    """
    frames = [(path, int(line)) for place, line in _FRAME.findall(log) if (path := _file_of(place, files))]
    crashed = [_around(path, files[path], line) for path, line in dict.fromkeys(reversed(frames))]
    used = [excerpt for found in crashed for excerpt in _used(found, files[found.path])]
    imports = [_imports(path, files[path]) for path in dict.fromkeys(found.path for found in crashed)]
    kept: list[Excerpt] = []
    for excerpt in (*crashed, *used, *imports):
        if excerpt is not None and not any(_within(excerpt, other) for other in kept):
            kept.append(excerpt)
    return tuple(kept)


def code_of(excerpts: tuple[Excerpt, ...], files: Mapping[str, str], cap: int) -> str:
    """Return excerpts as text with line numbers, as many whole ones as fit into `cap` characters, and the first."""
    parts: list[str] = []
    for excerpt in excerpts:
        lines = numbered(files[excerpt.path], excerpt.first, excerpt.last)
        part = f"# {excerpt.path}, lines {excerpt.first} to {excerpt.last}: {excerpt.why}\n{lines}"
        if parts and sum(map(len, parts)) + len(part) > cap:
            break
        parts.append(part)
    return "\n\n".join(parts)[:cap]


def numbered(text: str, first: int, last: int) -> str:
    """Return lines `first` to `last` of a text, counted from 1, each with its number."""
    lines = text.split("\n")[first - 1 : last]
    return "\n".join(f"{number:>4}| {line}" for number, line in enumerate(lines, first))


def outline(files: Mapping[str, str]) -> str:
    """Return what the files define at their top level, with line numbers."""
    parts = []
    for path, text in files.items():
        tree = parsed(text)
        body = [] if isinstance(tree, SyntaxError) else tree.body
        names = [f"{node.lineno:>4}| {', '.join(_bound(node))}" for node in body if _bound(node)]
        parts.append("\n".join([f"# {path}, {_count(text)} lines", *names]))
    return "\n\n".join(parts)


def _file_of(place: str, files: Mapping[str, str]) -> str:
    """Return which of `files` a path of some machine means; empty when none."""
    if place in files:
        return place
    if place.startswith("...") or any(part in place for part in _FOREIGN):
        return ""
    ending = [path for path in files if f"/{place}".endswith(f"/{path.removeprefix(WORKLOAD)}")]
    return max(ending, key=lambda path: len(PurePosixPath(path).parts), default="")


def _around(path: str, text: str, line: int) -> Excerpt:
    """Return the innermost function or class around a line, else its statement; a long one, only near the line."""
    tree, count = parsed(text), _count(text)
    line = min(max(line, 1), count)
    nodes = [] if isinstance(tree, SyntaxError) else [*tree.body, *(n for n in ast.walk(tree) if _defines(n))]
    holding = [node for node in nodes if _first(node) <= line <= _last(node)]
    if holding:
        inner = max(holding, key=_first)
        if _last(inner) - _first(inner) < _LONG:
            return Excerpt(path, _first(inner), _last(inner), f"line {line} is in it")
    return Excerpt(path, max(1, line - _AROUND), min(count, line + _AROUND), f"around line {line}")


def _used(found: Excerpt, text: str) -> Iterator[Excerpt]:
    """Yield the top-level definitions of the file that an excerpt names, in the order of the file."""
    tree = parsed(text)
    if isinstance(tree, SyntaxError):
        return
    inside = [n for n in ast.walk(tree) if found.first <= getattr(n, "lineno", 0) <= found.last]
    names = {n.id for n in inside if isinstance(n, ast.Name)} | {n.attr for n in inside if isinstance(n, ast.Attribute)}
    for node in tree.body:
        shared = [name for name in _bound(node) if name in names]
        if shared:
            yield Excerpt(found.path, _first(node), _last(node), f"{shared[0]} is used there")


def _imports(path: str, text: str) -> Excerpt | None:
    tree = parsed(text)
    if isinstance(tree, SyntaxError):
        return None
    nodes = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    return Excerpt(path, nodes[0].lineno, min(_last(nodes[-1]), nodes[0].lineno + 40), "the imports") if nodes else None


def _bound(node: ast.stmt) -> tuple[str, ...]:
    """Return the names that a top-level statement binds, imports apart."""
    if isinstance(node, _Definition):
        return (node.name,)
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return tuple(n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name))


def _defines(node: ast.AST) -> TypeGuard[_Definition]:
    return isinstance(node, _Definition)


def _first(node: ast.stmt) -> int:
    decorators = node.decorator_list if isinstance(node, _Definition) else []
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _last(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


def _within(excerpt: Excerpt, other: Excerpt) -> bool:
    return excerpt.path == other.path and other.first <= excerpt.first and excerpt.last <= other.last


def _count(text: str) -> int:
    return text.count("\n") + (not text.endswith("\n"))

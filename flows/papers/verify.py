"""Verification: compose the paper from the journal again and name what differs, number by number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path

from flows.papers.material import Composed
from flows.papers.typst import PDF, SOURCE, compile_pdf

NUMBER = re.compile(r'#(?:num|cell|printed)\("([^"]+)", "([^"]*)"\);')


def verify_paper(folder: Path, composed: Composed, recorded: Mapping[str, str]) -> list[str]:
    """Return what is wrong with the paper in `folder`, one sentence each; nothing when it holds.

    `composed` is the paper as the journal leads to it now, `recorded` the SHA-256 of each of its files by name, as
    the journal remembers them.

    Raises:
        CompileFailed: the composed source does not compile.
    """
    expected = {SOURCE: composed.source.encode(), PDF: compile_pdf(composed), **composed.files}
    problems = [*_unexpected(recorded, expected)]
    for name, data in expected.items():
        problems += _file(folder, name, data, recorded.get(name))
    return problems


def _unexpected(recorded: Mapping[str, str], expected: Mapping[str, bytes]) -> Iterator[str]:
    for name in sorted(set(recorded) - set(expected)):
        yield f"{name}: the journal remembers this file, and its records no longer lead to it"


def _file(folder: Path, name: str, expected: bytes, digest: str | None) -> Iterator[str]:
    path = folder / name
    found = path.read_bytes() if path.is_file() else None
    if found is None:
        yield f"{name}: the file is missing"
    elif found != expected:
        yield _difference(name, found, expected)
    if digest is None:
        yield f"{name}: the journal does not remember this file"
    elif digest != sha256(expected).hexdigest():
        yield f"{name}: the journal's records no longer lead to the file that was published (its recorded SHA-256)"


def _difference(name: str, found: bytes, expected: bytes) -> str:
    if name == PDF:
        return f"{name}: the file differs from what the source compiles to"
    theirs = found.decode("utf-8", errors="replace").splitlines()
    ours = expected.decode("utf-8", errors="replace").splitlines()
    for line, (says, should) in enumerate(zip_longest(theirs, ours), start=1):
        if says != should:
            return f"{name} line {line}: {_line(says, should)}"
    return f"{name}: the file differs in its line ends"


def _line(says: str | None, should: str | None) -> str:
    if says is None or should is None:
        return "the file has lines too few" if says is None else "the file has lines too many"
    for ours, theirs in zip_longest(NUMBER.findall(should), NUMBER.findall(says)):
        if ours != theirs and ours and theirs and ours[0] == theirs[0]:
            return f"the paper says {theirs[1]}, the journal says {ours[1]} ({ours[0]})"
    at = next((i for i, (a, b) in enumerate(zip(says, should, strict=False)) if a != b), min(len(says), len(should)))
    return f"the file says {_around(says, at)}, the journal says {_around(should, at)}"


def _around(line: str, at: int) -> str:
    """The words about a place in a long line."""
    start = max(0, at - 20)
    return repr(("…" if start else "") + line[start : at + 30] + ("…" if at + 30 < len(line) else ""))

"""Unified diffs, read and applied as `git apply` does it: strictly, a hunk being looked for where its lines stand.

Text in, text out. What a candidate cannot hold is refused: files that go, renames, copies, modes, links, binary
files. A diff applies whole or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agents.errors import PatchFailed
from agents.llm.desk import Desk, shown

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"\\([0-7]{3}|.)")
_NAMED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_REFUSED = {
    "rename ": "a file is renamed",
    "copy ": "a file is copied",
    "deleted file mode": "a file is removed",
    "old mode": "the mode of a file is changed",
    "Binary files ": "a file is binary",
    "GIT binary patch": "a file is binary",
}
NOTHING = "/dev/null"


@dataclass(frozen=True)
class Hunk:
    """Lines with their ends, before and after; where they begin, counted from 1; whether context closes the hunk."""

    old_start: int
    new_start: int
    before: tuple[str, ...]
    after: tuple[str, ...]
    open_end: bool


@dataclass(frozen=True)
class FileDiff:
    """What a diff does to one file; `new` when it makes it."""

    path: str
    hunks: tuple[Hunk, ...]
    new: bool


def with_diff(desk: Desk, diff: str) -> Desk:
    """Return the desk with a diff applied.

    Raises:
        PatchFailed: it is no unified diff, does what a candidate cannot hold, or does not fit the files.
    """
    found = parse(diff, desk.files)
    for change in found:
        if not change.new:
            desk = desk.with_text(change.path, _applied(desk.text(change.path), change))
        elif change.path in desk.files:
            raise PatchFailed(f"The diff makes {change.path}, which is there already.")
        else:
            desk = desk.with_text(change.path, _applied("", change))
    return desk


def parse(diff: str, known: Mapping[str, str]) -> tuple[FileDiff, ...]:
    """Return the files of a diff; text around them is skipped. `known` are the paths that there are.

    Raises:
        PatchFailed: it is no unified diff, or does what a candidate cannot hold.
    """
    lines = _Lines(diff)
    found = []
    while lines.left():
        if lines.now().startswith("diff --git "):
            found += _git_file(lines, known)
        elif lines.now().startswith("--- ") and lines.after().startswith("+++ "):
            found.append(_plain_file(lines, known))
        elif lines.now().startswith("@@ -"):
            raise PatchFailed(f"Line {lines.number()} of the diff begins a hunk, and no file is named before it.")
        else:
            lines.take()
    if not found:
        raise PatchFailed("There is no change in the diff. Write it as `git diff` does: ---, +++, @@ and lines.")
    return tuple(found)


class _Lines:
    """The lines of a diff with a place in them; a line keeps its end."""

    def __init__(self, text: str) -> None:
        self._lines = _split(text if text.endswith("\n") else f"{text}\n")
        self._at = 0

    def left(self) -> bool:
        return self._at < len(self._lines)

    def now(self) -> str:
        return self._lines[self._at] if self.left() else ""

    def after(self) -> str:
        return self._lines[self._at + 1] if self._at + 1 < len(self._lines) else ""

    def take(self) -> str:
        self._at += 1
        return self._lines[self._at - 1]

    def number(self) -> int:
        return self._at + 1


def _git_file(lines: _Lines, known: Mapping[str, str]) -> list[FileDiff]:
    """Read a file with git's header; nothing when the header is all there is."""
    named, new = lines.take().rstrip("\n").removeprefix("diff --git "), False
    while lines.left() and not lines.now().startswith(("diff --git ", "@@ -")):
        if lines.now().startswith("--- ") and lines.after().startswith("+++ "):
            return [_plain_file(lines, known)]
        line = lines.take()
        for beginning, what in _REFUSED.items():
            if line.startswith(beginning):
                raise PatchFailed(f"The diff cannot be used: {what}. Only texts may change here.")
        if line.startswith("new file mode"):
            if line.split()[-1] != "100644":
                raise PatchFailed("The diff cannot be used: a new file must be a plain one, of mode 100644.")
            new = True
    return [FileDiff(_both_named(named), (), new=True)] if new else []


def _plain_file(lines: _Lines, known: Mapping[str, str]) -> FileDiff:
    old, new = (_path(lines.take()[4:]) for _ in range(2))
    if new == NOTHING:
        raise PatchFailed("The diff cannot be used: a file is removed. Only texts may change here.")
    hunks = tuple(_hunks(lines))
    if not hunks:
        raise PatchFailed(f"The diff names {shown(new)} and has no hunk for it.")
    before, after = (path if path == NOTHING else _stripped(path, known) for path in (old, new))
    fresh = old == NOTHING or (hunks[0].old_start == 0 and after not in known)
    if not fresh and before != after:
        raise PatchFailed("The diff cannot be used: a file is renamed. Only texts may change here.")
    return FileDiff(after, hunks, new=fresh)


def _hunks(lines: _Lines) -> Iterator[Hunk]:
    while lines.now().startswith("@@ -"):
        number = lines.number()
        header = _HUNK.match(lines.take())
        if header is None:
            raise PatchFailed(f"Line {number} of the diff is no hunk header: write `@@ -start,count +start,count @@`.")
        old_start, old_count, new_start, new_count = (int(group or 1) for group in header.groups())
        before, after, open_end = _body(lines, number, old_count, new_count)
        yield Hunk(old_start, new_start, before, after, open_end)


def _body(lines: _Lines, number: int, old: int, new: int) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """Read the lines of a hunk; True when its last line is context."""
    before: list[str] = []
    after: list[str] = []
    last = ""
    while len(before) < old or len(after) < new:
        line = lines.take() if lines.left() else "end"
        kind = " " if line == "\n" else line[0]
        content = "\n" if line == "\n" else line[1:]
        if kind == "\\":
            _without_end(before, after, last)
            continue
        if kind not in " -+" or (kind in " -" and len(before) == old) or (kind in " +" and len(after) == new):
            raise PatchFailed(
                f"The hunk at line {number} of the diff does not have the lines that its header counts: "
                f"it says {old} before and {new} after."
            )
        last = kind
        if kind in " -":
            before.append(content)
        if kind in " +":
            after.append(content)
    if lines.now().startswith("\\"):
        lines.take()
        _without_end(before, after, last)
    if lines.now()[:1] in ("+", "-", " ") and not lines.now().startswith(("--- ", "-- ")):
        raise PatchFailed(f"The hunk at line {number} of the diff has more lines than its header counts.")
    return tuple(before), tuple(after), last == " "


def _without_end(before: list[str], after: list[str], last: str) -> None:
    r"""Take the line end from the line before `\ No newline at end of file`."""
    for side, kinds in ((before, " -"), (after, " +")):
        if side and last and last in kinds:
            side[-1] = side[-1].removesuffix("\n")


def _applied(text: str, change: FileDiff) -> str:
    """Return the text after the hunks, one after the other; none may touch what an earlier one wrote."""
    lines = _split(text)
    patched = [False] * len(lines)
    for number, hunk in enumerate(change.hunks, 1):
        place = _found(lines, patched, hunk)
        if place is None:
            raise PatchFailed(
                f"Hunk {number} of the diff does not fit {change.path}: its lines are not there as they are written. "
                "Read the file and copy the context exactly."
            )
        end = place + len(hunk.before)
        lines[place:end] = hunk.after
        patched[place:end] = [True] * len(hunk.after)
    return "".join(lines)


def _found(lines: Sequence[str], patched: Sequence[bool], hunk: Hunk) -> int | None:
    """Return where the hunk fits: at its own place, else at the nearest to it, later before earlier."""
    count, size = len(hunk.before), len(lines)
    first, final = hunk.old_start <= 1, not hunk.open_end
    start = max(hunk.new_start - 1, 0)
    if first:
        start = 0
    elif final:
        start = size - count if size >= count else size
    for place in _outwards(min(start, size), size):
        end = place + count
        if (first and place) or (final and end != size) or end > size or any(patched[place:end]):
            continue
        if tuple(lines[place:end]) == hunk.before:
            return place
    return None


def _outwards(start: int, size: int) -> Iterator[int]:
    yield start
    for distance in range(1, size + 1):
        if start + distance <= size:
            yield start + distance
        if start - distance >= 0:
            yield start - distance


def _path(text: str) -> str:
    """Return the path of a `---` or `+++` line, unquoted, without the time that may follow it."""
    quoted = _QUOTED.match(text)
    return _unquoted(quoted.group(1)) if quoted else text.split("\t")[0].rstrip("\r\n")


def _unquoted(text: str) -> str:
    """Undo git's quoting: C escapes, octal ones for the bytes of UTF-8."""

    def plain(match: re.Match[str]) -> str:
        code = match.group(1)
        return chr(int(code, 8)) if len(code) == 3 else _NAMED.get(code, code)

    raw = _ESCAPE.sub(plain, text)
    try:
        return raw.encode("latin-1").decode()
    except UnicodeError:
        return raw


def _stripped(path: str, known: Mapping[str, str]) -> str:
    """Return a path without its first folder, which git calls a/ or b/; with it, where only that is known."""
    short = path.partition("/")[2]
    return path if path in known and short not in known else (short or path)


def _both_named(named: str) -> str:
    """Return the path of a `diff --git a/X b/X` line that is followed by no other."""
    quoted = _QUOTED.match(named)
    first = _unquoted(quoted.group(1)) if quoted else named[: len(named) // 2]
    return first.partition("/")[2]


def _split(text: str) -> list[str]:
    """Return lines with their ends; only a line feed ends a line."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)

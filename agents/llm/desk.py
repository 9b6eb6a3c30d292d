"""The desk: a candidate's editable files in memory. Text in, text out; nothing outside the editable paths exists on it.

An edit that cannot be made raises `PatchFailed` with a sentence for who asked, and the desk is as it was.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from agents.errors import PatchFailed
from agents.syntax import parsed as tree_of
from templates.template import Template

WORKLOAD = "workload/"
FILE_CHARACTERS = 200_000
FILES = 64
_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


@dataclass(frozen=True)
class Desk:
    """`files` maps editable paths to texts; `editable` are the template's patterns of what may be there."""

    files: Mapping[str, str]
    editable: tuple[str, ...]

    @classmethod
    def of(cls, template: Template, files: Mapping[str, str]) -> Desk:
        """Lay `files` on a desk.

        Raises:
            PatchFailed: one of them is not editable.
        """
        desk = cls(dict(files), template.manifest.editable)
        for path in files:
            desk.require_editable(path)
        return desk

    def text(self, path: str) -> str:
        """Return a file.

        Raises:
            PatchFailed: it is not on the desk.
        """
        if path not in self.files:
            raise PatchFailed(f"There is no editable file {shown(path)}. There are: {', '.join(sorted(self.files))}.")
        return self.files[path]

    def with_text(self, path: str, text: str) -> Desk:
        """Return the desk with a file that holds `text`, new or changed.

        Raises:
            PatchFailed: nothing may be written there, or no file may hold this.
        """
        self.require_editable(path)
        if path not in self.files:
            self._require_place(path)
        if len(text) > FILE_CHARACTERS:
            raise PatchFailed(f"{path} would hold {len(text)} characters; a file may hold {FILE_CHARACTERS}.")
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
            raise PatchFailed(f"{path} would hold characters that no text file may hold.")
        return replace(self, files={**self.files, path: text})

    def with_replaced(self, path: str, old: str, new: str) -> Desk:
        """Return the desk with the one place of a file that reads `old` replaced by `new`.

        Raises:
            PatchFailed: `old` is empty, is not there, or is there more than once.
        """
        text = self.text(path)
        if not old:
            raise PatchFailed("`old` is empty. Give the exact text to replace, or use write for a whole file.")
        places = [text.count("\n", 0, place) + 1 for place in _places(text, old)]
        if not places:
            raise PatchFailed(
                f"`old` is not in {path}. Read the lines again and copy them exactly, without the line numbers."
            )
        if len(places) > 1:
            lines = ", ".join(str(line) for line in places[:10])
            raise PatchFailed(f"`old` is in {path} {len(places)} times (lines {lines}). Add lines around it.")
        return self.with_text(path, text.replace(old, new, 1))

    def changes(self, before: Mapping[str, str]) -> dict[str, str]:
        """Return the files that differ from `before`, sorted by path."""
        return {path: text for path, text in sorted(self.files.items()) if before.get(path) != text}

    def fault(self, before: Mapping[str, str]) -> str:
        """Say why this desk is no patch of `before`; empty when it is one."""
        changes = self.changes(before)
        if not changes:
            return "Nothing is changed yet."
        for path, text in changes.items():
            if wrong := syntax_fault(path, text):
                return wrong
        if all(path in before and _same_code(path, text, before[path]) for path, text in changes.items()):
            return "Only comments or layout are changed, so the program would do what it did before."
        return ""

    def require_editable(self, path: str) -> None:
        """Check that the template lets `path` change.

        Raises:
            PatchFailed: it does not.
        """
        if not path.startswith(WORKLOAD) or not any(matches(path, pattern) for pattern in self.editable):
            allowed = ", ".join(self.editable)
            raise PatchFailed(f"{shown(path)} is not editable: only {allowed} may change. Nothing was changed.")

    def _require_place(self, path: str) -> None:
        parts = path.split("/")
        if not all(_SEGMENT.fullmatch(part) for part in parts):
            raise PatchFailed(f"{shown(path)} is no name for a new file here: use letters, digits, `_`, `-` and `.`.")
        below = any(other.startswith(f"{path}/") for other in self.files)
        if below or any("/".join(parts[:depth]) in self.files for depth in range(1, len(parts))):
            raise PatchFailed(f"{shown(path)} cannot be both a file and a folder.")
        if len(self.files) >= FILES:
            raise PatchFailed(f"There are {FILES} files already, and no more may be added.")


def matches(path: str, pattern: str) -> bool:
    """Say whether a path matches a pattern segment by segment; `**` stands for any number of folders."""

    def fits(parts: tuple[str, ...], globs: tuple[str, ...]) -> bool:
        if not globs:
            return not parts
        if globs[0] == "**":
            return any(fits(parts[skip:], globs[1:]) for skip in range(len(parts) + 1))
        return bool(parts) and fnmatchcase(parts[0], globs[0]) and fits(parts[1:], globs[1:])

    parts = tuple(path.split("/"))
    return not {"", ".", ".."} & set(parts) and fits(parts, tuple(pattern.split("/")))


def shown(path: str) -> str:
    """Return a path that somebody made up so that it can stand in a sentence."""
    return ascii(path[:120])


def parsed(text: str) -> ast.Module | SyntaxError:
    """Return the tree of a Python module, or what is wrong with it."""
    try:
        return tree_of(text)
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError) as error:
        return SyntaxError(f"it is too deep or too odd to parse ({type(error).__name__})")


def syntax_fault(path: str, text: str) -> str:
    """Say why a Python file does not parse; empty when it does, or is none."""
    tree = parsed(text) if path.endswith(".py") else None
    if not isinstance(tree, SyntaxError):
        return ""
    line = f" at line {tree.lineno}" if tree.lineno else ""
    return f"{path} is not valid Python{line}: {tree.msg}."


def _same_code(path: str, text: str, before: str) -> bool:
    """Whether two texts are one program apart from comments and layout."""
    if not path.endswith(".py"):
        return False
    new, old = parsed(text), parsed(before)
    if isinstance(new, SyntaxError) or isinstance(old, SyntaxError):
        return False
    try:
        return ast.dump(new) == ast.dump(old)
    except RecursionError:
        # Nested too deeply to be compared; whether it does anything, the run tells.
        return False


def _places(text: str, wanted: str) -> Iterator[int]:
    """Yield where `wanted` begins, overlapping places too."""
    place = text.find(wanted)
    while place >= 0:
        yield place
        place = text.find(wanted, place + 1)

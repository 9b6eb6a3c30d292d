"""Syntax trees, one at a time: CPython 3.11 counts the depth of all threads' trees together and fails when they mix."""

from __future__ import annotations

import ast
from threading import Lock

_PARSING = Lock()


def parsed(text: str) -> ast.Module:
    """Return the tree of a Python source; threads may call it.

    Raises:
        SyntaxError: it is none.
        ValueError: it holds a null byte.
    """
    with _PARSING:
        return ast.parse(text)

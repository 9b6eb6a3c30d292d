"""Words that came from elsewhere, made fit for a terminal."""

from __future__ import annotations


def visible(text: str) -> str:
    """Return `text` with what would steer a terminal, or hide or reorder words, written as an escape."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)

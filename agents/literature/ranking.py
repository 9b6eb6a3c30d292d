"""Ranking: which works are about a text, by their words and by their vectors."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

POOL = 100
"""How many works each of the two rankings may bring in."""
TERMS = 64
FUSION = 60
"""Reciprocal rank fusion: a work's score is the sum of 1 / (60 + rank) (Cormack, Clarke and Buettcher, 2009)."""
SIMILAR = 0.12
"""Cosine up to which two texts have no more in common than any two."""
BATCH = 512


def terms(text: str) -> str:
    """Return a full-text query for any of the words of `text`; nothing in it is read as an operator."""
    clean = text.encode("utf-8", "ignore").decode("utf-8")
    words = dict.fromkeys(word.casefold() for word in re.findall(r"[^\W_]+", clean))
    return " OR ".join(f'"{word}"' for word in list(words)[:TERMS])


def lexical(connection: sqlite3.Connection, text: str) -> list[str]:
    """Return ids by their words (BM25; a word in the title counts four times), best first."""
    query = terms(text)
    if not query:
        return []
    rows = connection.execute(
        "SELECT entry.id FROM words JOIN entry ON entry.number = words.rowid WHERE words MATCH ?"
        " ORDER BY bm25(words, 4.0, 1.0, 1.0, 0.5), entry.id LIMIT ?",
        (query, POOL),
    )
    return [row[0] for row in rows]


def similar(connection: sqlite3.Connection, embedding: str, point: NDArray[np.float32]) -> list[tuple[str, float]]:
    """Return ids with the cosine of their vectors to `point`, shape (d,), nearest first."""
    rows = connection.execute(
        "SELECT entry.id, vector.point FROM vector JOIN entry USING (number)"
        " WHERE vector.embedding = ? AND length(vector.point) = ?",
        (embedding, point.nbytes),
    )
    near: list[tuple[str, float]] = []
    while batch := rows.fetchmany(BATCH):
        points = np.frombuffer(b"".join(row[1] for row in batch), dtype=np.float32).reshape(len(batch), -1)
        near += ((row[0], float(c)) for row, c in zip(batch, points @ point, strict=True) if c > SIMILAR)
        near = sorted(near, key=lambda each: (-each[1], each[0]))[:POOL]
    return near


def fused(rankings: Sequence[Sequence[str]]) -> list[tuple[str, float]]:
    """Return ids with their fused scores, best first, ties by id."""
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, each in enumerate(ranking, start=1):
            scores[each] = scores.get(each, 0.0) + 1 / (FUSION + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))

"""Novelty: how near a text is to others, by shared words and by embeddings that need no download."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.literature.embedding import Embedding, HashedNgrams

STEM = 6
"""Letters of a word that count for the overlap: enough to tell words apart, few enough to join their forms."""


@dataclass(frozen=True)
class Likeness:
    """How alike each of n texts is to each of m others: two arrays of shape (n, m), from 0 to 1.

    `cosine` is that of the embeddings, `overlap` the share of common words (Jaccard).
    """

    cosine: NDArray[np.float64]
    overlap: NDArray[np.float64]


def likeness(
    texts: Sequence[str], others: Sequence[str], common: str = "", embedding: Embedding | None = None
) -> Likeness:
    """Compare each text to each other one. Words of `common`, which all of them share by their subject, do not count.

    Without an `embedding` it is that of hashed n-grams, which needs no model.
    """
    shape = (len(texts), len(others))
    if not all(shape):
        return Likeness(np.zeros(shape), np.zeros(shape))
    left, right = ([_bare(text, common) for text in some] for some in (texts, others))
    embed = (embedding or HashedNgrams()).embed
    cosine = np.clip(embed(left) @ embed(right).T, 0.0, 1.0).astype(np.float64)
    sets = [[{_stem(word) for word in text.split()} for text in some] for some in (left, right)]
    return Likeness(cosine, np.array([[_jaccard(a, b) for b in sets[1]] for a in sets[0]]))


def novelty(text: str, others: Sequence[str], common: str = "") -> float:
    """Return 1 minus the cosine to the nearest of `others`; 1 when there are none."""
    return round(1.0 - float(likeness([text], others, common).cosine.max(initial=0.0)), 4)


def diversity(texts: Sequence[str], common: str = "") -> float | None:
    """Return the mean of 1 minus the cosine over all pairs of texts; None for fewer than two."""
    if len(texts) < 2:
        return None
    upper = np.triu_indices(len(texts), k=1)
    return float(1.0 - likeness(texts, texts, common).cosine[upper].mean())


def _bare(text: str, common: str) -> str:
    """Return the words of a text that carry its meaning, in order."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    left_out = {_stem(word) for word in _words(common)}
    return " ".join(w for w in _words(text) if w not in ENGLISH_STOP_WORDS and _stem(w) not in left_out)


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def _stem(word: str) -> str:
    return word.rstrip("s")[:STEM]


def _jaccard(a: set[str], b: set[str]) -> float:
    return len(a & b) / len(a | b) if a | b else 0.0

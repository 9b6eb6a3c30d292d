"""Embeddings: texts as points, near each other when the texts are about the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 2048


class Embedding(Protocol):
    """Turns texts into vectors. `name` changes whenever the vectors do: those of two names are never compared."""

    @property
    def name(self) -> str:
        """What the vectors are stored under."""
        ...

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row of length 1 for each text, zero for a text of no words: shape (n, d)."""
        ...


class HashedNgrams:
    """Hashed word and character n-grams: the same everywhere, with nothing to download or to fit.

    Words and pairs of words (English stop words apart) and the runs of 4 and 5 characters within words are each hashed
    with signs (Weinberger et al., 2009), damped by log(1 + count), brought to length 1 and added.
    """

    name = f"hashed-ngrams-{DIMENSIONS}-1"

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row of length 1 for each text, zero for a text of no words: shape (n, 2048)."""
        if not texts:
            return np.zeros((0, DIMENSIONS), dtype=np.float32)
        from sklearn.feature_extraction.text import HashingVectorizer

        shape: dict[str, Any] = {"n_features": DIMENSIONS, "norm": None, "dtype": np.float32}
        words = HashingVectorizer(ngram_range=(1, 2), stop_words="english", **shape)
        parts = HashingVectorizer(ngram_range=(4, 5), analyzer="char_wb", **shape)
        return _unit(_unit(_damped(words, texts)) + _unit(_damped(parts, texts)))


def _damped(vectorizer: Any, texts: Sequence[str]) -> NDArray[np.float32]:
    counts = vectorizer.transform(texts).toarray()
    return cast("NDArray[np.float32]", np.copysign(np.log1p(np.abs(counts)), counts))


def _unit(rows: Any) -> NDArray[np.float32]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return cast("NDArray[np.float32]", rows / np.where(lengths > 0, lengths, np.float32(1)))

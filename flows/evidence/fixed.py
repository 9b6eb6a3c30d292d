"""Fixed-sample tests of paired differences, for comparison in benchmarks and reports. No verdict rests on them.

Each takes differences of shape `[..., n]`, signed so that up is better, and returns one-sided p-values of shape `[...]`
against "no improvement". Each holds its level for one look at a sample size fixed beforehand, and no longer than that:
looked at again and again, all of them reject too often.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from flows.evidence.eprocess import Floats, checked

Zeros = Literal["wilcox", "pratt", "zsplit"]

_CHUNK = 1024
"""Flips at a time."""


def paired_t(d: ArrayLike) -> Floats:
    """Student's t for the mean; exact for independent normal differences. Without any spread the sign decides.

    Raises:
        DifferencesInvalid: a difference is not a finite number.
    """
    from scipy.stats import t as student

    values = checked(d, 1.0, 0.0)
    n = values.shape[-1]
    mean, spread = values.mean(axis=-1), values.std(axis=-1, ddof=1)
    statistic = np.where(spread > 0, mean / np.where(spread > 0, spread, 1.0) * np.sqrt(n), np.copysign(np.inf, mean))
    found: Floats = np.asarray(student.sf(np.where(mean == 0, 0.0, statistic), n - 1))
    return found


def wilcoxon(d: ArrayLike, zeros: Zeros = "wilcox") -> Floats:
    """Wilcoxon's signed ranks for the centre of symmetry; exact for independent, symmetric differences without ties.

    Zero differences are left out ("wilcox", Wilcoxon 1945), ranked and left out, or split. All zeros give one.

    Raises:
        DifferencesInvalid: a difference is not a finite number.
    """
    from scipy.stats import wilcoxon as signed_rank

    values = checked(d, 1.0, 0.0)
    nothing = (values == 0).all(axis=-1)
    asked = np.where(nothing[..., None], 1.0, values)
    found = np.asarray(signed_rank(asked, axis=-1, alternative="greater", zero_method=zeros).pvalue)
    return np.where(nothing, 1.0, found)


def sign_flip(d: ArrayLike, rng: np.random.Generator, resamples: int = 9999) -> Floats:
    """Sign-flip permutation of the mean; exact for symmetric differences.

    All 2**n flips where they are no more than `resamples`, else as many at random, the same for every sample, with the
    sample itself counted among them. Source: Fisher (1935), "The Design of Experiments", section 21.

    Raises:
        DifferencesInvalid: a difference is not a finite number.
    """
    values = checked(d, 1.0, 0.0)
    n = values.shape[-1]
    everything = n < 60 and 2**n <= resamples
    observed = values.sum(axis=-1, keepdims=True)
    # Sums of the same numbers in another order count as equal.
    bar = observed - 1e-12 * np.abs(values).sum(axis=-1, keepdims=True)
    reached = np.zeros(values.shape[:-1])
    total = 2**n if everything else resamples
    for start in range(0, total, _CHUNK):
        count = min(_CHUNK, total - start)
        bits = (
            (np.arange(start, start + count)[:, None] >> np.arange(n)) & 1
            if everything
            else rng.integers(2, size=(count, n))
        )
        reached += (values @ (2.0 * bits - 1.0).T >= bar).sum(axis=-1)
    found: Floats = reached / total if everything else (reached + 1.0) / (total + 1.0)
    return found

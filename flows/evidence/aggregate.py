"""Several tasks at once: a mean that outliers do not move, its interval, and how often one side beats the other.

Scores have shape `[runs, tasks]`: one column per task (a template, an instance, a condition), one row per seed; scores
of different tasks must be on one scale. Few runs per task are usual, so the interval resamples runs within each task.

Source: Agarwal, Schwarzer, Castro, Courville, Bellemare (2021), "Deep reinforcement learning at the edge of the
statistical precipice".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from flows.evidence.eprocess import Floats
from flows.evidence.errors import DifferencesInvalid


@dataclass(frozen=True)
class Bootstrap:
    """How an interval is drawn: `repeats` resamples, between the percentiles that leave `alpha` outside."""

    repeats: int = 2000
    alpha: float = 0.05


def interquartile_mean(scores: ArrayLike) -> float:
    """Return the mean of the middle half of all scores, runs and tasks pooled.

    The lowest and the highest quarter, rounded down, are left out.

    Raises:
        DifferencesInvalid: scores are no `[runs, tasks]` of finite numbers.
    """
    pooled = np.sort(_scores(scores), axis=None)
    cut = pooled.size // 4
    return float(pooled[cut : pooled.size - cut].mean())


def probability_of_improvement(ours: ArrayLike, theirs: ArrayLike) -> float:
    """Return the chance that a run of ours beats a run of theirs on a task drawn at random; ties count half.

    It is the mean over the tasks of Mann and Whitney's U, divided by the number of pairs of runs.

    Raises:
        DifferencesInvalid: either is no `[runs, tasks]` of finite numbers, or the tasks differ in number.
    """
    one, other = _scores(ours), _scores(theirs)
    if one.shape[1] != other.shape[1]:
        raise DifferencesInvalid(f"{one.shape[1]} tasks cannot be held against {other.shape[1]}; both sides need all.")
    above = one[:, None, :] > other[None, :, :]
    level = one[:, None, :] == other[None, :, :]
    return float((above + 0.5 * level).mean())


def stratified_bootstrap(
    statistic: Callable[..., float], *scores: ArrayLike, rng: np.random.Generator, by: Bootstrap | None = None
) -> tuple[float, float]:
    """Return the percentile interval of `statistic(*scores)`, runs being resampled within each task.

    Every argument in `scores`, shape `[runs, tasks]`, is resampled by itself. The interval is approximate, for a fixed
    number of runs: it describes, and no verdict rests on it.

    Raises:
        DifferencesInvalid: scores are no `[runs, tasks]` of finite numbers.
    """
    by = by or Bootstrap()
    samples = [_scores(each) for each in scores]
    drawn = [statistic(*(_resampled(each, rng) for each in samples)) for _ in range(by.repeats)]
    lo, hi = np.quantile(drawn, [by.alpha / 2, 1 - by.alpha / 2])
    return float(lo), float(hi)


def _resampled(scores: Floats, rng: np.random.Generator) -> Floats:
    chosen = rng.integers(scores.shape[0], size=scores.shape)
    return np.take_along_axis(scores, chosen, axis=0)


def _scores(scores: ArrayLike) -> Floats:
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 2 or values.size == 0 or not np.isfinite(values).all():
        raise DifferencesInvalid("Scores must be a table of finite numbers, one row per run and one column per task.")
    return values

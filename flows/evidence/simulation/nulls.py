"""Nulls: ways for nothing to work, from the well-behaved to the ones that break textbook tests."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from flows.evidence.eprocess import Floats

Draw = Callable[[np.random.Generator, tuple[int, int]], Floats]

CENTRE, MEDIAN, MEAN, IID, NORMAL = "centre", "median", "mean", "iid", "normal"


@dataclass(frozen=True)
class Null:
    """Differences `[m, n]` without an improvement, and in what sense: `true` says what holds of each, given the past.

    `centre`: symmetric about zero; `median`: above zero at most every other time; `mean`: no more than zero on
    average; `iid`: independent and alike; `normal`. `bound` is the largest difference that can be, where there is one.
    """

    name: str
    draw: Draw
    true: frozenset[str]
    bound: float | None = None


def nulls() -> tuple[Null, ...]:
    """Return all of them."""
    symmetric, alike = {CENTRE, MEDIAN, MEAN}, {CENTRE, MEDIAN, MEAN, IID}
    return (
        _null("normal", lambda rng, size: rng.standard_normal(size), alike | {NORMAL}),
        _null(
            "Student t, 2 degrees of freedom",
            lambda rng, size: np.asarray(rng.standard_t(2, size), dtype=np.float64),
            alike,
        ),
        _null("Cauchy", lambda rng, size: rng.standard_cauchy(size), {CENTRE, MEDIAN, IID}),
        _null("ties: whole numbers from -2 to 2", _ties, alike, 2.0),
        _null("successes and failures", _successes, alike, 1.0),
        _null("spread grows a hundredfold", _drifting, symmetric),
        _null("spread follows the pair before", _bursts, symmetric),
        _null("skewed up, mean zero (exponential)", lambda rng, size: -_losses(rng, size), {MEDIAN, MEAN, IID}),
        _null("skewed down, mean zero (exponential)", _losses, {MEAN, IID}),
        _null("skewed down, mean zero (lognormal)", _lognormal, {MEAN, IID}),
        _null("rare catastrophes, mean zero", _catastrophes, {MEAN, IID}, 1.0),
        _null("skewed up, median zero (exponential)", _median_zero, {MEDIAN, IID}),
        _null("rare windfalls, median zero", _windfalls, {MEDIAN, IID}, 1.0),
    )


def _null(name: str, draw: Draw, true: set[str], bound: float | None = None) -> Null:
    return Null(name, draw, frozenset(true), bound)


def _ties(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    return rng.integers(-2, 3, size).astype(np.float64)


def _successes(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    return rng.choice([-1.0, 0.0, 1.0], size, p=[0.3, 0.4, 0.3])


def _drifting(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    return rng.standard_normal(size) * np.geomspace(0.1, 10.0, size[1])


def _bursts(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    """Each pair spreads as widely as the last one went, so that large ones come in runs."""
    noise, last = rng.standard_normal(size), np.ones(size[0])
    for pair in range(size[1]):
        noise[:, pair] *= 0.3 + 0.9 * last
        last = np.abs(noise[:, pair])
    return noise


def _losses(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    return np.asarray(1.0 - rng.exponential(size=size), dtype=np.float64)


def _lognormal(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    return math.exp(0.5) - np.exp(rng.standard_normal(size))


def _catastrophes(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    """A small gain nineteen times in twenty, and a loss that eats all of them."""
    return np.where(rng.random(size) < 0.05, -0.95, 0.05) + rng.uniform(-0.02, 0.02, size)


def _median_zero(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    return rng.exponential(size=size) - math.log(2.0)


def _windfalls(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    """Nothing but noise about zero, and a large gain now and then, made up for by small losses."""
    d = np.where(rng.random(size) < 0.1, 0.9, 0.0) + rng.uniform(-0.1, 0.1, size)
    return np.where((d < 0.5) & (rng.random(size) < 0.12), -np.abs(d), d)

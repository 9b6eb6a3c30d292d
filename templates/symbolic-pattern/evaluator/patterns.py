"""Sequences of shape-colour tokens, and hidden rules: predicates joined by AND.

A token is one number, 4 x shape + colour; shapes 0 to 3 stand for ▲ ■ ● ◆ and colours 0 to 3 for r g b y.
"""

from __future__ import annotations

from itertools import permutations
from typing import NamedTuple

import numpy as np

GLYPHS = 4
PALETTES = np.array(list(permutations(range(GLYPHS))), dtype=np.uint8)
POOL = 16_384
LOWEST_RATE, HIGHEST_RATE, LOWEST_JOINT_RATE = 0.06, 0.65, 0.006


class Predicate(NamedTuple):
    """One condition on a sequence. What `glyph` and `value` mean depends on the kind, see `holds`."""

    kind: str
    of_shapes: bool
    glyph: int
    value: int


def glyphs(tokens: np.ndarray, of_shapes: bool) -> np.ndarray:
    """Return the shapes, or else the colours, of `tokens`."""
    return tokens // GLYPHS if of_shapes else tokens % GLYPHS


def complexity(tokens: np.ndarray, of_shapes: bool) -> np.ndarray:
    """Return how many different shapes (or colours) each row of `tokens` has, 1 to 4."""
    return (glyphs(tokens, of_shapes)[:, :, None] == np.arange(GLYPHS)).any(axis=1).sum(axis=1)


def sequences(rng: np.random.Generator, count: int, length: int) -> np.ndarray:
    """Return random sequences, shape (count, length), each over a palette of 1 to 4 shapes and 1 to 4 colours.

    Where shapes are many, colours are mostly few. So accuracies weighted by the one and by the other can disagree.
    """
    shapes = rng.integers(1, GLYPHS + 1, size=count)
    colours = np.where(rng.random(count) < 0.75, GLYPHS + 1 - shapes, rng.integers(1, GLYPHS + 1, size=count))
    tokens = np.zeros((count, length), dtype=np.uint8)
    for size, scale in ((shapes, GLYPHS), (colours, 1)):
        palette = rng.integers(len(PALETTES), size=(count, 1))
        chosen = (rng.random((count, length), dtype=np.float32) * size[:, None]).astype(np.uint8)
        tokens += scale * PALETTES[palette, chosen]
    return tokens


def holds(predicate: Predicate, tokens: np.ndarray) -> np.ndarray:
    """Return for each sequence whether it fulfils `predicate`.

    count: exactly `value` tokens have the glyph. position: token `value` has it. parity: the number of tokens that have
    it leaves the remainder `value`. order: it occurs, and before the first glyph `value`, which occurs too.
    """
    seen = glyphs(tokens, predicate.of_shapes)
    is_glyph = seen == predicate.glyph
    if predicate.kind == "count":
        return is_glyph.sum(axis=1) == predicate.value
    if predicate.kind == "position":
        return is_glyph[:, predicate.value]
    if predicate.kind == "parity":
        return is_glyph.sum(axis=1) % 2 == predicate.value
    other = seen == predicate.value
    return is_glyph.any(axis=1) & other.any(axis=1) & (is_glyph.argmax(axis=1) < other.argmax(axis=1))


def draw_rule(rng: np.random.Generator, kinds: tuple[str, ...], length: int) -> tuple[Predicate, ...]:
    """Return one predicate per kind; none too rare or too common, no two about the same thing."""
    sample = sequences(rng, POOL // 8, length)
    while True:
        rule = tuple(_draw_predicate(rng, kind, length) for kind in kinds)
        rates = np.array([holds(predicate, sample) for predicate in rule])
        single = rates.mean(axis=1)
        usual = single.min() >= LOWEST_RATE and single.max() <= HIGHEST_RATE
        apart = len({_subject(predicate) for predicate in rule}) == len(rule)
        if usual and apart and rates.all(axis=0).mean() >= LOWEST_JOINT_RATE:
            return rule


def labelled(
    rng: np.random.Generator, rule: tuple[Predicate, ...], count: int, length: int, most_missed: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Return `count` different sequences in random order and whether `rule` accepts them, half of them each.

    A rejected sequence misses one predicate, or up to `most_missed`; and as many rejected as accepted ones have a given
    number of different shapes, so that nothing but the rule tells them apart.
    """
    accepted = rejected = np.zeros((0, length), dtype=np.uint8)
    half = count // 2
    while True:
        pool = sequences(rng, POOL, length)
        missed = sum((~holds(predicate, pool)).astype(np.int64) for predicate in rule)
        accepted = _varied_first(_unique(accepted, pool[missed == 0]))
        rejected = _unique(rejected, pool[(missed > 0) & (missed <= most_missed)][:count])
        shapes = complexity(rejected, of_shapes=True)
        wanted = np.bincount(complexity(accepted[:half], of_shapes=True), minlength=GLYPHS + 1)
        if len(accepted) >= half and (np.bincount(shapes, minlength=GLYPHS + 1) >= wanted).all():
            break
    alike = np.concatenate([np.flatnonzero(shapes == size)[:need] for size, need in enumerate(wanted)])
    order = rng.permutation(2 * half)
    return np.concatenate([accepted[:half], rejected[alike]])[order], (np.arange(2 * half) < half)[order]


def _draw_predicate(rng: np.random.Generator, kind: str, length: int) -> Predicate:
    glyph, other = (int(number) for number in rng.choice(GLYPHS, size=2, replace=False))
    if kind == "count":
        return Predicate(kind, True, glyph, int(rng.integers(1, length // 2)))
    if kind == "position":
        return Predicate(kind, False, glyph, int(rng.integers(length)))
    if kind == "parity":
        return Predicate(kind, bool(rng.integers(2)), glyph, int(rng.integers(2)))
    return Predicate(kind, True, glyph, other)


def _subject(predicate: Predicate) -> tuple[object, ...]:
    """Return what two predicates of one rule may not share: an exact count, say, settles the parity."""
    if predicate.kind == "position":
        return ("position", predicate.value)
    return ("order",) if predicate.kind == "order" else (predicate.of_shapes, predicate.glyph)


def _varied_first(tokens: np.ndarray) -> np.ndarray:
    """Return the rows so ordered that the first of them have all numbers of shapes equally often, while they last."""
    shapes = complexity(tokens, of_shapes=True)
    turn = np.zeros(len(tokens), dtype=np.int64)
    for size in range(1, GLYPHS + 1):
        turn[shapes == size] = np.arange((shapes == size).sum())
    return tokens[np.argsort(turn, kind="stable")]


def _unique(first: np.ndarray, more: np.ndarray) -> np.ndarray:
    """Return the different rows of both, each where it came first."""
    rows = np.ascontiguousarray(np.concatenate([first, more]))
    keys = rows.view(np.dtype((np.void, rows.shape[1]))).ravel()
    return rows[np.sort(np.unique(keys, return_index=True)[1])]

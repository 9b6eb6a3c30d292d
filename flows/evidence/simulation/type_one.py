"""How often each method sees an improvement that is not there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flows.evidence import fixed
from flows.evidence.eprocess import Floats
from flows.evidence.location import Kind, Location
from flows.evidence.simulation.nulls import CENTRE, IID, MEAN, MEDIAN, NORMAL, Null, nulls
from flows.evidence.simulation.sections import Section, Share, Table

ALPHA = 0.05
FIRST_PEEK = 3

Rejects = Callable[[Floats, Null], NDArray[np.bool_] | None]
"""Differences `[m, n]` -> which rows the method takes for an improvement; None where it cannot be applied."""


@dataclass(frozen=True)
class Method:
    """A method, what must be true of a null for it to hold its level, and whether it may look after every pair."""

    name: str
    rejects: Rejects
    needs: frozenset[str]


def methods(rng: np.random.Generator) -> tuple[Method, ...]:
    """Return ours, which look after every pair, then those that look once, then one that should not look again."""
    return (
        Method("centre, any look", _ours("centre"), frozenset({CENTRE})),
        Method("median, any look", _ours("median"), frozenset({MEDIAN})),
        Method("mean, any look", _ours("mean"), frozenset({MEAN})),
        Method("paired t, one look", lambda d, _: _small(fixed.paired_t(d)), frozenset({NORMAL, IID})),
        Method("Wilcoxon, one look", lambda d, _: _small(_once(fixed.wilcoxon, d)), frozenset({CENTRE, IID})),
        Method(
            "sign flips, one look",
            lambda d, _: _small(_once(lambda rows: fixed.sign_flip(rows, rng), d)),
            frozenset({CENTRE}),
        ),
        Method("paired t, peeking", lambda d, _: np.asarray(peeking(d).any(axis=-1)), frozenset({"nothing"})),
    )


def peeking(d: Floats) -> NDArray[np.bool_]:
    """Return, shape `[m, n]`, where a t-test that looks after every pair from the third would stop with success."""
    looks = [_small(fixed.paired_t(d[:, :n])) for n in range(FIRST_PEEK, d.shape[1] + 1)]
    return np.stack([np.zeros(len(d), dtype=np.bool_)] * (FIRST_PEEK - 1) + looks, axis=-1)


def type_one(rng: np.random.Generator, repeats: int) -> Section:
    """Run every method on every null, with few pairs and with twenty."""
    asked = methods(rng)
    tables = tuple(_table(asked, rng, repeats, pairs) for pairs in (6, 20))
    return Section(
        "Seeing what is not there",
        f"The share of {repeats} samples without an improvement in which a method claims one at the level {ALPHA}. "
        "Ours look after every pair and stop when it suits them; the tests of the textbook look once, at the end; the "
        "last column is what happens when they look after every pair too. **Bold** where the method promises its "
        "level for that null; elsewhere the figure says what breaking its assumption costs. A dash: not applicable, "
        "the mean needs a metric with a declared range. Intervals are exact binomial, 95 %.",
        tables,
        _findings(asked, tables),
    )


def _table(asked: tuple[Method, ...], rng: np.random.Generator, repeats: int, pairs: int) -> Table:
    rows = []
    for null in nulls():
        d = null.draw(rng, (repeats, pairs))
        rows.append((null.name, *(_cell(method, null, d) for method in asked)))
    return Table(f"{pairs} pairs", ("null", *(method.name for method in asked)), tuple(rows))


def _cell(method: Method, null: Null, d: Floats) -> str:
    rejected = method.rejects(d, null)
    if rejected is None:
        return "-"
    share = Share(int(rejected.sum()), len(d))
    return f"**{share}**" if method.needs <= null.true else str(share)


def _findings(asked: tuple[Method, ...], tables: tuple[Table, ...]) -> tuple[str, ...]:
    """Say of each method how its promise fared: in how many promised cells the whole interval lies above the level."""
    said = []
    for column, method in enumerate(asked, start=1):
        cells = [row[column] for table in tables for row in table.rows]
        promised = [cell.strip("*") for cell in cells if cell.startswith("**")]
        broken = [cell for cell in promised if float(cell.partition("[")[2].partition(",")[0]) > ALPHA]
        worst = max((float(cell.strip("*").split()[0]) for cell in cells if cell != "-"), default=0.0)
        held = f"promise held in {len(promised) - len(broken)} of {len(promised)} cells" if promised else "no promise"
        said.append(f"{method.name}: {held}; largest rate anywhere {worst:.3f}.")
    return tuple(said)


def _ours(kind: Kind) -> Rejects:
    def rejects(d: Floats, null: Null) -> NDArray[np.bool_] | None:
        if kind == "mean" and null.bound is None:
            return None
        best = Location(kind, 1.0, null.bound).e_values(d).max(axis=-1)
        return np.asarray(best >= 1.0 / ALPHA)

    return rejects


def _small(p: Floats) -> NDArray[np.bool_]:
    return np.asarray(p <= ALPHA)


def _once(test: Callable[[Floats], Floats], d: Floats) -> Floats:
    """Apply a test that does not mind the order once to every distinct sample: ties make many of them alike."""
    rows, where = np.unique(np.sort(d, axis=-1), axis=0, return_inverse=True)
    found: Floats = test(rows)[where.ravel()]
    return found

"""Tournament: ideas compared pair by pair, each pair in both orders, and rated by what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, zip_longest
from math import fsum
from typing import Literal

import numpy as np
from pydantic import Field

from agents.asking import Answer
from agents.errors import AnswerInvalid, ModelRefused
from agents.llm.settings import Elo
from agents.records import Record

START = 1000.0
"""Rating of whoever has not been compared."""


class Judgement(Answer):
    """What a judge says of two that it was shown, one after the other."""

    reason: str = Field(default="", max_length=2000)
    better: Literal["first", "second", "equal"]


Judge = Callable[[int, int], Judgement]
"""Compares two entrants by their numbers, in the order in which they are shown."""


class Match(Record):
    """One pair, judged as `pair` and with its places swapped: who won each time (None: equal) and the reasons.

    `failed` says why there was no judgement; then the match counts for nothing.
    """

    pair: tuple[int, int]
    winner: int | None = None
    swapped: int | None = None
    reasons: tuple[str, ...] = ()
    failed: str = ""

    @property
    def consistent(self) -> bool:
        """Whether the judge said the same of the pair in both orders."""
        return self.winner == self.swapped

    @property
    def score(self) -> float:
        """What the first of the pair gets, from 0 to 1; a judge who contradicts itself gives a half to each."""
        points = (0.5 if w is None else float(w == self.pair[0]) for w in (self.winner, self.swapped))
        return sum(points) / 2


class Tournament(Record):
    """Who met whom and how it ended. Numbers name `entrants`; `ratings` are theirs, 1000 for one that met nobody.

    `order` is best first, ties by lot. `inconsistency` is the share of judged pairs of which the judge said one thing
    in one order and another in the other; None when nothing was judged.
    """

    entrants: tuple[str, ...]
    matches: tuple[Match, ...]
    ratings: tuple[float, ...]
    order: tuple[int, ...]
    inconsistency: float | None


def compete(
    entrants: Sequence[str], groups: Sequence[Sequence[int]], judge: Judge, rules: Elo, rng: np.random.Generator
) -> Tournament:
    """Let the members of each group meet, at most `rules.comparisons` pairs in all and no pair twice.

    The schedule, drawn with `rng`, gives all members of a group as many matches as each other, give or take one.

    Raises:
        ModelBudgetSpent: a cap does not allow the next comparison.
        ModelUnavailable: the judge cannot be reached.
    """
    schedules = [list(_round_robin([group[i] for i in rng.permutation(len(group))])) for group in groups]
    lot = rng.permutation(len(entrants))
    mixed = (pair for pairs in zip_longest(*schedules) for pair in pairs if pair is not None)
    matches = _all_played(list(islice(mixed, rules.comparisons)), judge, rules.parallel)
    judged = [match for match in matches if not match.failed]
    ratings = rate(len(entrants), judged, rules)
    return Tournament(
        entrants=tuple(entrants),
        matches=matches,
        ratings=ratings,
        order=tuple(sorted(range(len(entrants)), key=lambda i: (-ratings[i], int(lot[i])))),
        inconsistency=sum(not match.consistent for match in judged) / len(judged) if judged else None,
    )


def rate(n: int, matches: Sequence[Match], rules: Elo) -> tuple[float, ...]:
    """Return Elo ratings of `n` entrants, rounded to a millionth, the same in whatever order the matches are given.

    In each round every match is counted with the ratings at the round's start, and the sum of what it won is added.
    """
    ratings = [START] * n
    for _ in range(rules.rounds):
        won: list[list[float]] = [[] for _ in range(n)]
        for match in matches:
            first, second = match.pair
            expected = 1.0 / (1.0 + 10.0 ** ((ratings[second] - ratings[first]) / 400.0))
            won[first].append(match.score - expected)
            won[second].append(expected - match.score)
        ratings = [rating + rules.k * fsum(mine) for rating, mine in zip(ratings, won, strict=True)]
    return tuple(round(rating, 6) for rating in ratings)


def _all_played(pairs: Sequence[tuple[int, int]], judge: Judge, parallel: int) -> tuple[Match, ...]:
    if parallel == 1:
        return tuple(_played(pair, judge) for pair in pairs)
    with ThreadPoolExecutor(parallel) as threads:
        return tuple(threads.map(lambda pair: _played(pair, judge), pairs))


def _played(pair: tuple[int, int], judge: Judge) -> Match:
    first, second = pair
    try:
        straight, turned = judge(first, second), judge(second, first)
    except (ModelRefused, AnswerInvalid) as error:
        return Match(pair=pair, failed=str(error))
    return Match(
        pair=pair,
        winner={"first": first, "second": second}.get(straight.better),
        swapped={"first": second, "second": first}.get(turned.better),
        reasons=(straight.reason, turned.reason),
    )


def _round_robin(members: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield every pair once, round by round, in each of which everybody meets at most one other (circle method)."""
    circle: list[int | None] = [*members, None] if len(members) % 2 else list(members)
    for _ in range(len(circle) - 1):
        for a, b in zip(circle[: len(circle) // 2], reversed(circle), strict=False):
            if a is not None and b is not None:
                yield a, b
        circle.insert(1, circle.pop())

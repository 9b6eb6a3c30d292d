"""Racing at the screen: seeds go to the candidates that may still earn a plan, within a declared budget.

The screen runs in heats. Everybody gets the seeds of the first; after each heat, in this order,

- out: whose upper bound (mean + patience x standard error) is below its least effect, or who crashed;
- passed: whose lower bound (mean - standard error) reaches its least effect; further seeds would tell nothing new;
- the rest goes on to the next heat. Where the budget cannot carry all of it, the worst by mean are out, as in
  successive rejects; where it cannot carry anybody, and after the last heat, whoever is left with a gain has passed.

Few seeds know little of their spread, so a candidate's variance is shrunk towards that of the candidates beside it,
which counts as `PRIOR` seeds. A race proves nothing and promises nothing: what it passes is confirmed on fresh seeds,
what it drops was never tested. Patience was chosen by simulation, so that few candidates are dropped whose effect is
twice their least effect and one spread: `docs/evidence.md` says how many.

Sources: Maron and Moore (1994), "Hoeffding races"; Audibert, Bubeck, Munos (2010), "Best arm identification in
multi-armed bandits" (successive rejects); Karnin, Koren, Somekh (2013), "Almost optimal exploration in multi-armed
bandits" (successive halving).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from flows.evidence.eprocess import Floats
from flows.evidence.errors import DifferencesInvalid

PRIOR = 2.0
"""How many seeds the spread of the candidates beside it is worth against a candidate's own."""

NO_RESULT = "gave no result on a screen seed"
NOT_IN_SIGHT = "its least effect is out of sight"
NO_GAIN = "no gain after the last heat"
NO_BUDGET = "better ones used up the screen's budget"

Seen = Mapping[str, Sequence[float] | None]
"""Candidate -> paired differences so far, in the order of the screen seeds; None when it crashed."""


@dataclass(frozen=True)
class Race:
    """How a screen is raced: seeds run after each heat, patience in each, executions in all, the baseline's included.

    Without a budget every heat is carried out for everybody who is left.
    """

    heats: tuple[int, ...] = (3, 6, 9)
    patience: tuple[float, ...] = (1.75, 1.5, 0.75)
    budget: int | None = None

    @classmethod
    def of(cls, first: int, budget: int | None = None) -> Race:
        """Return the race whose first heat has `first` seeds, and each further one as many again."""
        return cls(heats=(first, 2 * first, 3 * first), budget=budget)


@dataclass(frozen=True)
class Heat:
    """What is next: `goes_on` run until each has `seeds` differences; who `passed`; who is `dropped`, and why."""

    seeds: int
    goes_on: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    dropped: Mapping[str, str] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether nobody needs a further seed."""
        return not self.goes_on


def next_heat(race: Race, seen: Seen, least_effects: Mapping[str, float]) -> Heat:
    """Return the next heat of a screen, replayed from all differences so far, shape `[seeds]` per candidate.

    Ask again once everybody in `goes_on` has run. The answer follows from what was seen alone: the place of one that
    crashed goes to the next best.

    Raises:
        DifferencesInvalid: a difference is no finite number, or heats and patience do not fit each other.
    """
    going = {name: np.asarray(d, dtype=np.float64) for name, d in seen.items() if d is not None}
    _check(race, going)
    dropped = {name: NO_RESULT for name, differences in seen.items() if differences is None}
    passed: list[str] = []
    spent = before = 0
    for seeds, patience in zip(race.heats, race.patience, strict=True):
        places = _places(race, spent, seeds - before, len(going))
        if places == 0 and before:
            break
        ranked = sorted(going, key=lambda name: -float(going[name][:before].mean())) if before else list(going)
        dropped |= dict.fromkeys(ranked[places:], NO_BUDGET)
        going = {name: d for name, d in going.items() if name in ranked[:places]}
        if any(d.size < seeds for d in going.values()):
            return Heat(seeds, tuple(going), tuple(passed), dropped)
        spent, before = spent + (len(going) + 1) * (seeds - before), seeds
        out, sure = _sorted_out({name: d[:seeds] for name, d in going.items()}, patience, least_effects)
        passed += sure
        dropped |= dict.fromkeys(out, NOT_IN_SIGHT)
        going = {name: d for name, d in going.items() if name not in (*out, *sure)}
    gains = [name for name, d in going.items() if d[:before].mean() > 0]
    dropped |= {name: NO_GAIN for name in going if name not in gains}
    return Heat(before, (), (*passed, *gains), dropped)


def _check(race: Race, going: Mapping[str, Floats]) -> None:
    if len(race.patience) != len(race.heats) or list(race.heats) != sorted(set(race.heats)) or race.heats[0] < 2:
        raise DifferencesInvalid(f"Heats must rise from two seeds on, with a patience for each, unlike {race}.")
    if not all(np.isfinite(d).all() for d in going.values()):
        raise DifferencesInvalid("The paired differences of a screen must be finite numbers.")


def _places(race: Race, spent: int, step: int, asked: int) -> int:
    """Return for how many candidates, and the baseline beside them, `step` more seeds can be paid."""
    return asked if race.budget is None else min(asked, max((race.budget - spent) // step - 1, 0))


def _sorted_out(
    going: Mapping[str, Floats], patience: float, least_effects: Mapping[str, float]
) -> tuple[list[str], list[str]]:
    """Return who is out and who has passed, from differences of one length."""
    pooled = float(np.mean([d.var(ddof=1) for d in going.values()])) if going else 0.0
    out, sure = [], []
    for name, d in going.items():
        own = (PRIOR * pooled + (d.size - 1) * float(d.var(ddof=1))) / (PRIOR + d.size - 1)
        error, mean = math.sqrt(own / d.size), float(d.mean())
        if mean + patience * error < least_effects[name]:
            out.append(name)
        elif mean - error >= least_effects[name]:
            sure.append(name)
    return out, sure

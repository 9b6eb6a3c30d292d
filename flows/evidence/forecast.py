"""Before a plan is frozen: what it can find, how likely, and at what price, by playing its very rule through.

The paired differences are imagined normal with the spread seen at the screen (clipped to the range where the mean of a
bounded metric is claimed). That is an assumption of the forecast alone: no verdict depends on it. The noise is drawn
from a fixed seed, the same for every plan, so a forecast is a function of the plan.

Three effects matter. The least effect: below one chance in two of being supported there, the plan is labelled
underpowered (with few pairs that is the rule, for the mean must also reach the least effect). The likely effect: half
of what the screen saw, because what was picked for looking good shrinks by about half when it is repeated (Open
Science Collaboration 2015), and never less than twice the least effect. The best case: all that the screen saw. A
plan that fails even then, nine times in ten, is not worth its level and is refused.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from agents.records import Forecast, Plan
from flows.evidence.eprocess import Floats
from flows.evidence.location import Kind, Location
from flows.evidence.rule import Ending, Walked, walk

HOPELESS = 0.1
"""Chance of support in the best case below which a plan is refused."""

REACH = 0.9
"""Chance of support at the effect that a plan can be trusted to find."""

DRAWS = 300
SEED = 20_100


class Hopes(NamedTuple):
    """The effects a plan is held against: what is likely, and the best that the screen leaves to hope for."""

    likely: float
    best: float

    @classmethod
    def of(cls, least_effect: float, seen: float) -> Hopes:
        """Return the hopes for an idea whose screen saw the effect `seen`."""
        return cls(max(2.0 * least_effect, seen / 2.0), max(2.0 * least_effect, seen))


def forecast(plan: Plan, effect: float) -> Forecast:
    """Return what to expect of `plan` if its effect is `effect`, the least effect, or none.

    Powers are shares of `DRAWS` simulated plans (standard error at most 0.03), pairs are means over them.
    """
    if plan.deterministic:
        return Forecast(
            effect=effect, power=1.0, power_least=1.0, expected_pairs=1.0, pairs_null=1.0, underpowered=False
        )
    likely, least, null = (_played(plan, each) for each in (effect, plan.least_effect, 0.0))
    return Forecast(
        effect=effect,
        power=likely.share(Ending.SUPPORTED),
        power_least=least.share(Ending.SUPPORTED),
        expected_pairs=float(likely.n.mean()),
        pairs_null=float(null.n.mean()),
        underpowered=least.share(Ending.SUPPORTED) < 0.5,
    )


def power(plan: Plan, effect: float) -> float:
    """Return the chance that `plan` is supported if its effect is `effect`."""
    return 1.0 if plan.deterministic else _played(plan, effect).share(Ending.SUPPORTED)


def aim_of(plan: Plan) -> float:
    """Return the effect that `plan` should not give up lightly.

    That is twice the least effect, or what the plan finds nine times in ten when it runs to its last pair, whichever
    is larger: to wait for less than it can find would be to spend pairs on nothing.
    """
    location = Location.of(plan)
    bound = None if location.bound is None else location.bound / plan.scale
    reach = plan.scale * _reach(location.kind, bound, plan.level, len(plan.seeds))
    aim = max(2.0 * plan.least_effect, reach)
    return aim if location.bound is None or location.kind != "mean" else min(aim, 0.999 * location.bound)


def _played(plan: Plan, effect: float) -> Walked:
    """Walk the plan's rule over imagined pairs; what does not bear on the rule is left out, so that it is done once."""
    idle: dict[str, object] = {
        "id": "p",
        "idea": "",
        "candidate": "",
        "comparator": "",
        "rule": "",
        "metric": "",
        "varies": (),
    }
    idle |= {"fixed": (), "ablations": (), "forecast": None, "deviations": (), "seeds": tuple(range(len(plan.seeds)))}
    return _walked(plan.model_copy(update=idle), effect)


@lru_cache(maxsize=256)
def _walked(plan: Plan, effect: float) -> Walked:
    return walk(plan, _differences(Location.of(plan), effect, len(plan.seeds)))


def _differences(location: Location, effect: float, pairs: int) -> Floats:
    """Return imagined differences, shape `[DRAWS, pairs]`."""
    d = effect + location.scale * _noise(pairs)
    return d if location.bound is None else np.clip(d, -location.bound, location.bound)


@lru_cache(maxsize=32)
def _noise(pairs: int) -> Floats:
    noise = np.random.default_rng(SEED).standard_normal((DRAWS, pairs))
    noise.setflags(write=False)
    return noise


@lru_cache(maxsize=1024)
def _reach(kind: Kind, bound: float | None, level: float, pairs: int) -> float:
    """Return the effect, in spreads, whose e-value reaches 1 / `level` within `pairs` with probability `REACH`.

    By bisection over the same noise; infinite where even eight spreads do not.
    """
    location = Location(kind, 1.0, bound)

    def found(effect: float) -> bool:
        return (
            float((location.e_values(_differences(location, effect, pairs)).max(axis=-1) >= 1 / level).mean()) >= REACH
        )

    lo, hi = 0.0, 8.0
    if not found(hi):
        return math.inf
    for _ in range(7):
        middle = (lo + hi) / 2.0
        lo, hi = (lo, middle) if found(middle) else (middle, hi)
    return hi

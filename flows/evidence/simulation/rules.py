"""The studies on single plans: what giving up costs, and what each location asks for."""

from __future__ import annotations

import numpy as np

from agents.records import Plan
from flows.evidence.eprocess import Floats, pairs_needed
from flows.evidence.location import Kind
from flows.evidence.plan import FUTILITY
from flows.evidence.rule import Ending, walk
from flows.evidence.simulation.campaigns import ALPHA, LEAST_EFFECT, MOST_PAIRS
from flows.evidence.simulation.sections import Section, Share, Table

EFFECTS = (-0.5, 0.0, 0.5, 0.75, 1.0, 1.5, 2.0)
AIM = 2.0 * LEAST_EFFECT
PLANS = 8
WIDTH = 4.0
"""Width of the metric's range, in spreads, where the mean is claimed."""


def giving_up(rng: np.random.Generator, repeats: int) -> Section:
    """What a plan gives away, in power, and what it saves, in pairs, by giving up what is not in sight."""
    noise = rng.standard_normal((repeats, MOST_PAIRS))
    rows = []
    for futility in (0.0, 0.02, FUTILITY, 0.1, 0.2):
        plan = _plan("centre", futility)
        rows.append((f"{futility:g}", *(_cell(plan, effect + noise) for effect in EFFECTS)))
    return Section(
        "Giving up",
        f"One plan of up to {MOST_PAIRS} pairs at the level {ALPHA} / {PLANS}, least effect {LEAST_EFFECT} and aim "
        f"{AIM:g} spreads, {repeats} times. Each cell: the share supported, and the mean number of pairs. A plan is "
        "given up when the e-value against its aim reaches 1 / futility and nothing else is under way; whatever "
        "symmetric noise there is, an effect of the aim or more is given up with probability futility at the most. The "
        f"default is {FUTILITY:g}.",
        (Table("", ("futility", *(f"effect {effect:g}" for effect in EFFECTS)), tuple(rows)),),
    )


def locations(rng: np.random.Generator, repeats: int) -> Section:
    """What centre, median and mean ask for, where all three are true: normal differences."""
    noise = rng.standard_normal((repeats, MOST_PAIRS))
    kinds: tuple[Kind, ...] = ("centre", "median", "mean")
    rows = tuple(
        (kind, *(_cell(_plan(kind, FUTILITY), _clipped(effect + noise)) for effect in EFFECTS)) for kind in kinds
    )
    return Section(
        "Centre, median, mean",
        "The same plan with each location, on normal differences, where they coincide: the price of assuming less. The "
        f"mean is that of a metric whose range is {WIDTH:g} spreads wide. The narrower its range beside the "
        "differences, the cheaper it is; where differences are a few hundredths of the range, no number of pairs in "
        "reach excludes that a rare loss eats the gain, and the plan is refused.",
        (Table("", ("location", *(f"effect {effect:g}" for effect in EFFECTS)), rows),),
    )


def _plan(kind: Kind, futility: float) -> Plan:
    first = pairs_needed(max(ALPHA, futility))
    return Plan(
        id="p1",
        idea="i1",
        candidate="c1",
        comparator="c0",
        metric="gain",
        maximize=True,
        least_effect=LEAST_EFFECT,
        seeds=tuple(range(MOST_PAIRS)),
        looks=tuple(range(first, MOST_PAIRS + 1)),
        alpha=ALPHA,
        level=ALPHA / PLANS,
        scale=1.0,
        rule="as registered",
        location=kind,
        range=(0.0, WIDTH) if kind == "mean" else None,
        aim=AIM,
        futility=futility,
    )


def _clipped(d: Floats) -> Floats:
    return np.clip(d, -WIDTH, WIDTH)


def _cell(plan: Plan, d: Floats) -> str:
    walked = walk(plan, d)
    hits = int((walked.share(Ending.SUPPORTED) * len(d)) + 0.5)
    return f"{Share(hits, len(d)).value:.3f} in {walked.n.mean():.1f}"

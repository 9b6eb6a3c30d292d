"""Analyst: turns outcomes into lessons that change what is proposed next."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist

from agents.records import Lesson
from agents.team import Tried
from templates.template import Template

CERTAIN = 0.98
"""No screen of a few seeds may push a belief beyond this, nor below one minus this."""
CRASHED = 0.05
"""Belief in factors whose candidate did not run: they may help once somebody mends them."""
VERDICT_ODDS = {"supported": 20.0, "refuted": 1 / 20}
"""What a verdict on held-out data does to the odds. An inconclusive one leaves them as they are."""
SURE = 0.8

SAYS = {
    "helps": "{what} helps: its gain probably reaches a size that matters",
    "hurts": "{what} hurts: its loss probably reaches a size that matters",
    "inert": "{what} makes no difference of a size that matters",
    "crash": "{what} did not run to its end, so nothing is known about its effect",
    "unclear": "{what} remains unclear: the screen cannot tell its effect from chance",
    "overturned": "{what} gained at the screen",
}
VERDICT_SAYS = {
    "supported": ", and the registered test on held-out data supports it",
    "refuted": ", and what was registered about it was refuted on held-out data",
    "inconclusive": ", and the registered test on held-out data could not decide",
}


def interpret(template: Template, round_: int, tried: Sequence[Tried]) -> tuple[Lesson, ...]:
    """Return one lesson for each idea of round `round_`; what was tried before only serves to compare.

    The belief is the probability that the true effect is at least half the least effect of interest, d/2, from a
    normal model: the prior of the effect is N(d/2, d^2), which makes an untried factor an even bet; the screen's mean
    difference e has variance q = s^2/n, with s the spread of the paired differences and n the template's number of
    screen seeds, floored at (d/4)^2 because a few seeds may agree by accident. Then

        belief = Phi((e - d/2) d / sqrt(q (q + d^2)))

    and the probability of harm is the same with -e for e. A verdict multiplies the odds (`VERDICT_ODDS`).
    """
    latest = {frozenset(t.idea.factors): t for t in tried if t.idea.factors}
    return tuple(_lesson(template, t, latest) for t in latest.values() if t.idea.round == round_)


def beliefs(template: Template, tried: Tried) -> tuple[float, float]:
    """Return the probabilities that the factors help and that they hurt, by the formula of `interpret`."""
    if tried.effect is None:
        return 0.5, 0.5
    least = template.manifest.metric.least_effect
    seeds = template.manifest.seeds.screen
    # Without a spread the screen is taken to be as uncertain as the prior.
    variance = least**2 if tried.spread is None else tried.spread**2 / seeds
    variance = max(variance, (least / 4) ** 2)
    scale = least / sqrt(variance * (variance + least**2))
    helps, hurts = (NormalDist().cdf((sign * tried.effect - least / 2) * scale) for sign in (1.0, -1.0))
    return _bounded(helps), _bounded(hurts)


def _lesson(template: Template, tried: Tried, latest: dict[frozenset[str], Tried]) -> Lesson:
    helps, hurts = beliefs(template, tried)
    kind = _kind(tried, helps, hurts)
    belief = CRASHED if kind == "crash" else _updated(helps, tried.outcome)
    # A gain at the screen that a test or a challenge overturned: the change may gain, but not as registered.
    gained = kind == "unclear" and tried.outcome == "refuted"
    says = SAYS["overturned" if gained else kind].format(what=_quoted(tried)) + VERDICT_SAYS.get(tried.outcome, "")
    part = _better_part(tried, latest)
    if part is not None:
        says += f"; it did no better than {_quoted(part)} without the rest"
    return Lesson(
        id="",
        round=tried.idea.round,
        kind=kind,
        statement=f"{says}.",
        factors=tried.idea.factors,
        belief=round(belief, 4),
    )


def _kind(tried: Tried, helps: float, hurts: float) -> str:
    if tried.outcome == "crashed":
        return "crash"
    if tried.outcome == "supported":
        return "helps"
    if tried.effect is None:
        return "unclear"
    if tried.outcome == "refuted":
        return "hurts" if hurts > 0.5 else "unclear" if helps > SURE else "inert"
    if max(helps, hurts) >= SURE:
        return "helps" if helps > hurts else "hurts"
    return "inert" if max(helps, hurts) <= 1 - SURE else "unclear"


def _quoted(tried: Tried) -> str:
    return f"\N{LEFT DOUBLE QUOTATION MARK}{tried.idea.title}\N{RIGHT DOUBLE QUOTATION MARK}"


def _updated(belief: float, outcome: str) -> float:
    odds = belief / (1 - belief) * VERDICT_ODDS.get(outcome, 1.0)
    return _bounded(odds / (1 + odds))


def _bounded(probability: float) -> float:
    return min(max(probability, 1 - CERTAIN), CERTAIN)


def _better_part(tried: Tried, latest: dict[frozenset[str], Tried]) -> Tried | None:
    """Return the best tried proper part of a combination that did at least as well as the whole."""
    whole = frozenset(tried.idea.factors)
    if tried.effect is None:
        return None
    parts = [t for factors, t in latest.items() if factors < whole and t.effect is not None]
    best = max(parts, key=lambda t: t.effect or 0.0, default=None)
    return best if best is not None and best.effect is not None and best.effect >= tried.effect else None

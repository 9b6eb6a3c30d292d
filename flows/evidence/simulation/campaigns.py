"""Simulated campaigns: twenty candidates whose true effects are known, judged by hypoloop's own code and by others.

Nothing here stands in for the product: plans are frozen by `freeze`, levels granted by e-LOND, pairs judged by
`decide`, screens raced by `next_heat`. Only the executions are imagined, as numbers in units of the spread of paired
differences. A plan that is supported counts as settled at once, which lends later plans the most.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agents.records import Candidate, Idea, Plan, Verdict
from flows.evidence import fixed
from flows.evidence.decide import decide
from flows.evidence.eprocess import Floats
from flows.evidence.errors import PlanRefused
from flows.evidence.plan import Register, Rules, freeze
from flows.evidence.racing import Race, next_heat
from flows.evidence.savings import FIXED_PAIRS
from flows.evidence.screen import Screened, screened
from flows.evidence.simulation.type_one import FIRST_PEEK, peeking
from templates.manifest import Seeds

ALPHA = 0.05
LEAST_EFFECT = 0.5
MOST_PAIRS = 40
SCREEN_SEEDS = 9
BASELINE = Candidate(id="c0", idea=None, commit="0", parent=None, branch="main")


@dataclass(frozen=True)
class Campaign:
    """One campaign's imagined differences, up is better, in spreads: `[candidates, seeds]` each.

    `screen` shares the baseline's runs between candidates, as a screen does; `confirm` has fresh ones for each.
    """

    effects: Floats
    screen: Floats
    confirm: Floats

    @property
    def real(self) -> NDArray[np.bool_]:
        """Which candidates are better than the baseline."""
        return self.effects > 0


@dataclass(frozen=True)
class Result:
    """What came of a campaign under one method, `[candidates]`: who was claimed, who was confirmed, at what price."""

    claimed: NDArray[np.bool_]
    confirmed: NDArray[np.bool_]
    executions: int


Conduct = Callable[[Campaign], Result]


@dataclass(frozen=True)
class Ours:
    """Hypoloop's conduct: everybody gets a plan, or the screen decides who does.

    `race` races the screen; else `screen` seeds are spent on everybody, none without a screen.
    """

    pairs: int = MOST_PAIRS
    horizon: int = 20
    screen: int = 0
    race: Race | None = None
    futility: float | None = None
    rules: Rules = field(init=False)

    def __post_init__(self) -> None:
        rules = Rules(ALPHA, self.horizon, {"gain": True}, Seeds(confirm=self.pairs))
        if self.futility is not None:
            rules = Rules(ALPHA, self.horizon, {"gain": True}, rules.seeds, futility=self.futility)
        object.__setattr__(self, "rules", rules)

    def __call__(self, campaign: Campaign) -> Result:
        """Screen, freeze, decide, one plan after the other, the best of the screen first."""
        chosen, executions = self._finalists(campaign)
        plans: list[Plan] = []
        found: set[str] = set()
        claimed, confirmed = np.zeros((2, len(campaign.effects)), dtype=np.bool_)
        for index, seen in chosen[: self.horizon]:
            register = Register(plans, found, range(1, SCREEN_SEEDS + 1))
            try:
                plan = freeze(self.rules, register, *_named(index), BASELINE, seen)
            except PlanRefused:
                continue
            decision = decide(plan, list(campaign.confirm[index, : self.pairs]))
            plans.append(plan)
            confirmed[index] = True
            executions += 2 * decision.n
            if decision.verdict is Verdict.SUPPORTED:
                found.add(plan.id)
                claimed[index] = True
        return Result(claimed, confirmed, executions)

    def _finalists(self, campaign: Campaign) -> tuple[list[tuple[int, Screened | float]], int]:
        """Return who gets a plan, in order, with what the screen saw, and the executions of the screen."""
        if self.race is not None:
            seen, executions = raced(self.race, campaign.screen)
        elif self.screen:
            seen = {k: screened(list(d), LEAST_EFFECT) for k, d in enumerate(campaign.screen[:, : self.screen])}
            executions = self.screen * (len(seen) + 1)
        else:
            return [(index, 1.0) for index in range(len(campaign.effects))], 0
        best_first = sorted(seen, key=lambda index: -(seen[index].effect or 0.0))
        return [(index, seen[index]) for index in best_first if seen[index].passed], executions


def raced(race: Race, screen: Floats) -> tuple[dict[int, Screened], int]:
    """Race a screen of differences `[candidates, seeds]`; return what was seen of each, and the executions used."""
    names = [str(index) for index in range(len(screen))]
    ran = dict.fromkeys(names, 0)
    least = dict.fromkeys(names, LEAST_EFFECT)
    while not (heat := next_heat(race, {k: list(screen[int(k), :n]) for k, n in ran.items()}, least)).over:
        ran |= dict.fromkeys(heat.goes_on, heat.seeds)
    seen = {}
    for name, count in ran.items():
        d = screen[int(name), :count]
        spread = float(d.std(ddof=1)) if count > 1 else 0.0
        seen[int(name)] = Screened(float(d.mean()) if count else None, spread, name in heat.passed)
    return seen, sum(ran.values()) + max(ran.values())


def _named(index: int) -> tuple[Idea, Candidate]:
    idea = Idea(
        id=f"i{index}",
        round=1,
        title="",
        statement="",
        mechanism="",
        metric="gain",
        least_effect=LEAST_EFFECT,
        by="none",
    )
    return idea, Candidate(id=f"c{index + 1}", idea=idea.id, commit=str(index + 1), parent="0", branch="")


def imagined(rng: np.random.Generator, effects: Sequence[float]) -> Campaign:
    """Return a campaign whose candidates have these effects, in spreads, over normal noise, in random order."""
    true = rng.permutation(np.asarray(effects, dtype=np.float64))
    ours, baseline = rng.standard_normal((len(true), SCREEN_SEEDS)), rng.standard_normal(SCREEN_SEEDS)
    noise = rng.standard_normal((len(true), MOST_PAIRS))
    return Campaign(true, true[:, None] + (ours - baseline) / np.sqrt(2.0), true[:, None] + noise)


def fixed_t(campaign: Campaign) -> Result:
    """Twenty seeds for everybody and a t-test at 0.05 for each, one-sided."""
    p = fixed.paired_t(campaign.confirm[:, :FIXED_PAIRS])
    return Result(np.asarray(p <= ALPHA), np.ones_like(p, dtype=np.bool_), 2 * FIXED_PAIRS * len(p))


def fixed_t_corrected(campaign: Campaign) -> Result:
    """The same, with Benjamini and Hochberg's correction over the campaign."""
    p = fixed.paired_t(campaign.confirm[:, :FIXED_PAIRS])
    order = np.argsort(p)
    below = np.flatnonzero(p[order] <= ALPHA * np.arange(1, p.size + 1) / p.size)
    claimed = np.zeros(p.size, dtype=np.bool_)
    claimed[order[: int(below.max()) + 1 if below.size else 0]] = True
    return Result(claimed, np.ones_like(claimed), 2 * FIXED_PAIRS * p.size)


def peeking_t(campaign: Campaign) -> Result:
    """A t-test after every pair from the third, stopped with success at 0.05, else at twenty."""
    hits = peeking(campaign.confirm[:, :FIXED_PAIRS])
    claimed = np.asarray(hits.any(axis=-1))
    used = np.where(claimed, hits.argmax(axis=-1) + 1, FIXED_PAIRS)
    return Result(claimed, np.ones_like(claimed), 2 * int(np.maximum(used, FIRST_PEEK).sum()))


def greedy(campaign: Campaign) -> Result:
    """Three seeds for everybody; the best mean is reported as an improvement when it is above the baseline's."""
    means = campaign.screen[:, :3].mean(axis=-1)
    claimed = np.zeros(means.size, dtype=np.bool_)
    claimed[int(means.argmax())] = bool(means.max() > 0)
    return Result(claimed, claimed, 3 * (means.size + 1))

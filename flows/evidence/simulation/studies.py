"""The studies on whole campaigns: nothing works, and a few things do. Who claims what, how falsely, at what price."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from flows.evidence.aggregate import stratified_bootstrap
from flows.evidence.eprocess import Floats
from flows.evidence.racing import Race
from flows.evidence.savings import FIXED_PAIRS
from flows.evidence.simulation.campaigns import (
    ALPHA,
    LEAST_EFFECT,
    MOST_PAIRS,
    Conduct,
    Ours,
    fixed_t,
    fixed_t_corrected,
    greedy,
    imagined,
    peeking_t,
)
from flows.evidence.simulation.sections import Section, Share, Table

CANDIDATES = 20
NOTHING = (0.0,) * CANDIDATES
PLANTED = (1.0,) * 2 + (0.0,) * 9 + (-0.5,) * 9
PLACES = 8
"""Plans that a campaign with a screen declares."""

GOAL_FDR, GOAL_POWER, GOAL_SAVED = 0.05, 0.9, 0.6

Run = Callable[[Callable[["Job"], "Figures"], Iterable["Job"]], Iterable["Figures"]]
"""How jobs are carried out: `map`, or that of a pool of processes."""


class Job(NamedTuple):
    """One method on one kind of campaign; the same seed gives the same campaigns to every method."""

    name: str
    conduct: Conduct
    effects: tuple[float, ...]
    seed: int
    campaigns: int


@dataclass(frozen=True)
class Figures:
    """What a method did, one entry per campaign; `found` and `confirmed` are shares of the real effects."""

    name: str
    false_share: Floats
    found: Floats
    confirmed: Floats
    executions: Floats

    @property
    def any_false(self) -> Share:
        """Campaigns with at least one false claim."""
        return Share(int((self.false_share > 0).sum()), self.false_share.size)

    @property
    def fdr(self) -> float:
        """The mean share of claims that are false."""
        return float(self.false_share.mean())

    @property
    def used(self) -> float:
        """Mean executions of a campaign, up to its verdicts."""
        return float(self.executions.mean())

    @property
    def saved(self) -> float:
        """The part of the fixed design, fresh seeds for both sides of every candidate, that was not run."""
        return 1.0 - self.used / (2 * FIXED_PAIRS * CANDIDATES)

    @property
    def saved_shared(self) -> float:
        """The same against a fixed design whose candidates share one set of baseline runs."""
        return 1.0 - self.used / (FIXED_PAIRS * (CANDIDATES + 1))


def conducts() -> dict[str, Conduct]:
    """Return every method by name: ours, then the others."""
    return {
        "hypoloop, raced screen": Ours(horizon=PLACES, race=Race()),
        "hypoloop, screen of 4 seeds": Ours(horizon=PLACES, screen=4),
        "hypoloop, no screen": Ours(),
        "hypoloop, no screen, nothing given up": Ours(futility=0.0),
        f"hypoloop, no screen, {FIXED_PAIRS} pairs at most": Ours(pairs=FIXED_PAIRS),
        f"fixed t-test at 0.05, {FIXED_PAIRS} pairs": fixed_t,
        f"fixed t-test, {FIXED_PAIRS} pairs, Benjamini-Hochberg": fixed_t_corrected,
        f"peeking t-test at 0.05, up to {FIXED_PAIRS} pairs": peeking_t,
        "greedy: best mean of 3 seeds": greedy,
    }


def figures(job: Job) -> Figures:
    """Carry out a job."""
    rows = []
    for number in range(job.campaigns):
        campaign = imagined(np.random.default_rng([job.seed, number]), job.effects)
        result = job.conduct(campaign)
        claims, real = int(result.claimed.sum()), campaign.real
        false = int((result.claimed & ~real).sum()) / max(claims, 1)
        found, confirmed = (
            int((each & real).sum()) / max(int(real.sum()), 1) for each in (result.claimed, result.confirmed)
        )
        rows.append((false, found, confirmed, float(result.executions)))
    return Figures(job.name, *np.asarray(rows, dtype=np.float64).T)


def null_campaigns(seed: int, campaigns: int, run: Run) -> Section:
    """Nothing works: whatever is claimed is false."""
    done = _done(NOTHING, seed, campaigns, run)
    rows = [(each.name, str(each.any_false), f"{each.used:.0f}", _percent(each.saved)) for each in done]
    held = [each.name for each in done if each.any_false.interval[1] <= GOAL_FDR]
    ours = next(each for each in done if each.name == "hypoloop, no screen")
    return Section(
        "When nothing works",
        f"{campaigns} campaigns of {CANDIDATES} candidates none of which differs from the baseline. Every claim is "
        "false, so the false discovery rate is the share of campaigns that claim anything; the interval is exact "
        "binomial, 95 %. Paired differences are normal. Without a screen every candidate gets a plan, "
        f"{CANDIDATES} in all; with one, the {PLACES} best that pass.",
        (Table("", ("method", "false discovery rate", "executions per campaign", "saved"), tuple(rows)),),
        (
            f"Goal: a false discovery rate of at most {GOAL_FDR}. hypoloop with {CANDIDATES} plans: {ours.any_false}, "
            f"{'reached' if ours.fdr <= GOAL_FDR else 'not reached'}.",
            f"The whole interval lies at or below {GOAL_FDR} for: {', '.join(held) or 'no method'}.",
        ),
    )


def planted_effects(seed: int, campaigns: int, run: Run) -> Section:
    """A tenth of the candidates works: what is found, how falsely, and how much of the fixed design was run."""
    done = _done(PLANTED, seed, campaigns, run)
    rows = [_row(each) for each in done]
    head = (
        "method", "false discovery rate", "campaigns with a false claim", "power", "real ones confirmed",
        "executions per campaign", "saved", "saved, shared baseline",
    )  # fmt: skip
    return Section(
        "When a few things work",
        f"{campaigns} campaigns of {CANDIDATES} candidates: two are better than the baseline by one spread of the "
        f"paired differences, nine are no better, nine are worse by half a spread. The least effect is {LEAST_EFFECT} "
        f"spreads. Power is the share of real effects that is claimed. Executions are those of both sides, screen "
        f"included, up to the verdicts. They are held against a fixed design of {FIXED_PAIRS} seeds on both sides of "
        f"every candidate ({2 * FIXED_PAIRS * CANDIDATES} executions), and against one whose candidates share one set "
        f"of baseline runs ({FIXED_PAIRS * (CANDIDATES + 1)}), where one unlucky baseline errs for all of them. A plan "
        f"of hypoloop may take up to {MOST_PAIRS} pairs and mostly takes far fewer; without a screen it bets with the "
        "true spread. The interval of the false discovery rate is a bootstrap over campaigns, that of the campaigns "
        "with a false claim and that of power exact binomial, all 95 %.",
        (Table("", head, tuple(rows)),),
        tuple(_goal(each) for each in done if each.name.startswith("hypoloop")) + _why(done),
    )


def _done(effects: tuple[float, ...], seed: int, campaigns: int, run: Run) -> list[Figures]:
    return list(run(figures, [Job(name, conduct, effects, seed, campaigns) for name, conduct in conducts().items()]))


def _row(each: Figures) -> tuple[str, ...]:
    return (
        each.name,
        _rate(each),
        str(each.any_false),
        str(Share(round(each.found.sum() * 2), 2 * each.found.size)),
        f"{each.confirmed.mean():.3f}",
        f"{each.used:.0f}",
        _percent(each.saved),
        _percent(each.saved_shared),
    )


def _rate(each: Figures) -> str:
    """Return the false discovery rate with its interval; without one false claim, the exact one of the campaigns."""
    if not each.false_share.any():
        return str(each.any_false)
    rng = np.random.default_rng(1)
    lo, hi = stratified_bootstrap(lambda scores: float(scores.mean()), each.false_share[:, None], rng=rng)
    return f"{each.fdr:.3f} [{lo:.3f}, {hi:.3f}]"


def _goal(each: Figures) -> str:
    power = float(each.found.mean())
    missed = [
        what
        for what, ok in (
            (f"false discovery rate {each.fdr:.3f}", each.fdr <= GOAL_FDR),
            (f"power {power:.3f}", power >= GOAL_POWER),
            (f"saved {_percent(each.saved)}", each.saved >= GOAL_SAVED),
        )
        if not ok
    ]
    told = f"saved {_percent(each.saved)} at false discovery rate {each.fdr:.3f} and power {power:.3f}"
    return f"{each.name}: {told}; " + (f"the goal is missed by {' and '.join(missed)}." if missed else "goal reached.")


def _why(done: Sequence[Figures]) -> tuple[str, ...]:
    """Say what the goal is, and what stands between it and the methods that miss it."""
    by_name = {each.name: each for each in done}
    short = by_name[f"hypoloop, no screen, {FIXED_PAIRS} pairs at most"]
    patient = by_name["hypoloop, no screen, nothing given up"]
    raced = by_name["hypoloop, raced screen"]
    return (
        f"The goal is at least {_percent(GOAL_SAVED)} saved at a false discovery rate of at most {GOAL_FDR} and a "
        f"power of at least {GOAL_POWER}.",
        f"A cap of {FIXED_PAIRS} pairs holds power at {short.found.mean():.3f}: an e-value at most doubles with a "
        f"pair, and the level of one plan in {CANDIDATES} asks for {CANDIDATES / ALPHA:.0f}. Longer plans that mostly "
        "stop early are the answer, not looser levels.",
        f"Never giving up costs {patient.used:.0f} executions a campaign: most pairs go to candidates that do nothing.",
        f"Against a fixed design that shares its baseline runs, the raced screen saves {_percent(raced.saved_shared)}: "
        "plans pay for a comparator of their own on fresh seeds.",
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"

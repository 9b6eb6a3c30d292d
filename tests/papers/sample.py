"""A campaign by hand, realistic but for the strings in it, which do their worst."""

from __future__ import annotations

from statistics import fmean

import numpy as np

from agents.records import (
    Attempts,
    Challenge,
    Claim,
    Draft,
    Execution,
    Idea,
    Lesson,
    Plan,
    Section,
    Split,
    Stage,
    Verdict,
)
from agents.team import Dossier, Tried
from flows.evidence.eprocess import confidence_sequence, e_values
from flows.papers import Composed, compose
from templates.template import Template

EVIL = (
    'A #title with $math$, *stars*, _lines_, `ticks`, <tags>, @works, \\slashes, [brackets] // and {braces} & "quotes"'
)
COMMITS = {"c0": "3f1c9a7be20d4458" * 2, "c1": "a90be77d1c5f4e21" * 2, "c2": "77e1c05dab3390fe" * 2}
EVENTS = {"k1": 141, "k2": 192, "k3": 233, "p1": 61, "p2": 143, "p3": 194, "i1": 8, "i2": 9, "i3": 10, "l1": 236}
ATTEMPTS = Attempts(ideas=7, candidates=9, executions=152, plans=4, looks=31)


def idea(number: int, title: str, factors: tuple[str, ...]) -> Idea:
    """An idea of the first or second round."""
    return Idea(
        id=f"i{number}",
        round=1 + number // 4,
        title=title,
        statement=f"{title} lowers the error.",
        mechanism="It mixes faster.",
        metric="error",
        least_effect=0.01,
        factors=factors,
        by="embedded",
    )


IDEAS = (
    idea(1, "Single-cluster updates", ("wolff",)),
    idea(2, EVIL, ("lazy-chain",)),
    idea(3, "Checkerboard order", ("checkerboard",)),
    idea(4, "Turn all spins over after each block and thin by ten", ("global-flip", "thinning")),
    idea(5, "A generator that crashes", ("other-generator",)),
    idea(6, "Averylongwordwithoutanyplacetobreak_that_a_careless_writer_put_into_a_title_0123456789", ("heat-bath",)),
    idea(7, "Replica exchange between the four temperatures of the search split", ("replica-exchange", "wolff")),
)


def _execution(candidate: str, stage: Stage, seed: int, value: float | None, plan: str | None = None) -> Execution:
    split = Split.SEARCH if stage in (Stage.BASELINE, Stage.SCREEN) else Split.CONFIRM
    return Execution(
        key=f"{abs(hash_of(candidate, stage, seed)):016x}",
        candidate=candidate,
        stage=stage,
        split=split,
        seed=seed,
        plan=plan,
        outcome="failed" if value is None else "ok",
        reason="ValueError: <script>" if value is None else "",
        metrics=None if value is None else {"error": value},
        wall_s=1.27,
        backend="docker",
        image_id="sha256:9f2b6c1d55e0a7b34488c21f90ad3be177",
    )


def hash_of(candidate: str, stage: Stage, seed: int) -> int:
    """A key that looks like a digest and is the same every time."""
    return int.from_bytes(f"{candidate}{stage.value[:2]}{seed}".encode()[-8:].rjust(8, b"x"), "big")


def executions() -> tuple[Execution, ...]:
    """Screens of every idea, one of them crashing, then three confirmations."""
    rng = np.random.default_rng(11)
    centres = {"c0": 0.33, "c1": 0.21, "c2": 0.35, "c3": 0.312, "c4": 0.28, "c5": None, "c6": 0.34, "c7": 0.2}
    runs = [
        _execution(c, Stage.BASELINE if c == "c0" else Stage.SCREEN, seed, None if m is None else _noisy(m, rng))
        for c, m in centres.items()
        for seed in range(1, 5)
    ]
    for plan in PLANS:
        for seed in plan.seeds[: LOOKED[plan.id]]:
            for side in (plan.candidate, plan.comparator):
                runs.append(_execution(side, plan.stage, seed, _noisy(centres[side] or 0.0, rng), plan.id))
    return tuple(runs)


def _noisy(centre: float, rng: np.random.Generator) -> float:
    return float(centre + rng.normal(0, 0.018))


def _plan(number: int, level: float) -> Plan:
    first = 1001 + 16 * (number - 1)
    return Plan(
        id=f"p{number}",
        idea=f"i{number}",
        candidate=f"c{number}",
        comparator="c0",
        metric="error",
        maximize=False,
        least_effect=0.01,
        seeds=tuple(range(first, first + 16)),
        looks=tuple(range(6, 17)),
        alpha=0.05,
        level=level,
        scale=0.025,
        rule="Up to 16 pairs are run. Supported when the e-value reaches 80.",
    )


PLANS = (_plan(1, 0.0125), _plan(2, 0.0125), _plan(3, 0.025))
LOOKED = {"p1": 16, "p2": 12, "p3": 16}
SAYS = (Verdict.SUPPORTED, Verdict.REFUTED, Verdict.INCONCLUSIVE)


def _claim(plan: Plan, verdict: Verdict, runs: tuple[Execution, ...]) -> Claim:
    behind = [r for r in runs if r.stage is plan.stage and r.seed in plan.seeds]
    sides = {c: [r.metrics["error"] for r in behind if r.candidate == c and r.metrics] for c in (plan.candidate, "c0")}
    d = [b - a for a, b in zip(sides[plan.candidate], sides["c0"], strict=True)]
    number = plan.id[1:]
    challenge = Challenge(
        plan="p4",
        kind="ablation",
        removed=("wolff",),
        survived=True,
        estimate=0.1182,
        interval=(0.0951, 0.1402),
        e_value=31877.25,
        n=16,
        says="The gain goes when the cluster move is taken out <b>& comes back</b>.",
    )
    return Claim(
        id=f"k{number}",
        plan=plan.id,
        idea=plan.idea,
        candidate=plan.candidate,
        comparator="c0",
        statement=f"{IDEAS[int(number) - 1].title} lowers the observable error.",
        metric="error",
        verdict=verdict,
        estimate=fmean(d),
        interval=confidence_sequence(d, plan.scale, plan.alpha),
        relative=fmean(d) / fmean(sides["c0"]),
        candidate_mean=fmean(sides[plan.candidate]),
        comparator_mean=fmean(sides["c0"]),
        n=len(d),
        looks=len(d) - 5,
        e_value=float(e_values(d, plan.scale)[-1]),
        level=plan.level,
        alpha=plan.alpha,
        executions=tuple(r.key for r in behind),
        attempts=ATTEMPTS.model_copy(update={"executions": 40 * int(number)}),
        challenges=(challenge,) if verdict is Verdict.SUPPORTED else (),
    )


def dossier() -> Dossier:
    """Seven ideas, three claims, a crash, a challenge and a lesson."""
    runs = executions()
    outcomes = ("supported", "refuted", "inconclusive", "survived", "crashed", "screened")
    tried = tuple(
        Tried(
            idea=i,
            outcome=o,
            effect=None if o == "crashed" else 0.13 / (n + 1),
            spread=None if o == "crashed" else 0.02,
        )
        for n, (i, o) in enumerate(zip(IDEAS, outcomes, strict=False))
    )
    return Dossier(
        campaign="sampling-nightly",
        question="Which changes bring a sampler nearer to the exact averages?",
        alpha=0.05,
        ideas=IDEAS,
        tried=tried,
        plans=PLANS,
        claims=tuple(_claim(p, v, runs) for p, v in zip(PLANS, SAYS, strict=True)),
        lessons=(
            Lesson(
                id="l1",
                round=1,
                kind="helps",
                statement="Cluster moves help below $T_c$.",
                factors=("wolff",),
                belief=0.93,
            ),
            Lesson(
                id="l2",
                round=1,
                kind="crash",
                statement="The other generator crashes.",
                factors=("other-generator",),
                belief=0.1,
            ),
        ),
        attempts=ATTEMPTS,
        sandbox="docker (no network, non-root, read-only)",
    )


def draft() -> Draft:
    """Prose with bindings and citations, no numbers."""
    return Draft(
        title="{idea:i1.title} and {count:ideas} ideas for {template:title}: # $ * _ @ < \\",
        abstract="We ask: {campaign:question} Of {count:ideas} ideas, {count:supported} held: {idea:i1.title} lowers "
        "the observable error by {claim:k1.estimate} (interval {claim:k1.interval}, e-value {claim:k1.e_value}), which "
        "is {claim:k1.relative} of the baseline's. It was found among {claim:k1.attempts.executions} executions.",
        sections=(
            Section(key="introduction", title="Introduction", body=_INTRODUCTION),
            Section(
                key="method",
                title="Method",
                body="Baseline and candidates share one budget; see [@metropolis1953equation].",
            ),
            Section(key="results", title="Results", body=_RESULTS),
            Section(
                key="refuted",
                title="What did not hold",
                body="{idea:i2.title} changed the error by "
                "{claim:k2.estimate} {claim:k2.interval} and is {claim:k2.verdict}.",
            ),
            Section(
                key="discussion", title="Discussion", body="The belief in cluster moves stands at {lesson:l1.belief}."
            ),
            Section(key="outlook", title="Outlook", body="What comes next is another campaign."),
            Section(key="limits", title="Limits", body="Read these before citing anything above."),
        ),
        by="embedded",
    )


_INTRODUCTION = """Local moves [@metropolis1953equation] are slow where the lattice is stiff; cluster moves
[@wolff1989collective] are not. This campaign let a program search {count:ideas} changes to the sampler -- each a
falsifiable hypothesis with a registered least effect -- and reports what survived.

- The first point cites a person's "work" and costs $ and #.
- The second has an underscore_in_a_word, a *star* and a line // that is no comment.

= This line is no heading, and the next sentence is no list."""

_RESULTS = """The error fell from {claim:k1.comparator_mean} to {claim:k1.candidate_mean} over {claim:k1.n} pairs,
{claim:k1.estimate}(as a mean) or {claim:k1.relative}. Its level was {claim:k1.level}; {count:challenges} challenge
was survived: {claim:k1.challenges.0.survived}, e-value {claim:k1.challenges.0.e_value}."""


def composed(evidence: Dossier, on: Template) -> Composed:
    """The whole sample as a paper."""
    return compose(evidence, on, draft(), executions(), COMMITS, EVENTS)

"""A tiny template with every kind of factor, and dossiers made by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from agents.records import Attempts, Challenge, Claim, Execution, Idea, Lesson, Plan, Split, Stage, Verdict
from agents.team import Dossier, Tried
from templates.template import Template

RUN = '''\
"""Walk about."""

from __future__ import annotations

import math

from moves import step

RATE = 0.5  # how far a step goes
STEPS: int = 100


def walk(seed: int) -> float:
    """Return where a walk ends."""
    return sum(step(RATE, seed) for _ in range(STEPS)) * math.pi


# The end.
if __name__ == "__main__":
    walk(1)
'''
MOVES = '''\
"""Moves of the walker."""

WIDTH = 2


def step(rate: float, seed: int) -> float:
    """Return one step."""
    return rate * WIDTH


def jump(rate: float) -> float:
    return rate
'''
MIRROR = '''\
"""Steps that are mirrored."""

from __future__ import annotations

import statistics

from moves import WIDTH

MIRRORS = [-WIDTH, WIDTH]


def step(rate: float, seed: int) -> float:
    """Return one step, mirrored."""
    return rate * statistics.mean(MIRRORS)
'''
FAR = '''\
def jump(rate: float) -> float:
    """Return a long jump."""
    return math.exp(rate) + walk_length(rate)


def walk_length(rate: float) -> float:
    return rate if rate < 1 else RATE * rate
'''
MANIFEST = """
name = "tiny"
title = "A walker in 2 dimensions"
question = "Which changes bring a walker home sooner?"
domain = "probability"
method = "A walker walks."
source = ["pearson1905problem"]
editable = ["workload/*.py"]
outputs = ["walk.npy"]
limits_of_study = ["The walker walks on a plane only."]

[metric]
name = "distance"
title = "Distance from home"
direction = "minimize"
least_effect = 0.1
unit = "metres"

[seeds]
screen = 4
"""
KNOBS = (("fast", "RATE", "0.9"), ("slow", "RATE", "0.1"), ("long", "STEPS", "1000"))
INTERVENTIONS = (("mirror", "workload/moves.py"), ("far", "workload/moves.py"))


def factor(name: str, kind: str, file: str, **more: str) -> str:
    lines = {"name": name, "kind": kind, "title": f"Go {name}", "mechanism": f"Going {name} helps"}
    lines |= {"file": file, **more}
    return "\n[[factors]]\n" + "\n".join(f'{key} = "{value}"' for key, value in lines.items()) + "\n"


def template(root: Path) -> Template:
    """Write the tiny template into `root` and load it."""
    knobs = "".join(factor(n, "knob", "workload/run.py", symbol=s, value=v) for n, s, v in KNOBS)
    rest = "".join(
        factor(n, "intervention", f, source=f"interventions/{n}.py", source_of_idea="pearson1905problem")
        for n, f in INTERVENTIONS
    )
    files = {
        "template.toml": MANIFEST + knobs + rest,
        "README.md": "# Brief\n",
        "references.bib": "@article{pearson1905problem,\n title = {The problem of the random walk}\n}\n",
        "workload/run.py": RUN,
        "workload/moves.py": MOVES,
        "interventions/mirror.py": MIRROR,
        "interventions/far.py": FAR,
        "evaluator/evaluate.py": "pass\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return Template(root)


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def idea(id_: str, *factors: str, round_: int = 1, parents: tuple[str, ...] = ()) -> Idea:
    return Idea(
        id=id_,
        round=round_,
        title=" + ".join(f"Go {name}" for name in factors),
        statement="It lowers the distance",
        mechanism="It helps.",
        metric="distance",
        least_effect=0.1,
        factors=factors,
        parents=parents,
        inspirations=("pearson1905problem",),
        by="embedded",
    )


def lesson(kind: str, *factors: str, belief: float = 0.5, round_: int = 1, id_: str = "l1") -> Lesson:
    return Lesson(id=id_, round=round_, kind=kind, statement="So it is.", factors=factors, belief=belief)


def failed(outcome: str = "failed") -> Execution:
    return Execution(key="k", candidate="c1", stage=Stage.SCREEN, split=Split.SEARCH, seed=1, outcome=outcome)


def plan(number: int, idea_id: str, stage: Stage = Stage.CONFIRM) -> Plan:
    return Plan(
        id=f"p{number}", idea=idea_id, candidate=f"c{number}", comparator="c0", metric="distance", maximize=False,
        least_effect=0.1, seeds=(1, 2, 3), looks=(3,), alpha=0.05, level=0.01, scale=1.0, rule="Bet.", stage=stage,
    )  # fmt: skip


def challenge(number: int, *, survived: bool, refutes: bool) -> Challenge:
    return Challenge(
        plan=f"p{number}", kind="ablation", removed=("fast",), survived=survived, refutes=refutes, estimate=0.2,
        interval=(0.1, 0.3), e_value=200.0, n=12, says="So it is.",
    )  # fmt: skip


def claim(number: int, idea_id: str, verdict: Verdict, *challenges: Challenge, once: bool = False) -> Claim:
    good = verdict is Verdict.SUPPORTED or bool(challenges)
    return Claim(
        id=f"k{number}", plan=f"p{number}", idea=idea_id, candidate=f"c{number}", comparator="c0",
        statement=f"The change \N{LEFT DOUBLE QUOTATION MARK}{idea_id}\N{RIGHT DOUBLE QUOTATION MARK} ends {verdict}.",
        metric="distance", verdict=verdict, reason="So it ended.", estimate=0.3 if good else -0.1,
        interval=None if once else (0.1, 0.5), relative=0.2, candidate_mean=1.2, comparator_mean=1.5,
        n=1 if once else 12, looks=2, e_value=1.0 if once else (500.0 if good else 0.5), level=0.01, alpha=0.05,
        deterministic=once, executions=(), challenges=challenges,
        attempts=Attempts(ideas=3, candidates=3, executions=40, plans=2, looks=2),
    )  # fmt: skip


def dossier(*claims: Claim, plans: tuple[Plan, ...] | None = None) -> Dossier:
    """Four ideas, of which those with a claim were registered, one crashed and the rest was set aside."""
    ideas = (idea("i1", "fast"), idea("i2", "mirror"), idea("i3", "long"), idea("i4", "far"))
    verdicts = {c.idea: str(c.verdict) for c in claims}
    outcomes = {"i1": "survived", "i2": "screened", "i3": "screened", "i4": "crashed"} | verdicts
    tried = tuple(
        Tried(idea=i, outcome=outcomes[i.id], effect=None if outcomes[i.id] == "crashed" else 0.2, spread=0.1)
        for i in ideas
    )
    own = tuple(plan(n, c.idea) for n, c in enumerate(claims, 1))
    later = tuple(plan(9, c.idea, Stage.CHALLENGE) for c in claims if c.challenges)
    return Dossier(
        campaign="walks", question="Which changes bring a walker home sooner?", alpha=0.05, ideas=ideas, tried=tried,
        plans=own + later if plans is None else plans, claims=claims, lessons=(lesson("helps", "fast", belief=0.9),),
        attempts=Attempts(ideas=4, candidates=4, executions=60, plans=2, looks=3), sandbox="process",
    )  # fmt: skip

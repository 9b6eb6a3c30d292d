"""A template on noise: what each factor is worth is known, and so is under which condition it is worth nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np

from sandboxes import RunSpec
from templates.template import Template

MANIFEST = """
name = "noise"
title = "Numbers from a noisy source"
question = "Which changes bring the loss of a noisy source down?"
domain = "simulation"
method = "A source writes numbers; the evaluator tells its loss."
source = ["doe1950noise"]
editable = ["workload/*.py"]
outputs = ["walk.txt"]
limits_of_study = ["The source is made up."]
[metric]
name = "loss"
title = "Loss of the source"
direction = "minimize"
least_effect = 0.3
unit = "decibels"
[seeds]
screen = 3
confirm = 10
[[conditions]]
name = "flat"
kind = "control"
title = "the source switched off"
why = "Nothing is left to be gained."
[[conditions]]
name = "far"
kind = "change"
title = "the source far away"
why = "The gain may depend on being near."
"""
FACTORS = {"steady": ("STEADY", 1.2), "eager": ("EAGER", 0.9), "idle": ("IDLE", 0.0), "loud": ("LOUD", -0.8)}
"""Factor -> the constant it sets to one, and what that takes off the loss."""
AWAY = {"steady": 0.0, "eager": 0.9}
"""The same with the source far away, where it is otherwise."""
REFERENCES = """@article{doe1950noise,
  author = {Doe, Jane}, title = {On noise}, journal = {Noise}, year = {1950}
}
"""


def template(root: Path, references: str = REFERENCES) -> Template:
    """Write the template into `root`/noise and load it."""
    factors = "".join(
        f'[[factors]]\nname = "{name}"\nkind = "knob"\ntitle = "A source that is {name}"\nmechanism = "It is {name}."\n'
        f'file = "workload/run.py"\nsymbol = "{symbol}"\nvalue = "1"\nsource_of_idea = "doe1950noise"\n'
        for name, (symbol, _) in FACTORS.items()
    )
    constants = "\n".join(f"{symbol} = 0" for symbol, _ in FACTORS.values())
    for name, text in {
        "template.toml": MANIFEST + factors,
        "README.md": "# Noise\n",
        "references.bib": references,
        "workload/run.py": f'"""Write numbers."""\n\n{constants}\n',
        "evaluator/evaluate.py": "pass\n",
    }.items():
        (root / "noise" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "noise" / name).write_text(text, encoding="utf-8")
    return Template(root / "noise")


def script(spec: RunSpec) -> dict[str, bytes]:
    """Play the source and its evaluator by the constants in the code and the numbers that the programs are given."""
    name = next(word for word in spec.argv if word.endswith(".py")).rpartition("/")[2]
    seed = int(spec.argv[spec.argv.index("--seed") + 1])
    if name == "run.py":
        text = (spec.code / "run.py").read_text(encoding="utf-8")
        worth = {f: int(_constant(text, symbol)) for f, (symbol, _) in FACTORS.items()}
        walk = np.random.default_rng([seed, *worth.values()]).normal(size=12)
        return {"walk.txt": json.dumps({"factors": worth, "walk": list(walk)}).encode()}
    condition = spec.argv[spec.argv.index("--condition") + 1] if "--condition" in spec.argv else ""
    told = json.loads((spec.data["run"] / "walk.txt").read_text(encoding="utf-8"))
    gains = {f: worth for f, (_, worth) in FACTORS.items()} | (AWAY if condition == "far" else {})
    gain = 0.0 if condition == "flat" else sum(gains[f] * on for f, on in told["factors"].items())
    loss = 5.0 + np.random.default_rng(seed).normal() - gain + 0.25 * float(np.mean(told["walk"]))
    return {"metrics.json": json.dumps({"loss": loss}).encode()}


def _constant(text: str, symbol: str) -> str:
    found = re.search(rf"^{symbol} = (\d+)$", text, re.MULTILINE)
    assert found is not None
    return found[1]

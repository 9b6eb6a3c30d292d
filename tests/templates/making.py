"""A tiny template that needs only the standard library, and ways to spoil it."""

from __future__ import annotations

from pathlib import Path

MANIFEST = """\
name = "coin"
title = "A coin"
question = "Does a heavier coin land higher?"
domain = "toys"
method = "The workload writes a number; the evaluator adds the seed."
source = ["doe1950coins"]
secondary = ["tosses"]
editable = ["workload/*.py"]
outputs = ["number.txt"]

[metric]
name = "height"
title = "Height"
direction = "maximize"
least_effect = 0.5

[resources]
wall_s = 10
memory_mb = 256

[seeds]
screen = 2
confirm = 4

[[factors]]
name = "heavier"
kind = "knob"
title = "A heavier coin"
mechanism = "Weight."
file = "workload/run.py"
symbol = "WEIGHT"
value = "2.0"

[[factors]]
name = "spin"
kind = "intervention"
title = "A spinning coin"
mechanism = "Spin."
file = "workload/run.py"
source = "interventions/spin.py"
source_of_idea = "doe1950coins"
"""

RUN = """\
import argparse, pathlib
WEIGHT = 1.0

def toss(weight):
    return weight

p = argparse.ArgumentParser()
for name in ("--seed", "--out", "--data"):
    p.add_argument(name)
a = p.parse_args()
(pathlib.Path(a.out) / "number.txt").write_text(str(toss(WEIGHT)))
"""

EVALUATE = """\
import argparse, json, pathlib, sys
p = argparse.ArgumentParser()
for name in ("--run", "--seed", "--split", "--out"):
    p.add_argument(name)
a = p.parse_args()
try:
    number = float((pathlib.Path(a.run) / "number.txt").read_text())
except (OSError, ValueError):
    sys.exit("Refused: number.txt holds no number.")
if number < 0 or number != number:
    sys.exit("Refused: a coin cannot fall below the table.")
text = json.dumps({"height": number + int(a.seed), "tosses": 1})
pathlib.Path(a.out).write_text(text)
"""

PREPARE = """\
import argparse, pathlib
p = argparse.ArgumentParser()
for name in ("--seed", "--split", "--out"):
    p.add_argument(name)
a = p.parse_args()
(pathlib.Path(a.out) / "data.txt").write_text(a.split + a.seed)
"""


def make(root: Path, **changed: str) -> Path:
    """Write the template under `root`/coin; a keyword gives a file other text: manifest, run, evaluate, prepare."""
    folder = root / "coin"
    files = {
        "template.toml": changed.get("manifest", MANIFEST),
        "README.md": "A coin is tossed.",
        "references.bib": "@article{doe1950coins,\n  title = {Coins}\n}\n",
        "workload/run.py": changed.get("run", RUN),
        "evaluator/evaluate.py": changed.get("evaluate", EVALUATE),
        "interventions/spin.py": changed.get("spin", "def toss(weight):\n    return weight + 1\n"),
    }
    if "prepare" in changed:
        files["evaluator/prepare.py"] = changed["prepare"]
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def line(text: str, start: str, nth: int = 1) -> int:
    """Return the number of the nth line of `text` that begins with `start`."""
    hits = [number for number, row in enumerate(text.splitlines(), 1) if row.startswith(start)]
    return hits[nth - 1]

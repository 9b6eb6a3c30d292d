"""A template small enough to be played hundreds of times: points with labels, some of them flipped, behind a salt."""

from __future__ import annotations

from pathlib import Path

from templates.template import Template

MANIFEST = """
name = "urns"
title = "Points from two urns"
question = "Which changes let a simple rule tell two urns apart more often?"
domain = "classification"
method = "A rule learns from labelled points and answers for points whose labels only the evaluator knows."
source = ["doe1950noise"]
editable = ["workload/*.py"]
outputs = ["answers.json", "rows.json"]
secondary = ["rows_share", "accuracy_near"]
limits_of_study = ["The points are made up."]
[metric]
name = "accuracy"
title = "accuracy"
direction = "maximize"
least_effect = 0.03
[seeds]
screen = 3
confirm = 10
[[conditions]]
name = "shuffled"
kind = "control"
title = "the labels shuffled"
why = "Nothing is left to be learned."
[[conditions]]
name = "fewer"
kind = "change"
title = "half of the points to learn from"
why = "The gain may need many points."
"""
REFERENCES = """@article{doe1950noise,
  author = {Doe, Jane}, title = {On noise}, journal = {Noise}, year = {1950}
}
@article{roe1960urns,
  author = {Roe, Richard}, title = {On urns}, journal = {Urns}, year = {1960}
}
@article{poe1970luck,
  author = {Poe, Paula}, title = {On luck}, journal = {Luck}, year = {1970}, note = {Retracted}
}
"""
URN = '''"""Draw points and labels from a number that only protected code is given."""

import random

ROWS = {"train": 80, "test": 160}
LEAN = {"search": 1.0, "confirm": -1.0}
FLIPPED = 0.1


def draw(seed, split, condition=None):
    """Return train and test: rows of two coordinates, the rule's answer, and the label, which is flipped at times."""
    rng = random.Random(f"{split} {seed}")
    parts = {}
    for part, count in ROWS.items():
        rows = []
        for _ in range(count):
            x, y = rng.gauss(0, 1), rng.gauss(0, 1)
            rule = int(x + 0.8 * y > LEAN[split]) if condition != "shuffled" else rng.randrange(2)
            rows.append((round(x, 3), round(y, 3), rule, rule ^ (rng.random() < FLIPPED)))
        parts[part] = rows
    if condition == "fewer":
        parts["train"] = parts["train"][: ROWS["train"] // 2]
    return parts
'''
ARGUMENTS = """
import json, math, pathlib, sys
sys.path.insert(0, str(pathlib.Path(__file__).parent))
from urn import draw, ROWS

given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
parts = draw(int(given["--seed"]), given["--split"], given.get("--condition"))
"""
PREPARE = f'''"""Write what a workload may know."""
{ARGUMENTS}
out = pathlib.Path(given["--out"])
(out / "train.json").write_text(json.dumps([[x, y, label] for x, y, _, label in parts["train"]]))
(out / "test.json").write_text(json.dumps([[x, y] for x, y, _, _ in parts["test"]]))
'''
EVALUATE = f'''"""Score the answers; refuse what is incomplete, and what repeats the withheld flips."""
{ARGUMENTS}
run, test = pathlib.Path(given["--run"]), parts["test"]
try:
    answers, used = (json.loads((run / name).read_text()) for name in ("answers.json", "rows.json"))
except (OSError, ValueError) as error:
    sys.exit(f"Refused: the run's files cannot be read: {{error}}")
whole = type(answers) is list and len(answers) == len(test)
if not whole or any(type(a) is not int or a not in (0, 1) for a in answers):
    sys.exit(f"Refused: answers.json must hold one 0 or 1 for each of the {{len(test)}} points; none can be left out.")
if type(used) is not int or not 0 <= used <= ROWS["train"]:
    sys.exit("Refused: rows.json must say how many of the given rows were learned from.")
against = [answer != rule for answer, (_, _, rule, _) in zip(answers, test)]
flips = [rule != label for _, _, rule, label in test]
met = sum(a and f for a, f in zip(against, flips)) - sum(flips) * sum(against) / len(test)
if met / sum(flips) > math.sqrt(math.log(1e6) / (2 * sum(flips))):
    sys.exit("Refused: the answers repeat the random errors of the withheld labels, so the run knew those labels.")
right = [answer == label for answer, (_, _, _, label) in zip(answers, test)]
near = [r for r, (x, y, _, _) in zip(right, test) if abs(x) < 1] or [0]
pathlib.Path(given["--out"]).write_text(json.dumps({{
    "accuracy": sum(right) / len(right), "rows_share": used / ROWS["train"], "accuracy_near": sum(near) / len(near),
}}))
'''
RUN = '''"""Learn a threshold on the first coordinate and answer for the test points."""

import json
import pathlib
import sys

given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
out, data = pathlib.Path(given["--out"]), pathlib.Path(given["--data"])
train, test = (json.loads((data / f"{part}.json").read_text()) for part in ("train", "test"))
WEIGHTS = (0.0,)


def rule(rows):
    """Return the weight of the second coordinate and the threshold that answer most of the rows rightly."""
    tries = []
    for weight in WEIGHTS:
        sums = sorted((x + weight * y, label) for x, y, label in rows)
        right = sum(label for _, label in sums)
        tries.append((right, weight, -99.0))
        for total, label in sums:
            right += 1 - 2 * label
            tries.append((right, weight, total))
    return max(tries)[1:]


def answered(rows, weight, threshold):
    """Return an answer for each row."""
    return [int(x + weight * y > threshold) for x, y in rows]


answers, used = answered(test, *rule(train)), len(train)
# here
(out / "answers.json").write_text(json.dumps(answers))
(out / "rows.json").write_text(json.dumps(used))
'''
BETTER = ("WEIGHTS = (0.0,)", "WEIGHTS = (0.0, 0.4, 0.8, 1.2)")
"""The honest improvement: the second coordinate counts too."""


def template(root: Path, **others: str) -> Template:
    """Write the template into `root`/urns and load it; `others` are other texts: `manifest`, `run`, `urn`."""
    for name, text in {
        "template.toml": others.get("manifest", MANIFEST),
        "README.md": "# Urns\n",
        "references.bib": REFERENCES,
        "workload/run.py": others.get("run", RUN),
        "evaluator/urn.py": others.get("urn", URN),
        "evaluator/prepare.py": PREPARE,
        "evaluator/evaluate.py": EVALUATE,
    }.items():
        (root / "urns" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "urns" / name).write_text(text, encoding="utf-8")
    return Template(root / "urns")


def edited(*changes: tuple[str, str]) -> str:
    """Return the baseline's run.py with passages replaced, each of which it must hold once."""
    text = RUN
    for old, new in changes:
        if text.count(old) != 1:
            raise ValueError(f"run.py holds {text.count(old)} times: {old}")
        text = text.replace(old, new)
    return text


def adding(lines: str) -> str:
    """Return the baseline's run.py that does something more once it has its answers."""
    return edited(("# here", lines))


def luck(number: int) -> str:
    """Return a program that decides near its bound by coins of its own: no better, and at times lucky."""
    return adding(
        f"""
import random
weight, bound = rule(train)
coins = random.Random({number})
answers = [coins.randrange(2) if abs(x - bound) < 0.35 else a for (x, y), a in zip(test, answers)]"""
    )

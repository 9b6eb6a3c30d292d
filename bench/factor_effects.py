"""Measure what each declared factor of a template does: paired differences over seeds, on both splits.

    python -m bench.factor_effects TEMPLATE [--seeds 30] [--first 5001] [--only NAME ...] [--combine A+B ...]

Runs are plain processes without a sandbox, for templates you trust.
The seeds lie outside both the search and the confirm range of a campaign. Up is better in every column.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from templates.metrics import read_metrics
from templates.template import Template, load_template

_LAUNCH = """
import importlib, json, pathlib, sys
root, changes, stages = pathlib.Path(sys.argv[1]), json.loads(sys.argv[2]), json.loads(sys.argv[3])
sys.path[:0] = [str(root / "workload"), str(root / "evaluator")]
for name, text in changes:
    module = importlib.import_module(pathlib.Path(name).stem)
    exec(compile(text, name, "exec"), vars(module))
for script, arguments in stages:
    sys.argv[1:] = arguments
    importlib.import_module(script).main()
"""


def metric(template: Template, names: tuple[str, ...], split: str, seed: int) -> float:
    """Run the baseline with the factors `names` put over it and score it."""
    changes = []
    for factor in (template.factor(name) for name in names):
        knob = factor.kind == "knob"
        source = f"{factor.symbol} = {factor.value}" if knob else (template.root / str(factor.source)).read_text()
        changes.append((factor.file, source))
    with tempfile.TemporaryDirectory() as folder:
        data, out, score = (Path(folder) / name for name in ("data", "out", "metrics.json"))
        data.mkdir()
        out.mkdir()
        where = ["--seed", str(seed), "--split", split]
        stages = [
            ("prepare", [*where, "--out", str(data)]),
            ("run", ["--seed", str(seed), "--out", str(out), "--data", str(data)]),
            ("evaluate", [*where, "--run", str(out), "--out", str(score)]),
        ]
        subprocess.run(
            [sys.executable, "-B", "-c", _LAUNCH, str(template.root), json.dumps(changes), json.dumps(stages)],
            check=True,
            env={"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        wanted = template.manifest.metric
        values = read_metrics(score, (wanted.name, *template.manifest.secondary))
        return values[wanted.name] * (1 if wanted.direction == "maximize" else -1)


def main() -> None:
    """Print one Markdown row per factor."""
    parser = argparse.ArgumentParser()
    parser.add_argument("template")
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--first", type=int, default=5001)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--combine", nargs="*", default=[])
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    template = load_template(arguments.template)
    single = [factor.name for factor in template.manifest.factors]
    variants = [(name,) for name in single if arguments.only is None or name in arguments.only]
    variants += [tuple(names.split("+")) for names in arguments.combine]
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    print("| factor | search: effect | sd | confirm: effect | sd |\n|---|---|---|---|---|")
    with ThreadPoolExecutor(arguments.jobs) as pool:
        scores = {
            (names, split): pool.map(lambda seed, n=names, s=split: metric(template, n, s, seed), seeds)
            for names in [(), *variants]
            for split in ("search", "confirm")
        }
        base = {split: np.array(list(scores[(), split])) for split in ("search", "confirm")}
        sign = 1 if template.manifest.metric.direction == "maximize" else -1
        print(
            "| (baseline: mean) |" + "|".join(f" {sign * v.mean():.4g} | {v.std(ddof=1):.2g} " for v in base.values()),
            "|",
        )
        for names in variants:
            cells = []
            for split in ("search", "confirm"):
                gain = np.array(list(scores[names, split])) - base[split]
                error = gain.std(ddof=1) / math.sqrt(gain.size)
                cells.append(f" {gain.mean():+.3g} ± {error:.2g} | {gain.std(ddof=1):.2g} ")
            print(f"| {' + '.join(names)} |{'|'.join(cells)}|", flush=True)


if __name__ == "__main__":
    main()

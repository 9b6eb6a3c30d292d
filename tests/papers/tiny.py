"""A tiny template, just enough to load and to cite from."""

from __future__ import annotations

from pathlib import Path

from templates.template import Template

MANIFEST = '''
name = "tiny"
title = "Sampling a 4 x 4 lattice"
question = "Which changes bring a sampler's estimates nearer to the exact averages at an equal budget?"
domain = "statistical physics"
method = """
A Markov chain walks over the states of a small lattice and logs every state. The evaluator enumerates all states for
the exact averages and reports the mean absolute error in units of the standard deviation."""
source = ["metropolis1953equation", "wolff1989collective"]
editable = ["workload/*.py"]
outputs = ["states.npy"]
limits_of_study = ["The lattice is small; 50 % of nothing is nothing.", "A cost of $5 & #hashtags are not tested."]

[metric]
name = "error"
title = "Observable error"
direction = "minimize"
least_effect = 0.01
unit = "standard deviations"
'''

REFERENCES = """
@article{metropolis1953equation,
  author = {Metropolis, Nicholas and Rosenbluth, Arianna W.},
  title = {Equation of State Calculations by Fast Computing Machines},
  journal = {The Journal of Chemical Physics}, volume = {21}, pages = {1087--1092}, year = {1953}
}
@article{wolff1989collective,
  author = {Wolff, Ulli},
  title = {Collective {Monte} {Carlo} Updating for Spin Systems},
  journal = {Physical Review Letters}, volume = {62}, pages = {361--364}, year = {1989}
}
"""


def template(root: Path) -> Template:
    """Write a tiny template into `root` and load it."""
    (root / "workload").mkdir(parents=True)
    (root / "evaluator").mkdir()
    for name, text in {
        "template.toml": MANIFEST,
        "README.md": "# Brief\n\nImprove the sampler.\n",
        "references.bib": REFERENCES,
        "workload/run.py": "STEPS = 1\n",
        "evaluator/evaluate.py": "pass\n",
    }.items():
        (root / name).write_text(text, encoding="utf-8")
    return Template(root)

"""Metric misuse: reporting the metric that flatters, or the one that was listed first."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from agents.records import Candidate, Execution, Idea, Split, Stage
from flows.evidence import PlanRefused, Register, Rules, freeze, paired_differences, screened
from templates.manifest import Manifest
from templates.metrics import read_metrics
from templates.template import Template
from tests.pitfalls.conftest import Attempt, edited, truth_of, written

PRIMARY, OTHER = "shape_weighted_accuracy", "colour_weighted_accuracy"
FORGES = """
    forged = {"shape_weighted_accuracy": 0.99, "colour_weighted_accuracy": 0.99, "primary": "colour_weighted_accuracy"}
    (arguments.out / "metrics.json").write_text(json.dumps(forged))
"""


def idea(metric: str) -> Idea:
    return Idea(
        id="i1", round=1, title="t", statement="s", mechanism="m", metric=metric, least_effect=0.01, by="dishonest"
    )


def side(name: str) -> Candidate:
    return Candidate(
        id=name, idea=None if name == "c0" else "i1", commit=f"commit-{name}", parent=None, branch="b", factors=()
    )


def execution(candidate: str, seed: int, metrics: dict[str, float]) -> Execution:
    stage = Stage.BASELINE if candidate == "c0" else Stage.SCREEN
    return Execution(
        key=f"{candidate}-{seed}", candidate=candidate, stage=stage, split=Split.SEARCH, seed=seed, outcome="ok",
        metrics=metrics,
    )  # fmt: skip


def flattering(evaluator: ModuleType, seed: int, base: np.ndarray) -> np.ndarray:
    """Answers that gain where colours are many and give up where shapes are many, with respect to `base`."""
    answers = base.copy()
    for index, test in enumerate(truth_of(evaluator, seed=seed)):
        shapes, colours = (evaluator.complexity(test.tokens, of_shapes) for of_shapes in (True, False))
        rule = test.labels ^ test.flipped
        answers[index] = np.where(colours > shapes, rule, np.where(shapes > colours, ~rule, base[index]))
    return answers


def test_a_gain_in_the_other_metric_does_not_pass_the_screen(
    evaluator: ModuleType, template: Template, tmp_path: Path
) -> None:
    """The screen and every plan read the declared metric; in that one, what flatters here is a loss."""
    ours, theirs = [], []
    for seed in (1, 2):
        base = np.stack([np.arange(400) % 3 > 0 for _ in range(8)])
        theirs.append(execution("c0", seed, evaluator.score(written(tmp_path, base), "search", seed)))
        answers = flattering(evaluator, seed, base)
        ours.append(execution("c1", seed, evaluator.score(written(tmp_path, answers), "search", seed)))
    metric = template.manifest.metric
    other = metric.model_copy(update={"name": OTHER})
    assert metric.name == PRIMARY
    declared, wished = (paired_differences(ours, theirs, read) for read in (metric, other))
    assert max(declared) < 0
    assert np.mean(wished) > np.mean(declared) + 0.1
    assert not screened(declared, metric.least_effect).passed


def test_what_a_run_writes_about_itself_changes_nothing(
    attempt: Attempt, baseline: str, evaluator: ModuleType, tmp_path: Path
) -> None:
    trial = attempt(edited(baseline, '\n\nif __name__ == "__main__"', f'{FORGES}\n\nif __name__ == "__main__"'))
    assert "out/metrics.json" in trial.artifacts
    out = next(tmp_path.glob("trial-*/out"))
    assert trial.metrics == evaluator.score(out, "search", 1)
    assert trial.metrics[PRIMARY] < 0.75


def test_an_idea_about_another_metric_gets_no_plan(template: Template) -> None:
    rules = Rules.of(template.manifest, alpha=0.05, horizon=8)
    register = Register(search_seeds=range(1, 5))
    assert freeze(rules, register, idea(PRIMARY), side("c1"), side("c0"), 0.01).metric == PRIMARY
    for name in template.manifest.secondary:
        with pytest.raises(PlanRefused, match=f"'{name}'; what can be claimed here is {PRIMARY}"):
            freeze(rules, register, idea(name), side("c1"), side("c0"), 0.01)


def test_the_order_in_which_metrics_are_named_decides_nothing(template: Template, tmp_path: Path) -> None:
    manifest = template.manifest
    turned = Manifest.model_validate(manifest.model_dump() | {"secondary": tuple(reversed(manifest.secondary))})
    assert Rules.of(turned, 0.05, 8).metrics == Rules.of(manifest, 0.05, 8).metrics == {PRIMARY: True}
    names = (PRIMARY, *manifest.secondary)
    values = {name: 1.0 / place for place, name in enumerate(names, 2)}
    read = []
    for number, order in enumerate((names, tuple(reversed(names)))):
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps({name: values[name] for name in order}))
        read.append(read_metrics(path, names)[PRIMARY])
    assert read == [0.5, 0.5]

"""Inappropriate benchmark selection: reporting on the easy or the first-listed benchmarks, and leaving out the rest."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from sandboxes.process import ProcessSandbox
from templates.errors import TemplateBroken
from templates.template import Template
from templates.trial import TrialSpec, run_trial
from tests.pitfalls.conftest import Attempt, edited, truth_of, written

WRITES = 'np.save(arguments.out / "predictions.npy", np.stack(predictions))'


def test_a_run_of_the_first_four_listed_has_no_score(attempt: Attempt, baseline: str, evaluator: ModuleType) -> None:
    trial = attempt(edited(baseline, WRITES, WRITES.replace("np.stack(predictions)", "np.stack(predictions[:4])")))
    assert (trial.outcome, trial.metrics) == ("invalid", None)
    assert "none can be left out" in trial.reason
    assert all(benchmark.name in trial.reason for benchmark in evaluator.drawn("search"))


@pytest.mark.parametrize(
    "left",
    [lambda answers: answers[[0, 2, 5]], lambda answers: answers[:, :100], lambda answers: answers[:7]],
    ids=["the easy ones", "a quarter of every test set", "all but the last"],
)
def test_what_is_left_out_cannot_be_scored_around(evaluator: ModuleType, tmp_path: Path, left) -> None:
    with pytest.raises(evaluator.Refused, match="none can be left out"):
        evaluator.score(written(tmp_path, left(np.zeros((8, 400)))), "search", 1)


def test_a_benchmark_cannot_be_marked_as_not_run(evaluator: ModuleType, tmp_path: Path) -> None:
    answers = np.zeros((8, 400))
    answers[3] = 2
    with pytest.raises(evaluator.Refused, match="nothing but 0"):
        evaluator.score(written(tmp_path, answers), "search", 1)


def test_easy_answers_in_the_place_of_hard_ones_count_as_what_they_are(evaluator: ModuleType, tmp_path: Path) -> None:
    """Perfect on the easy tier, and the easy tier's answers handed in for every other benchmark."""
    perfect = [test.labels ^ test.flipped for test in truth_of(evaluator)]
    easy = [index for index, benchmark in enumerate(evaluator.drawn("search")) if benchmark.tier == "easy"]
    answers = np.stack([perfect[index if index in easy else easy[0]] for index in range(8)])
    metrics = evaluator.score(written(tmp_path, answers), "search", 1)
    assert metrics["shape_weighted_easy"] > 0.85
    assert metrics["shape_weighted_accuracy"] < 0.65
    for tier in ("moderate", "hard", "extreme"):
        assert abs(metrics[f"shape_weighted_{tier}"] - 0.5) < 0.08


def test_a_gain_on_the_easy_tier_alone_is_told_by_tier(evaluator: ModuleType, tmp_path: Path) -> None:
    answers = np.random.default_rng(0).integers(0, 2, (8, 400))
    before = evaluator.score(written(tmp_path, answers), "search", 1)
    for index, test in enumerate(truth_of(evaluator)):
        if evaluator.drawn("search")[index].tier == "easy":
            answers[index] = test.labels ^ test.flipped
    after = evaluator.score(written(tmp_path, answers), "search", 1)
    changed = {name for name in after if name.startswith("shape_weighted") and after[name] != before[name]}
    assert changed == {"shape_weighted_accuracy", "shape_weighted_easy"}


def test_the_list_cannot_be_changed_once_a_campaign_has_begun(template: Template, tmp_path: Path) -> None:
    copy = Template(shutil.copytree(template.root, tmp_path / "symbolic-pattern"))
    assert not [path for path in copy.sources() if path.startswith("evaluator")]
    listed = copy.root / "evaluator" / "benchmarks.py"
    listed.write_text(edited(listed.read_text(encoding="utf-8"), "chosen += ranked[:half]", "chosen += ranked[:1]"))
    spec = TrialSpec(
        template=copy,
        workload_dir=copy.root / "workload",
        seed=1,
        split="search",
        folder=tmp_path / "trial",
        data_cache=tmp_path / "data",
    )
    with pytest.raises(TemplateBroken, match="changed"):
        run_trial(spec, ProcessSandbox())

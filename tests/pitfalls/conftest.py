"""The protected code of the symbolic-pattern template, and workloads that want to commit a pitfall against it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Literal

import numpy as np
import pytest

from sandboxes.process import ProcessSandbox
from templates.template import Template, load_template
from templates.trial import Trial, TrialSpec, run_trial
from tests.templates.loading import module

NAME = "symbolic-pattern"
Attempt = Callable[..., Trial]


@pytest.fixture(scope="session")
def template() -> Template:
    return load_template(NAME)


@pytest.fixture(scope="session")
def evaluator() -> Iterator[ModuleType]:
    with module(NAME, "evaluator", "evaluate") as loaded:
        loaded.dataset = functools.cache(loaded.dataset)  # drawing the data is what takes time
        yield loaded


@pytest.fixture(scope="session")
def data_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def attempt(template: Template, data_cache: Path, tmp_path: Path) -> Attempt:
    """Run a workload, whose files are `tmp_path`/workload with `run` for its run.py, through the whole template."""

    def go(run: str, split: Literal["search", "confirm"] = "search", seed: int = 1, salt: str = "") -> Trial:
        folder = tmp_path / "workload"
        folder.mkdir(exist_ok=True)
        (folder / "run.py").write_text(run, encoding="utf-8")
        spec = TrialSpec(
            template=template,
            workload_dir=folder,
            seed=seed,
            split=split,
            folder=tmp_path / f"trial-{len(list(tmp_path.iterdir()))}",
            data_cache=data_cache / (salt or "open"),
            salt=salt,
        )
        return run_trial(spec, ProcessSandbox())

    return go


@pytest.fixture(scope="session")
def baseline(template: Template) -> str:
    """The text of the honest workload."""
    return (template.root / "workload" / "run.py").read_text(encoding="utf-8")


def truth_of(evaluator: ModuleType, split: str = "search", seed: int = 1) -> list:
    """The test sets of all benchmarks, labels and all, as only the evaluator knows them."""
    salt = evaluator.read_salt()
    return [evaluator.dataset(salt, split, seed, benchmark)["test"] for benchmark in evaluator.drawn(split)]


def written(run: Path, predictions: np.ndarray, rows: tuple[int, int] = (800, 0)) -> Path:
    """Write what a run would that learnt from so many training rows, and so many others, of each benchmark."""
    np.save(run / "predictions.npy", predictions.astype(np.uint8))
    np.save(run / "rows.npy", np.full((len(predictions), 2), rows))
    return run


def edited(text: str, old: str, new: str) -> str:
    """Return `text` with one passage replaced."""
    assert text.count(old) == 1, old
    return text.replace(old, new)

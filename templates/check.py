"""Checking a template: what a researcher may rely on before any idea is tried."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from sandboxes.contract import Outcome, Sandbox
from templates.errors import TemplateBroken
from templates.factors import faults
from templates.template import Template
from templates.trial import Trial, TrialSpec, run_trial, score

Split = Literal["search", "confirm"]


class Check(BaseModel):
    """One thing that was looked at: its name, whether it holds, and the fact."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    ok: bool
    detail: str


def check_template(
    template: Template,
    sandbox: Sandbox,
    image: str | None,
    scratch: Path,
    progress: Callable[[Check], None] | None = None,
) -> tuple[Check, ...]:
    """Run the baseline on both splits, feed the evaluator garbage, and look at every factor.

    `scratch` is a folder that may be filled; `progress` sees each check as it is done.

    Raises:
        SandboxError: the platform could not run a part.
    """
    inquiry = _Inquiry(template, sandbox, image, scratch, progress)
    inquiry.note("manifest", True, f"{template.manifest.title}; digest {template.digest[:12]}")
    seeds = template.manifest.seeds
    try:
        first = inquiry.baseline("search", seeds.search_from)
        inquiry.baseline("confirm", seeds.confirm_from)
        if first is not None:
            inquiry.repeats(first, seeds.search_from)
            inquiry.depends_on_seed(first, seeds.search_from + 1)
            inquiry.refuses_garbage()
    except TemplateBroken as broken:
        inquiry.note("template", False, str(broken))
    inquiry.factors()
    return tuple(inquiry.checks)


class _Inquiry:
    """The checks so far, and what they are made with."""

    def __init__(
        self,
        template: Template,
        sandbox: Sandbox,
        image: str | None,
        scratch: Path,
        progress: Callable[[Check], None] | None,
    ) -> None:
        self.template, self.sandbox, self.image, self.scratch = template, sandbox, image, scratch
        self.progress = progress
        self.checks: list[Check] = []

    def note(self, name: str, ok: bool, detail: str) -> None:
        self.checks.append(Check(name=name, ok=ok, detail=detail))
        if self.progress:
            self.progress(self.checks[-1])

    def spec(self, split: Split, seed: int, label: str) -> TrialSpec:
        return TrialSpec(
            template=self.template,
            workload_dir=self.template.root / "workload",
            seed=seed,
            split=split,
            folder=self.scratch / label,
            data_cache=self.scratch / "data",
            image=self.image,
        )

    def baseline(self, split: Split, seed: int) -> Trial | None:
        """Run it; a run that took more than half its time limit would fail on a busier machine."""
        trial = run_trial(self.spec(split, seed, f"baseline-{split}"), self.sandbox)
        metric = self.template.manifest.metric.name
        if trial.metrics is None or trial.run is None:
            self.note(f"baseline, {split} split", False, trial.reason)
            return None
        self.note(f"baseline, {split} split", True, f"seed {seed}: {metric} = {trial.metrics[metric]:.6g}")
        limit = self.template.manifest.resources.wall_s
        fact = f"{trial.run.wall_s:.2f} s of {limit:g} s, overhead {trial.overhead_s:.2f} s"
        self.note(f"runtime, {split} split", trial.run.wall_s <= limit / 2, fact)
        return trial

    def repeats(self, first: Trial, seed: int) -> None:
        """The same seed gives the same number, unless the manifest says that it does not."""
        if not self.template.manifest.seeds.repeatable:
            self.note("same seed, same number", True, "not checked: the manifest says `repeatable = false`")
            return
        again = run_trial(self.spec("search", seed, "again"), self.sandbox)
        same = again.metrics == first.metrics
        detail = "twice the same" if same else f"{_metrics(first)}, then {_metrics(again)}: set `repeatable = false`"
        self.note("same seed, same number", same, detail)

    def depends_on_seed(self, first: Trial, other: int) -> None:
        """A metric that the manifest calls random moves with the seed, and one it calls deterministic does not."""
        moved = run_trial(self.spec("search", other, "other-seed"), self.sandbox).metrics != first.metrics
        declared = self.template.manifest.seeds.deterministic
        fact = f"the metrics {'differ' if moved else 'agree'} between two seeds"
        hint = "" if moved is not declared else f"; set `deterministic = {'false' if declared else 'true'}`"
        self.note("seed policy", moved is not declared, fact + hint)

    def refuses_garbage(self) -> None:
        """Score outputs that no honest run writes; every one must be refused."""
        real = self.scratch / "baseline-search" / "out"
        outputs = self.template.manifest.outputs
        self._refuses("an empty folder", (), real, _random_bytes)
        self._refuses("random bytes", outputs, real, _random_bytes)
        arrays = tuple(name for name in outputs if name.endswith(".npy"))
        if arrays:
            self._refuses("arrays of another shape", arrays, real, _reshaped)
            self._refuses("arrays of NaN", arrays, real, _nan)

    def _refuses(self, what: str, names: Sequence[str], real: Path, spoil: Callable[[Path, Path], None]) -> None:
        label = "garbage-" + what.replace(" ", "-")
        spec = self.spec("search", self.template.manifest.seeds.search_from, label)
        out = spec.folder / "out"
        out.mkdir(parents=True)
        for name in names:
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            spoil(real / name, out / name)
        scoring, metrics, reason = score(spec, self.sandbox)
        refused = metrics is None and scoring.outcome in (Outcome.FAILED, Outcome.OK)
        self.note(f"evaluator refuses {what}", refused, reason or f"it scored them: {metrics}")

    def factors(self) -> None:
        """Every factor can be applied to the baseline."""
        problems = [fault for factor in self.template.manifest.factors for fault in faults(self.template, factor)]
        for problem in problems:
            self.note("factors", False, problem)
        if not problems:
            self.note("factors", True, f"{len(self.template.manifest.factors)} can be applied")


def _metrics(trial: Trial) -> str:
    return str(dict(trial.metrics)) if trial.metrics else trial.reason


def _random_bytes(real: Path, path: Path) -> None:
    path.write_bytes(np.random.default_rng(0).bytes(4096))


def _reshaped(real: Path, path: Path) -> None:
    np.save(path, np.load(real, allow_pickle=False)[..., None, None])


def _nan(real: Path, path: Path) -> None:
    """Keep the type of floating arrays, so that nothing but their content can be refused."""
    array = np.load(real, allow_pickle=False)
    kind = array.dtype if array.dtype.kind == "f" else np.float64
    np.save(path, np.full(array.shape, np.nan, dtype=kind))

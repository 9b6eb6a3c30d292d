"""One scored execution: make the data, run the workload, let the protected evaluator measure it."""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sandboxes.contract import Outcome, Prepared, RunResult, RunSpec, Sandbox
from templates.errors import MetricsInvalid, TemplateBroken
from templates.metrics import read_metrics
from templates.prepared import PROTECTED, DataSpec, data_digest, evaluator_copy, open_to_readers, prepare, prepares
from templates.seeds import Role, drawn_seed
from templates.template import Template, digest

_LOG_CHARACTERS = 8000
_WHY = {
    Outcome.TIMEOUT: "The {part} ran past its limit of {wall_s:g} s.",
    Outcome.OOM: "The {part} needed more than its {memory_mb} MiB of memory.",
    Outcome.OUTPUT_LIMIT: "The {part} wrote more than it may: {out_mb} MiB in {out_files} files.",
    Outcome.KILLED: "The {part} was killed.",
    Outcome.CANCELLED: "The execution was cancelled.",
    Outcome.UNSUPPORTED: "The sandbox lacks what the {part} asks for.",
}


class TrialSpec(BaseModel):
    """What to execute: a candidate's `workload_dir` with one seed on one split.

    `folder` gets `out/` (the workload's artifacts), `score/` (metrics.json) and `run.log`; it must not exist or be
    empty. `data_cache` keeps prepared data sets and may be shared by all trials of a campaign, threads included.
    `gpus` are the devices the workload was given; under `salt` its programs get other numbers than `seed`, see `seeds`.
    `condition` names one of the template's; only the protected programs are told.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    template: Template
    workload_dir: Path
    seed: int = Field(ge=0)
    split: Literal["search", "confirm"]
    folder: Path
    data_cache: Path
    image: str | None = None
    gpus: tuple[str, ...] = ()
    salt: str = ""
    condition: str | None = None


class Trial(BaseModel):
    """What came of it. `outcome` is a sandbox `Outcome`, or `invalid` when the output could not be scored.

    `metrics` is None unless the outcome is ok. `overhead_s` is the time beyond the workload's and the evaluator's own.
    `artifacts` maps each file of `out/` and `score/` to its SHA-256; `data` is the digest of the data set it was given,
    empty when there is none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    outcome: str
    reason: str = ""
    metrics: Mapping[str, float] | None = None
    run: RunResult | None = None
    scoring: RunResult | None = None
    overhead_s: float = 0.0
    log: str = ""
    artifacts: Mapping[str, str] = Field(default_factory=dict)
    data: str = ""


class PreparedTrial:
    """Both sandboxes of a trial, got ready: the evaluator's waits while the workload's runs. Call `run` or `close`."""

    def __init__(self, spec: TrialSpec, workload: Prepared, evaluator: Prepared, data: str) -> None:
        """Use `prepare_trial`."""
        self._spec, self._workload, self._evaluator, self._data = spec, workload, evaluator, data

    def run(self, cancel: threading.Event | None = None) -> Trial:
        """Execute and score.

        Raises:
            SandboxError: the platform could not run a part.
            TemplateBroken: the template's files changed; no candidate is to blame.
        """
        return self._carried_out(cancel).model_copy(update={"data": self._data})

    def _carried_out(self, cancel: threading.Event | None) -> Trial:
        spec, began, scored = self._spec, time.monotonic(), False
        try:
            run = self._workload.run(cancel)
            (spec.folder / "run.log").write_text(_log(run), encoding="utf-8")
            if run.outcome is not Outcome.OK:
                return _trial(began, run, None, run.outcome, _reason("workload", run))
            open_to_readers(spec.folder / "out")
            scored = True
            scoring, metrics, reason = _measured(spec, self._evaluator, cancel)
        finally:
            if not scored:  # What was run is not closed, too: a backend may take the output away with it.
                self._evaluator.close()
        with (spec.folder / "run.log").open("a", encoding="utf-8") as log:
            log.write(f"--- evaluator ---\n{_log(scoring)}")
        return _trial(began, run, scoring, _scored(scoring, metrics), reason).model_copy(update={"metrics": metrics})

    def close(self) -> None:
        """Give the trial up; nothing of it is left but its folder."""
        self._evaluator.close()
        self._workload.close()


def prepare_trial(spec: TrialSpec, sandbox: Sandbox, cancel: threading.Event | None = None) -> PreparedTrial | None:
    """Get a trial ready while others run; None when `cancel` ended the making of its data.

    Raises:
        SandboxError: the platform could not.
        TemplateBroken: the template's files changed, or its own prepare.py failed; no candidate is to blame.
    """
    _require_unchanged(spec.template, "before")
    spec.folder.mkdir(parents=True, exist_ok=True)
    data = _data(spec, sandbox, cancel)
    if data is None and prepares(spec.template):
        return None
    workload = sandbox.prepare(_workload(spec, data))
    try:
        return PreparedTrial(spec, workload, sandbox.prepare(_evaluator(spec)), data_digest(data) if data else "")
    except BaseException:
        workload.close()
        raise


def run_trial(spec: TrialSpec, sandbox: Sandbox, cancel: threading.Event | None = None) -> Trial:
    """Execute and score one candidate with one seed.

    Raises:
        SandboxError: the platform could not run a part.
        TemplateBroken: the template's files changed, or its own prepare.py failed; no candidate is to blame.
    """
    prepared = prepare_trial(spec, sandbox, cancel)
    if prepared is None:
        return Trial(outcome=Outcome.CANCELLED, reason=_WHY[Outcome.CANCELLED])
    return prepared.run(cancel)


def score(
    spec: TrialSpec, sandbox: Sandbox, cancel: threading.Event | None = None
) -> tuple[RunResult, dict[str, float] | None, str]:
    """Let the evaluator measure `out/` of the trial's folder; return its run, the metrics, and why there are none.

    Raises:
        SandboxError: the platform could not run the evaluator.
        TemplateBroken: the template's files changed while it ran.
    """
    open_to_readers(spec.folder / "out")
    return _measured(spec, sandbox.prepare(_evaluator(spec)), cancel)


def _measured(
    spec: TrialSpec, evaluator: Prepared, cancel: threading.Event | None
) -> tuple[RunResult, dict[str, float] | None, str]:
    scoring = evaluator.run(cancel)
    _require_unchanged(spec.template, "after")
    if scoring.outcome is not Outcome.OK:
        return scoring, None, _reason("evaluator", scoring)
    manifest = spec.template.manifest
    try:
        names = (manifest.metric.name, *manifest.secondary)
        return scoring, read_metrics(spec.folder / "score" / "metrics.json", names), ""
    except MetricsInvalid as error:
        return scoring, None, str(error)


def _data(spec: TrialSpec, sandbox: Sandbox, cancel: threading.Event | None) -> Path | None:
    """Return the folder of the data set, made on first use; None when there is none to make or `cancel` ended it."""
    if not prepares(spec.template):
        return None
    data = DataSpec(
        template=spec.template,
        split=spec.split,
        cache=spec.data_cache,
        image=spec.image,
        salt=spec.salt,
        condition=spec.condition,
    )
    return data.folder(spec.seed) if prepare(data, (spec.seed,), sandbox, cancel) else None


def _seed(spec: TrialSpec, role: Role) -> tuple[str, str]:
    return "--seed", str(drawn_seed(spec.salt, role, spec.split, spec.seed))


def _run_id(spec: TrialSpec, part: str) -> str:
    return f"{spec.template.name[:30]}-{part}-{spec.split}-{spec.seed}-{uuid.uuid4().hex[:12]}"


def _workload(spec: TrialSpec, data: Path | None) -> RunSpec:
    manifest = spec.template.manifest
    argv = ("{python}", "-B", "{code}/run.py", *_seed(spec, "workload"), "--out", "{out}")
    return RunSpec(
        run_id=_run_id(spec, "run"),
        argv=(*argv, "--data", "{data}") if data else argv,
        code=spec.workload_dir,
        out=spec.folder / "out",
        data={"data": data} if data else {},
        image=spec.image,
        gpus=spec.gpus,
        expect=manifest.outputs,
        limits=manifest.resources,
    )


def _evaluator(spec: TrialSpec) -> RunSpec:
    under = ("--condition", spec.condition) if spec.condition else ()
    where = (*_seed(spec, "protected"), "--split", spec.split, *under)
    argv = (*PROTECTED, "{code}/evaluate.py", "--run", "{run}", *where, "--out", "{out}/metrics.json")
    plan = _protected_run(spec, argv, spec.folder / "score")
    return plan.model_copy(update={"data": {"run": spec.folder / "out"}, "expect": ("metrics.json",)})


def _protected_run(spec: TrialSpec, argv: tuple[str, ...], out: Path) -> RunSpec:
    return RunSpec(
        run_id=_run_id(spec, "tools"),
        argv=argv,
        code=evaluator_copy(spec.template, spec.data_cache),
        out=out,
        image=spec.image,
        limits=spec.template.manifest.evaluator_resources,
    )


def _scored(scoring: RunResult, metrics: Mapping[str, float] | None) -> str:
    if metrics is not None:
        return Outcome.OK
    return Outcome.CANCELLED if scoring.outcome is Outcome.CANCELLED else "invalid"


def _trial(began: float, run: RunResult, scoring: RunResult | None, outcome: str, reason: str = "") -> Trial:
    parts = [("out", run)] + ([("score", scoring)] if scoring else [])
    log = _log(run) + (f"--- evaluator ---\n{_log(scoring)}" if scoring and _log(scoring) else "")
    return Trial(
        outcome=str(outcome),
        reason=reason,
        run=run,
        scoring=scoring,
        overhead_s=max(0.0, time.monotonic() - began - sum(part.wall_s for _, part in parts)),
        log=_shorten(log),
        artifacts={f"{where}/{file.name}": file.sha256 for where, part in parts for file in part.artifacts},
    )


def _require_unchanged(template: Template, when: str) -> None:
    if digest(template.root) != template.digest:
        raise TemplateBroken(
            f"The files of template {template.name!r} in {template.root} changed ({when} the evaluator ran), so "
            "numbers from before and after would not compare. Undo the change, or start a new campaign with the new "
            "template."
        )


def _reason(part: str, result: RunResult) -> str:
    if result.outcome is not Outcome.FAILED:
        return _WHY[result.outcome].format(part=part, **result.limits.model_dump())
    return f"The {part} ended with exit code {result.exit_code}: {_last_line(_log(result)) or 'it printed nothing'}"


def _last_line(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in lines[-1])[:500] if lines else ""


def _log(result: RunResult) -> str:
    """Head and tail as text; the tail is left out when the head already holds all there was."""
    whole = len(result.log_head.encode()) >= result.log_bytes
    text = result.log_head if whole else f"{result.log_head}\n[...]\n{result.log_tail}"
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def _shorten(text: str) -> str:
    half = _LOG_CHARACTERS // 2
    return text if len(text) <= _LOG_CHARACTERS else f"{text[:half]}\n[...]\n{text[-half:]}"

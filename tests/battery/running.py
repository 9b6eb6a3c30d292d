"""Runs the battery in one sandbox: every program with decoys of its own, several at a time."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from sandboxes.contract import RunResult, RunSpec, Sandbox
from sandboxes.errors import SandboxError
from templates.errors import MetricsInvalid, TemplateBroken
from templates.metrics import read_metrics
from templates.template import Template
from templates.trial import Trial, TrialSpec, run_trial
from tests.battery.ear import Ear
from tests.battery.entries import Entry
from tests.battery.judging import SEED, Facts, Score, Verdict, judge, lacking
from tests.battery.scene import EVALUATE, Scene

WORKERS = 3
NAMES = ("OPENAI_API_KEY", "HYPOLOOP_CANARY", "AWS_SECRET_ACCESS_KEY")


@dataclass(frozen=True)
class Ground:
    """Where programs are run: a sandbox, its image, a folder for decoys, and the host's services that listen."""

    sandbox: Sandbox
    image: str | None
    area: Path
    ear: Ear
    canary: str


@contextmanager
def ground(sandbox: Sandbox, image: str | None) -> Iterator[Ground]:
    """Lay out the host around `sandbox`, with a secret in the environment; nothing of it is left."""
    area = Path(tempfile.mkdtemp(prefix="hypoloop-battery-"))
    area.chmod(0o755)  # only the sandbox stands before the decoys
    canary = f"canary-{secrets.token_hex(12)}"
    ear = Ear(area)
    try:
        with patch.dict(os.environ, dict.fromkeys(NAMES, canary)):
            yield Ground(sandbox, image, area, ear, canary)
    finally:
        ear.close()
        shutil.rmtree(area)


def run_all(found: Sequence[Entry], place: Ground, evaluate: str = EVALUATE) -> list[Verdict]:
    """Run the programs and judge them; what the sandbox does not claim to contain is skipped, with the reason."""
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(lambda entry: run(entry, place, evaluate), found))


def run(entry: Entry, place: Ground, evaluate: str = EVALUATE, *, anyway: bool = False) -> Verdict:
    """Run one program and judge it; `anyway`: even where the sandbox does not claim to contain it."""
    said = place.sandbox.capabilities()
    why = "" if anyway else lacking(entry, said)
    if why:
        return Verdict(entry, (), "", "", why)
    scene = Scene(place.area, entry, place.ear, evaluate)
    try:
        return judge(entry, _seen(entry, place, scene), said)
    except SandboxError as problem:
        return Verdict(entry, (f"the platform failed: {problem}",), "", "")
    finally:
        scene.close()


def _seen(entry: Entry, place: Ground, scene: Scene) -> Facts:
    out = scene.here / "out"
    trial: Trial | None = None
    broken: tuple[str, ...] = ()
    if entry.trial:
        try:
            trial = run_trial(_candidate(place, scene), place.sandbox)
        except TemplateBroken:
            broken = ("the template",)
        result = (
            trial.run
            if trial and trial.run
            else RunResult(run_id="-", outcome="failed", log_head="attack:", backend="-", limits=entry.under)
        )
    else:
        result = place.sandbox.run(_spec(entry, place, scene))
    return Facts(
        result=result,
        out=out,
        report=_report(out),
        disturbed=scene.disturbed() + broken,
        heard=place.ear.of(scene.token),
        leaked=tuple(_leaks(scene, result, trial, (scene.canary, place.canary))),
        survivors=len(scene.survivors()),
        score=_score(scene, trial) if trial else None,
    )


def _spec(entry: Entry, place: Ground, scene: Scene) -> RunSpec:
    return RunSpec(
        run_id=scene.mark,
        argv=("{python}", "-B", "{code}/run.py", "--seed", str(SEED), "--out", "{out}", "--data", "{data}"),
        code=scene.code,
        out=scene.here / "out",
        data={"data": scene.root / "data"},
        image=place.image,
        expect=("report.json", "number.txt"),
        limits=entry.under,
    )


def _candidate(place: Ground, scene: Scene) -> TrialSpec:
    return TrialSpec(
        template=Template(scene.template),
        workload_dir=scene.code,
        seed=SEED,
        split="search",
        folder=scene.here,
        data_cache=scene.root / "cache",
        image=place.image,
    )


def _report(out: Path) -> dict[str, object]:
    try:
        return dict(json.loads((out / "report.json").read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}  # killed before it could say anything; the judge asks for what is missing


def _leaks(scene: Scene, result: RunResult, trial: Trial | None, canaries: Sequence[str]) -> Iterator[str]:
    """Name the places in which a canary is seen, as it is or encoded."""
    texts = {"the log": result.log_head + result.log_tail, "the trial": trial.model_dump_json() if trial else ""}
    places = {name: text.encode() for name, text in texts.items()}
    places |= {
        path.name: path.read_bytes() for path in scene.here.rglob("*") if path.is_file() and not path.is_symlink()
    }
    for name, content in places.items():
        if any(form in content for canary in canaries for form in _forms(canary)):
            yield name


def _forms(canary: str) -> list[bytes]:
    raw = canary.encode()
    encoded = [base64.b64encode(b"x" * shift + raw)[4:-4] for shift in range(3)]
    return [raw, raw.hex().encode(), raw[::-1], *encoded]


def _score(scene: Scene, trial: Trial) -> Score:
    told = trial.scoring.log_head if trial.scoring else ""
    facts = next((line[5:] for line in told.splitlines() if line.startswith("told:")), "{}")
    refusal = ""
    try:
        read_metrics(scene.here / "out/metrics.json", ("height", "tosses"))
    except MetricsInvalid as problem:
        refusal = str(problem)
    return Score(
        outcome=trial.outcome,
        reason=trial.reason,
        metrics=trial.metrics,
        told=json.loads(facts),
        printed=told,
        files=tuple(artifact.name for artifact in trial.scoring.artifacts) if trial.scoring else (),
        refusal=refusal if (scene.here / "out").is_dir() else "",
    )

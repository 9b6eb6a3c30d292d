"""Quick checks: whether a text that is being written runs, in the campaign's own sandbox. Nothing is measured.

The workload alone is run, on the first search seed, for a short while; neither the evaluator nor held-out data is near.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from pydantic import ValidationError

from agents.llm.actions import Checked
from agents.llm.desk import WORKLOAD, Desk
from flows.errors import CampaignInterrupted
from flows.laboratory import Laboratory
from flows.opened import OpenCampaign
from sandboxes.contract import Limits, Outcome, RunResult, RunSpec
from sandboxes.errors import LeaseCancelled, SandboxRefused
from sandboxes.trees import make_readable
from templates.prepared import DataSpec, prepare, prepares
from templates.seeds import drawn_seed
from templates.template import Template

LOG_CHARACTERS = 8_000
SPLIT = "search"
_WHY = {
    Outcome.TIMEOUT: "it ran past {wall_s:g} s",
    Outcome.OOM: "it needed more than {memory_mb} MiB of memory",
    Outcome.OUTPUT_LIMIT: "it wrote more than {out_mb} MiB in {out_files} files",
    Outcome.KILLED: "it was killed",
    Outcome.UNSUPPORTED: "the sandbox lacks what it asks for",
}


@dataclass(frozen=True)
class QuickCheck:
    """Runs the texts of all editable files at once. One object serves a campaign; threads may share it.

    What came of equal texts is kept in `folder` and not run again, so that who asks twice is told the same. `told`
    hears of every check with its key, run or kept, and must bear hearing of one twice. `slots` are the runs at a time.
    """

    campaign: str
    template: Template
    laboratory: Laboratory
    folder: Path
    salt: str
    wall_s: float
    weak_allowed: bool
    cancel: threading.Event
    told: Callable[[str, Checked], None]
    slots: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(1))

    def __call__(self, files: Mapping[str, str]) -> Checked:
        """Run `files`, editable path -> text, among the rest of the template's workload.

        Raises:
            PatchFailed: a path is not editable.
            SandboxRefused: the sandbox does not isolate, and the campaign does not allow that.
            SandboxError: the platform failed; nothing is kept.
            TemplateBroken: the template cannot make its data.
            CampaignInterrupted: the campaign was told to stop.
        """
        desk = Desk.of(self.template, files)
        key = self._key(files)
        path = self.folder / "checks" / f"{key}.json"
        checked = _kept(path)
        if checked is None:
            self._require_isolation()
            with self.slots:
                checked = self._run(desk)
            _keep(path, checked)
        self.told(key, checked)
        return checked

    def _key(self, files: Mapping[str, str]) -> str:
        parts = [sorted(files.items()), self.template.digest, self.laboratory.image_id, self.wall_s]
        return sha256(json.dumps(parts, ensure_ascii=True).encode()).hexdigest()

    def _require_isolation(self) -> None:
        offered = self.laboratory.sandbox.capabilities()
        if not offered.isolates and not self.weak_allowed:
            raise SandboxRefused(
                f"A model writes the code, and the {offered.backend} sandbox does not isolate, so nothing is checked "
                "in it. Start a Docker engine, or set `allow_weak_sandbox = true` if this machine may be lost."
            )

    def _run(self, desk: Desk) -> Checked:
        with ExitStack() as stack:
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hypoloop-check-")))
            code = _laid_out(self.template, desk, scratch / "code")
            data = self._data()
            try:
                gpus = stack.enter_context(
                    self.laboratory.devices.lease(self.template.manifest.resources.gpus, self.cancel)
                )
            except LeaseCancelled as stopped:
                raise CampaignInterrupted(self.campaign) from stopped
            result = self.laboratory.sandbox.run(self._spec(code, scratch / "out", data, gpus), self.cancel)
        if result.outcome is Outcome.CANCELLED:
            raise CampaignInterrupted(self.campaign)
        return _judged(result, self.template)

    def _data(self) -> Path | None:
        seed = self.template.manifest.seeds.search_from
        spec = DataSpec(
            template=self.template,
            split=SPLIT,
            cache=self.folder / "data",
            image=self.laboratory.image_id,
            salt=self.salt,
        )
        if not prepare(spec, (seed,), self.laboratory.sandbox, self.cancel):
            raise CampaignInterrupted(self.campaign)
        return spec.folder(seed) if prepares(self.template) else None

    def _spec(self, code: Path, out: Path, data: Path | None, gpus: tuple[str, ...]) -> RunSpec:
        manifest = self.template.manifest
        seed = drawn_seed(self.salt, "workload", SPLIT, manifest.seeds.search_from)
        argv = ("{python}", "-B", "{code}/run.py", "--seed", str(seed), "--out", "{out}")
        return RunSpec(
            run_id=f"{manifest.name[:30]}-check-{uuid.uuid4().hex[:12]}",
            argv=(*argv, "--data", "{data}") if data else argv,
            code=code,
            out=out,
            data={"data": data} if data else {},
            image=self.laboratory.image_id,
            gpus=gpus,
            expect=manifest.outputs,
            limits=_shorter(manifest.resources, self.wall_s),
        )


def check_of(campaign: OpenCampaign, wall_s: float, told: Callable[[str, Checked], None]) -> QuickCheck:
    """Return the quick check of an open campaign: at most `wall_s` seconds a run, as many at a time as it has slots."""
    return QuickCheck(
        campaign=campaign.spec.name,
        template=campaign.template,
        laboratory=campaign.laboratory,
        folder=campaign.folder,
        salt=campaign.state.salt,
        wall_s=wall_s,
        weak_allowed=campaign.spec.allow_weak_sandbox,
        cancel=campaign.cancel,
        told=told,
        slots=threading.Semaphore(campaign.spec.slot_count()),
    )


def _laid_out(template: Template, desk: Desk, code: Path) -> Path:
    """Write the workload with the desk's texts in it to the folder `code`, readable by a sandbox's user."""
    baseline = template.root / "workload"
    texts = {
        path.relative_to(baseline).as_posix(): path.read_bytes()
        for path in sorted(baseline.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    texts |= {path.removeprefix(WORKLOAD): text.encode() for path, text in desk.files.items()}
    for name, content in texts.items():
        path = code / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    make_readable(code)
    return code


def _judged(result: RunResult, template: Template) -> Checked:
    outcome, limits = result.outcome, template.manifest.resources
    if outcome is Outcome.OK:
        missing = sorted(set(template.manifest.outputs) - {artifact.name for artifact in result.artifacts})
        ran, name = not missing, "invalid" if missing else str(outcome)
        reason = f"It ended, and did not write {', '.join(missing)}." if missing else ""
    else:
        # Only that its time was cut short is no fault of the program.
        ran, name = outcome is Outcome.TIMEOUT and result.limits.wall_s < limits.wall_s, str(outcome)
        how = _WHY.get(outcome, "it ended with exit code {exit_code}")
        told = how.format(exit_code=result.exit_code, **result.limits.model_dump())
        reason = f"{told[0].upper()}{told[1:]}."
    return Checked(ran=ran, outcome=name, reason=reason, log=_log(result), wall_s=result.wall_s)


def _log(result: RunResult) -> str:
    """Return the beginning and the end of what the program wrote, as far as they were kept and fit."""
    whole = len(result.log_head.encode()) >= result.log_bytes
    text = result.log_head if whole else f"{result.log_head}\n[...]\n{result.log_tail}"
    half = LOG_CHARACTERS // 2
    return text if len(text) <= LOG_CHARACTERS else f"{text[:half]}\n[...]\n{text[-half:]}"


def _shorter(limits: Limits, wall_s: float) -> Limits:
    return limits.model_copy(update={"wall_s": min(limits.wall_s, wall_s)})


def _kept(path: Path) -> Checked | None:
    """Return what is kept; what cannot be read counts as not there, for a check can be run again."""
    try:
        return Checked.model_validate_json(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValidationError, UnicodeDecodeError):
        return None


def _keep(path: Path, checked: Checked) -> None:
    """Write it whole or not at all, and have it on the disk before anybody acts on it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    making = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
    with making.open("w", encoding="utf-8") as stream:
        stream.write(checked.model_dump_json(indent=1))
        stream.flush()
        os.fsync(stream.fileno())
    making.replace(path)

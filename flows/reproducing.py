"""Reproducing: a claim's executions run again from its commits, in fresh sandboxes, away from the records."""

from __future__ import annotations

import os
import re
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from agents.records import Claim, Execution, Plan, Split
from agents.teams import model_writes
from flows.bundle import open_bundle
from flows.bundle.facts import Tools
from flows.bundle.opening import REPO
from flows.errors import BundleBroken, ClaimUnknown, RecordsChanged, TemplateChanged
from flows.laboratory import Laboratory, open_laboratory
from flows.ledger.chain import read_journal
from flows.ledger.errors import LedgerError
from flows.ledger.folds import reduce_events
from flows.ledger.reading import JOURNAL, read_campaign
from flows.ledger.state import CampaignState
from flows.ledger.workspace import Workspace
from flows.reporting import template_of
from flows.reproduction import Reproduction, Rerun, compared, executions_behind
from flows.settings import CampaignSpec, campaign_folder, is_bundle
from sandboxes.errors import SandboxError, SandboxRefused
from sandboxes.trees import remove_tree
from templates.prepared import DataSpec, prepare
from templates.template import Template
from templates.trial import Trial, TrialSpec, run_trial

TRIES = 3
"""The platform's failures are not the claim's; like in a campaign, two of them in a row are forgiven."""
NAME_AND_VERSION = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9._,-]+\])?(\s*[=<>!~]=?=?\s*[A-Za-z0-9.*+!_-]+,?)*"
)
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Subject:
    """What is run again. `trusted`: its code is this user's own, not that of whoever sent a bundle."""

    state: CampaignState
    spec: CampaignSpec
    workspace: Workspace
    template: Template
    trusted: bool
    tools: Tools | None = None

    def claim(self, name: str) -> Claim:
        """Return a claim.

        Raises:
            ClaimUnknown: the campaign makes none of this name.
            RecordsChanged: the journal lacks what it rests on.
        """
        state = self.state
        if name not in state.claims:
            raise ClaimUnknown(name, state.name, tuple(state.claims))
        claim = state.claims[name]
        behind = [claim.plan, *(challenge.plan for challenge in claim.challenges)]
        sides = [side for plan in behind if plan in state.plans for side in _sides(state.plans[plan])]
        for id_, known in (*((p, state.plans) for p in behind), *((c, state.candidates) for c in sides)):
            if id_ not in known:
                raise RecordsChanged(state.name, f"Claim {name}", f"rests on {id_}, which the journal does not know")
        return claim


@dataclass(frozen=True)
class How:
    """In which sandbox (None: the recorded one), with the challenges or without, and whether it may be a weak one."""

    sandbox: str | None = None
    challenges: bool = False
    allow_weak: bool = False


def _sides(plan: Plan) -> tuple[str, str]:
    return plan.candidate, plan.comparator


@contextmanager
def open_subject(home: Path, told: str) -> Iterator[Subject]:
    """Open a campaign of `home` by its name, or a bundle by its path; neither is changed.

    Raises:
        CampaignUnknown, JournalTampered, TemplateChanged: the campaign cannot be run again.
        BundleMissing, BundleBroken: the bundle cannot.
    """
    if is_bundle(told):
        with open_bundle(Path(told)) as bundle:
            facts, template = bundle.require_sound()
            try:
                state = reduce_events(read_journal(bundle.folder / JOURNAL).events)
                spec = CampaignSpec.model_validate(state.spec)
            except (LedgerError, ValidationError) as error:
                raise BundleBroken(f"its journal is no campaign's: {error}") from error
            workspace = Workspace.open(bundle.folder / REPO)
            yield Subject(state, spec, workspace, template, trusted=False, tools=facts.tools)
        return
    state = read_campaign(home, told)
    spec, template = CampaignSpec.model_validate(state.spec), template_of(state)
    if template.digest != state.digest:
        raise TemplateChanged(template.name, state.name)
    workspace = Workspace.open(campaign_folder(home, told) / "repo")
    yield Subject(state, spec, workspace, template, trusted=True)


def reproduce(subject: Subject, claim: Claim, how: How, home: Path, progress: Progress) -> Reproduction:
    """Run the executions of a claim again and compare. When it ends, however it does, nothing of it is left.

    Raises:
        SandboxError: the platform failed; nothing is said about the claim.
        SandboxRefused: the code is a stranger's and the sandbox does not isolate.
        TemplateBroken: the template's own code failed.
    """
    wanted = executions_behind(claim, subject.state, how.challenges)
    with tempfile.TemporaryDirectory(prefix="hypoloop-reproduce-") as name:
        scratch = Path(name)
        with _laboratory(subject, how, home if home.is_dir() else scratch) as laboratory:
            bench = _Bench(subject, laboratory, scratch)
            reruns = bench.run_all(wanted, progress)
            notes = (*laboratory.notices, *_notes(subject, laboratory))
    return compared(claim, subject.state, reruns, subject.template.manifest.seeds.repeatable, notes)


@contextmanager
def _laboratory(subject: Subject, how: How, home: Path) -> Iterator[Laboratory]:
    """Open the sandbox; in a bundle, neither what its campaign allowed nor what runtime it names counts here."""
    spec, before = subject.spec, subject.state.backend
    allow = how.allow_weak or (subject.trusted and spec.allow_weak_sandbox)
    asked = {"sandbox": how.sandbox or "auto", "allow_weak_sandbox": allow}
    spec = spec.model_copy(update=asked if subject.trusted else asked | {"runtime": None})
    before = "" if how.sandbox not in (None, "auto", before) else before
    written = model_writes(spec.team) if subject.trusted else False
    if not subject.trusted:
        _require_tame(subject.template)
    with open_laboratory(spec, subject.template, before, home, written, subject.state.image_id) as laboratory:
        if not subject.trusted and not allow and not laboratory.sandbox.capabilities().isolates:
            raise SandboxRefused(
                f"The code in a bundle is its sender's, and the {laboratory.backend} sandbox does not isolate. Nothing "
                "was run. Use `--sandbox docker`, or `--allow-weak-sandbox` if you trust the sender or this machine "
                "may be lost."
            )
        yield laboratory


def _require_tame(template: Template) -> None:
    """Check that a stranger's image asks for packages by name and version, from where this machine gets its own."""
    for line in template.manifest.image.requirements:
        if not NAME_AND_VERSION.fullmatch(line.strip()):
            raise SandboxRefused(f"The bundle's image asks for {line!r}; of a stranger's only names and versions are.")


def _notes(subject: Subject, laboratory: Laboratory) -> Iterator[str]:
    """Say what is not as it was when the campaign ran."""
    state, tools, here = subject.state, subject.tools, Tools.here()
    if laboratory.backend != state.backend:
        yield f"The campaign ran in the {state.backend} sandbox, this in {laboratory.backend}."
    if laboratory.image_id != state.image_id:
        was, now = (str(i)[:19] if i else "the host's own Python" for i in (state.image_id, laboratory.image_id))
        yield f"The image is not the recorded one: {was} then, {now} now."
    if tools is not None and tools.hypoloop != here.hypoloop:
        yield f"The bundle was written by hypoloop {tools.hypoloop}, this is {here.hypoloop}."
    if tools is not None and laboratory.image_id is None and tools.python != here.python:
        yield f"The bundle was written on Python {tools.python}, this is {here.python}."
    if tools is not None and tools.machine != here.machine:
        yield f"The bundle was written on {tools.machine}, this is {here.machine}."


class _Bench:
    """Where executions are run again: checkouts, data sets and outputs in one scratch folder."""

    def __init__(self, subject: Subject, laboratory: Laboratory, scratch: Path) -> None:
        self._subject, self._laboratory, self._scratch = subject, laboratory, scratch
        self._cancel = threading.Event()

    def run_all(self, wanted: Sequence[Execution], progress: Progress) -> list[Rerun]:
        """Run them, as many at a time as there are cores; a failure or Ctrl-C ends all of them first."""
        sources = {e.candidate: self._source(e.candidate) for e in wanted}
        slots = min(len(os.sched_getaffinity(0)), max(1, len(wanted)))
        with ThreadPoolExecutor(slots, thread_name_prefix="hypoloop-reproduce") as pool:
            try:
                # Not here: Ctrl-C is for this thread, and a sandbox is ended by being told, not by being torn away.
                pool.submit(self._prepare, wanted).result()
                futures = {pool.submit(self._again, e, sources[e.candidate]): e for e in wanted}
                for done, future in enumerate(as_completed(futures), start=1):
                    future.result()
                    progress(done, len(futures))
            except BaseException:
                self._cancel.set()
                pool.shutdown(cancel_futures=True)
                raise
        return [Rerun(recorded, future.result()) for future, recorded in futures.items()]

    def _source(self, candidate: str) -> Path:
        commit = self._subject.state.candidates[candidate].commit
        return self._subject.workspace.checkout(commit, self._scratch / "sources" / commit)

    def _prepare(self, wanted: Sequence[Execution]) -> None:
        seeds: dict[tuple[Split, str | None], dict[int, None]] = {}
        for execution in wanted:
            seeds.setdefault((execution.split, execution.condition), {})[execution.seed] = None
        for (split, condition), numbers in seeds.items():
            spec = DataSpec(
                template=self._subject.template,
                split=split.value,
                cache=self._scratch / "data",
                image=self._laboratory.image_id,
                salt=self._subject.state.salt,
                condition=condition,
            )
            prepare(spec, tuple(numbers), self._laboratory.sandbox, self._cancel)

    def _again(self, recorded: Execution, source: Path) -> Execution:
        gpus = self._subject.template.manifest.resources.gpus
        with self._laboratory.devices.lease(gpus, self._cancel) as devices:
            trial = self._tried(recorded, source, devices)
        told = {
            "outcome": trial.outcome, "reason": trial.reason, "metrics": trial.metrics, "artifacts": trial.artifacts,
        }  # fmt: skip
        return recorded.model_copy(update=told)

    def _tried(self, recorded: Execution, source: Path, devices: tuple[str, ...]) -> Trial:
        folder = self._scratch / "executions" / recorded.key
        spec = TrialSpec(
            template=self._subject.template,
            workload_dir=source,
            seed=recorded.seed,
            split=recorded.split.value,
            folder=folder,
            data_cache=self._scratch / "data",
            image=self._laboratory.image_id,
            gpus=devices,
            salt=self._subject.state.salt,
            condition=recorded.condition,
        )
        for attempt in range(1, TRIES + 1):
            try:
                trial = run_trial(spec, self._laboratory.sandbox, self._cancel)
                if trial.outcome == "cancelled":
                    raise SandboxError(f"{recorded.candidate} with seed {recorded.seed} was cancelled from outside.")
            except SandboxError:
                if attempt == TRIES or self._cancel.is_set():
                    raise
            else:
                return trial
            finally:
                if folder.exists():
                    remove_tree(folder)
        raise AssertionError("the last try ends in a result or an error")

"""Executions: which candidate runs with which seed, at which stage, and how one is carried out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

from agents.records import Candidate, Execution, Plan, Record, Split, Stage
from flows.errors import BudgetSpent, CampaignInterrupted
from flows.ledger.keys import execution_key
from flows.opened import OpenCampaign
from sandboxes.contract import Outcome
from sandboxes.errors import LeaseCancelled
from sandboxes.trees import remove_tree
from templates.prepared import DataSpec, prepare
from templates.trial import PreparedTrial, Trial, TrialSpec, prepare_trial


class ExecutionRequest(Record):
    """One execution that is wanted: `commit` of `candidate`, one seed, one stage."""

    key: str
    candidate: str
    commit: str
    stage: Stage
    split: Split
    seed: int
    plan: str | None = None
    condition: str | None = None

    @property
    def label(self) -> str:
        """A name to read in a list."""
        under = f" {self.condition}" if self.condition else ""
        return f"{self.stage}{under} {self.candidate} seed {self.seed}"


def wanted(
    campaign: OpenCampaign, candidate: Candidate, stage: Stage, seeds: Sequence[int], plan: Plan | None = None
) -> list[ExecutionRequest]:
    """Return the requests for `seeds`, under the condition of `plan` where it has one."""
    state, split = campaign.state, split_of(stage)
    under: dict[str, str | None] = {"plan": plan.id if plan else None, "condition": plan.condition if plan else None}
    return [
        ExecutionRequest(
            key=execution_key(
                candidate.commit, state.digest, state.image_id, stage=stage, seed=seed, split=split, **under
            ),
            candidate=candidate.id,
            commit=candidate.commit,
            stage=stage,
            split=split,
            seed=seed,
            **under,
        )
        for seed in seeds
    ]


def unfinished(campaign: OpenCampaign, requests: Sequence[ExecutionRequest]) -> list[ExecutionRequest]:
    """Return the requests that no journalled execution answers, in order.

    Raises:
        BudgetSpent: they would cross the campaign's cap on executions or on time.
    """
    todo = [request for request in requests if request.key not in campaign.state.executions]
    budget = campaign.spec.budget
    if todo and all(request.plan for request in todo):
        return todo  # A plan is frozen only where its executions fit; what is registered is carried out.
    if len(campaign.state.executions) + len(todo) > budget.executions:
        raise BudgetSpent("executions", budget.executions)
    if todo and campaign.minutes_used() > budget.wall_minutes:
        raise BudgetSpent("wall minutes", budget.wall_minutes)
    return todo


def prepare_data(campaign: OpenCampaign, stage: Stage, seeds: Sequence[int], condition: str | None = None) -> None:
    """Make the data sets that executions with `seeds` will ask for, many at a time.

    Raises:
        SandboxError: the platform failed.
        CampaignInterrupted: the campaign was told to stop.
    """
    spec = DataSpec(
        template=campaign.template,
        split=split_of(stage).value,
        cache=campaign.folder / "data",
        image=campaign.state.image_id,
        salt=campaign.state.salt,
        condition=condition,
    )
    if not prepare(spec, seeds, campaign.laboratory.sandbox, campaign.cancel):
        raise CampaignInterrupted(campaign.spec.name)


def split_of(stage: Stage) -> Split:
    """Return the split of a stage: held-out data is used at confirm and challenge only."""
    return Split.CONFIRM if stage in (Stage.CONFIRM, Stage.CHALLENGE) else Split.SEARCH


class PreparedExecution:
    """A request whose sandboxes are ready, with the devices it was leased. Call `run` or `close`."""

    def __init__(
        self, campaign: OpenCampaign, request: ExecutionRequest, trial: PreparedTrial, lease: ExitStack
    ) -> None:
        """Use `prepare_execution`."""
        self._campaign, self._request, self._trial, self._lease = campaign, request, trial, lease

    def run(self) -> Execution:
        """Run and score it. Touches neither journal nor repository, so threads may call it.

        Raises:
            SandboxError: the platform failed; the hypothesis is not charged.
            CampaignInterrupted: the campaign was told to stop.
        """
        with self._lease:
            trial = self._trial.run(self._campaign.cancel)
        if trial.outcome == Outcome.CANCELLED:
            raise CampaignInterrupted(self._campaign.spec.name)
        return _recorded(self._campaign, self._request, trial)

    def close(self) -> None:
        """Give it up."""
        with self._lease:
            self._trial.close()


def prepare_execution(campaign: OpenCampaign, request: ExecutionRequest, source: Path) -> PreparedExecution:
    """Get a request ready in fresh sandboxes, waiting for the devices it needs; threads may call it.

    Raises:
        SandboxError: the platform failed; the hypothesis is not charged.
        CampaignInterrupted: the campaign was told to stop.
    """
    if campaign.cancel.is_set():
        raise CampaignInterrupted(campaign.spec.name)
    folder = folder_of(campaign, request.key)
    if folder.exists():
        remove_tree(folder)
    with ExitStack() as lease:
        try:
            gpus = campaign.template.manifest.resources.gpus
            spec = TrialSpec(
                template=campaign.template,
                workload_dir=source,
                seed=request.seed,
                split=request.split.value,
                folder=folder,
                data_cache=campaign.folder / "data",
                image=campaign.state.image_id,
                gpus=lease.enter_context(campaign.laboratory.devices.lease(gpus, campaign.cancel)),
                salt=campaign.state.salt,
                condition=request.condition,
            )
        except LeaseCancelled as stopped:
            raise CampaignInterrupted(campaign.spec.name) from stopped
        trial = prepare_trial(spec, campaign.laboratory.sandbox, campaign.cancel)
        if trial is None:
            raise CampaignInterrupted(campaign.spec.name)
        return PreparedExecution(campaign, request, trial, lease.pop_all())


def folder_of(campaign: OpenCampaign, key: str) -> Path:
    """Where the files of an execution lie."""
    return campaign.folder / "executions" / key


def _recorded(campaign: OpenCampaign, request: ExecutionRequest, trial: Trial) -> Execution:
    run, log = trial.run, folder_of(campaign, request.key) / "run.log"
    return Execution(
        key=request.key,
        candidate=request.candidate,
        stage=request.stage,
        split=request.split,
        seed=request.seed,
        plan=request.plan,
        condition=request.condition,
        outcome=trial.outcome,
        reason=trial.reason,
        metrics=trial.metrics,
        wall_s=run.wall_s if run else 0.0,
        cpu_s=run.cpu_s if run else None,
        peak_memory_mb=run.peak_memory_mb if run else None,
        overhead_s=trial.overhead_s,
        backend=campaign.laboratory.backend,
        holds={str(promise): str(hold) for promise, hold in campaign.laboratory.sandbox.capabilities().holds.items()},
        image_id=campaign.state.image_id,
        data=trial.data,
        artifacts={**trial.artifacts, "run.log": sha256(log.read_bytes()).hexdigest()},
    )

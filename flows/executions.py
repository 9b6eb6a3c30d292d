"""Executions: which candidate runs with which seed, at which stage, and how one is carried out."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from agents.records import Candidate, Execution, Record, Split, Stage
from flows.errors import BudgetSpent, CampaignInterrupted
from flows.ledger.keys import execution_key
from flows.opened import OpenCampaign
from sandboxes.contract import Outcome
from sandboxes.trees import remove_tree
from templates.prepared import DataSpec, prepare
from templates.trial import TrialSpec, run_trial


class ExecutionRequest(Record):
    """One execution that is wanted: `commit` of `candidate`, one seed, one stage."""

    key: str
    candidate: str
    commit: str
    stage: Stage
    split: Split
    seed: int
    plan: str | None = None

    @property
    def label(self) -> str:
        """A name to read in a list."""
        return f"{self.stage} {self.candidate} seed {self.seed}"


def wanted(
    campaign: OpenCampaign, candidate: Candidate, stage: Stage, seeds: Sequence[int], plan: str | None = None
) -> list[ExecutionRequest]:
    """Return the requests for `seeds`."""
    split = split_of(stage)
    return [
        ExecutionRequest(
            key=execution_key(
                candidate.commit,
                campaign.state.digest,
                campaign.state.image_id,
                stage=stage,
                seed=seed,
                split=split,
                plan=plan,
            ),
            candidate=candidate.id,
            commit=candidate.commit,
            stage=stage,
            split=split,
            seed=seed,
            plan=plan,
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


def prepare_data(campaign: OpenCampaign, stage: Stage, seeds: Sequence[int]) -> None:
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
    )
    if not prepare(spec, seeds, campaign.laboratory.sandbox, campaign.cancel):
        raise CampaignInterrupted(campaign.spec.name)


def split_of(stage: Stage) -> Split:
    """Return the split of a stage: held-out data is used at confirm and challenge only."""
    return Split.CONFIRM if stage in (Stage.CONFIRM, Stage.CHALLENGE) else Split.SEARCH


def execute(campaign: OpenCampaign, request: ExecutionRequest, source: Path) -> Execution:
    """Run and score one request in fresh sandboxes. Touches neither journal nor repository, so threads may call it.

    Raises:
        SandboxError: the platform failed; the hypothesis is not charged.
        CampaignInterrupted: the campaign was told to stop.
    """
    if campaign.cancel.is_set():
        raise CampaignInterrupted(campaign.spec.name)
    folder = campaign.folder / "executions" / request.key
    if folder.exists():
        remove_tree(folder)
    trial = run_trial(
        TrialSpec(
            template=campaign.template,
            workload_dir=source,
            seed=request.seed,
            split=request.split.value,
            folder=folder,
            data_cache=campaign.folder / "data",
            image=campaign.state.image_id,
        ),
        campaign.laboratory.sandbox,
        campaign.cancel,
    )
    if trial.outcome == Outcome.CANCELLED:
        raise CampaignInterrupted(campaign.spec.name)
    run = trial.run
    return Execution(
        key=request.key,
        candidate=request.candidate,
        stage=request.stage,
        split=request.split,
        seed=request.seed,
        plan=request.plan,
        outcome=trial.outcome,
        reason=trial.reason,
        metrics=trial.metrics,
        wall_s=run.wall_s if run else 0.0,
        cpu_s=run.cpu_s if run else None,
        peak_memory_mb=run.peak_memory_mb if run else None,
        overhead_s=trial.overhead_s,
        backend=campaign.laboratory.backend,
        image_id=campaign.state.image_id,
        artifacts={**trial.artifacts, "run.log": sha256((folder / "run.log").read_bytes()).hexdigest()},
    )

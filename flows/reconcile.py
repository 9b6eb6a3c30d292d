"""Reconciling Prefect with what really runs: a killed process leaves its flow runs `Running` for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun, State

UNFINISHED = ("RUNNING", "CANCELLING", "PAUSED")
"""A run that waits for an answer is paused; with nobody left to hear one, it must not take any."""
WHY = "The process of this campaign ended without a word; a later one goes on with it."


def close_stale_flow_runs(campaign: str, keep: UUID | str | None, home: str | None = None) -> int:
    """Mark what dead processes left of `campaign` as crashed, rounds and tasks with it; return how many flow runs.

    Call it while holding the campaign's lease: then no other process can be alive that works on it. `keep` is the flow
    run of the caller. Runs that were given another `home` belong to someone else and are left alone. Uses the server
    that the Prefect client of this process uses.
    """
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        stale = [
            run
            for run in _unfinished(client, {"name": {"any_": [campaign]}}, UNFINISHED)
            if str(run.id) != str(keep) and run.parameters.get("home") == home
        ]
        closed = 0
        while stale:
            for run in stale:
                _crash(client, run)
            closed += len(stale)
            parents = [str(run.id) for run in stale]
            stale = _unfinished(client, {"parent_flow_run_id": {"any_": parents}}, (*UNFINISHED, "PENDING"))
        return closed


def _unfinished(client: SyncPrefectClient, query: dict[str, object], states: tuple[str, ...]) -> list[FlowRun]:
    from prefect.client.schemas.filters import FlowRunFilter

    running = {"state": {"type": {"any_": list(states)}}}
    found: list[FlowRun] = []
    while True:
        page = client.read_flow_runs(
            flow_run_filter=FlowRunFilter.model_validate({**query, **running}), limit=200, offset=len(found)
        )
        found += page
        if len(page) < 200:
            return found


def _crash(client: SyncPrefectClient, run: FlowRun) -> None:
    from prefect.client.schemas.filters import FlowRunFilter, TaskRunFilter
    from prefect.states import Crashed

    state: State[Any] = Crashed(message=WHY)
    client.set_flow_run_state(run.id, state, force=True)
    tasks = client.read_task_runs(
        flow_run_filter=FlowRunFilter.model_validate({"id": {"any_": [run.id]}}),
        task_run_filter=TaskRunFilter.model_validate({"state": {"type": {"any_": ["RUNNING", "PENDING"]}}}),
        limit=200,
    )
    for task in tasks:
        client.set_task_run_state(task.id, state, force=True)

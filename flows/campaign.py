"""The campaign flow: rounds within budget, then a write-up of what the evidence supports and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from prefect import flow
from prefect.runtime import flow_run
from prefect.settings import PREFECT_API_URL
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from flows import artifacts
from flows.opened import OpenCampaign, open_campaign
from flows.reconcile import close_stale_flow_runs
from flows.rounds import run_round, run_rounds
from flows.settings import CampaignSpec, home_folder
from flows.writing import close, write_up


@flow(name="campaign", flow_run_name="{spec.name}", validate_parameters=True, retries=0)
def campaign(spec: CampaignSpec, home: str | None = None) -> dict[str, str]:
    """Run or resume one campaign to its end and return its verdicts, claim by claim.

    Safe to call again after any interruption: what the journal holds is not done twice.

    Raises:
        CampaignBusy: another process works on it.
        SandboxError: the platform failed for good; `hypoloop resume` goes on once it is mended.
        CampaignInterrupted: it was told to stop.
    """
    with open_campaign(spec, home_folder(home), _now, PREFECT_API_URL.value()) as opened:
        close_stale_flow_runs(spec.name, keep=flow_run.id, home=home)
        why = run_rounds(opened, lambda number: _round(opened)(number))
        write_up(opened)
        artifacts.publish_end(opened)
        if not opened.tracker.drain(timeout=120) and opened.tracker.trouble:
            opened.append("notice", {"text": opened.tracker.trouble})
        close(opened, why)
        return {claim.id: str(claim.verdict) for claim in opened.state.claims.values()}


def _round(opened: OpenCampaign):  # type: ignore[no-untyped-def]
    """Return the subflow for one round; it closes over the open campaign, which is no parameter to store."""
    runner: TaskRunner[Any] = ThreadPoolTaskRunner(opened.spec.slot_count())

    @flow(name="round", flow_run_name=opened.spec.name + " round {number}", task_runner=runner)
    def round_(number: int) -> None:
        run_round(opened, number)
        artifacts.publish_round(opened)

    return round_


def _now() -> datetime:
    return datetime.now(UTC)

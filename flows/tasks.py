"""Prefect tasks: executions that fill the slots, and the tables people watch in the Prefect UI."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.futures import as_completed

from flows.ahead import Ahead
from flows.executions import ExecutionRequest, prepare_execution, unfinished
from sandboxes.errors import EngineUnavailable, SandboxError

if TYPE_CHECKING:
    from flows.opened import OpenCampaign


def run_all(campaign: OpenCampaign, requests: Sequence[ExecutionRequest]) -> None:
    """Run the requests that are not finished, as many at a time as there are slots; journal each as it ends.

    A key that is finished is never run again. A platform failure is retried twice, then ends the campaign in order;
    a workload's failure is a result like any other.
    """
    todo = unfinished(campaign, requests)
    sources = {
        request.commit: campaign.workspace.checkout(request.commit, campaign.folder / "sources" / request.commit)
        for request in todo
    }

    # A device that waits for its turn would stand idle, so what needs one is prepared when it has it.
    depth = 0 if campaign.template.manifest.resources.gpus else campaign.spec.slot_count() + 1

    @task(
        name="execution",
        task_run_name="{label}",
        retries=2,
        retry_delay_seconds=[1, 5],
        cache_policy=NO_CACHE,
        retry_condition_fn=_platform_failed,
        persist_result=False,
    )
    def execution(label: str, index: int) -> Any:
        return ahead.take(index).run()

    with Ahead(
        lambda index: prepare_execution(campaign, todo[index], sources[todo[index].commit]), len(todo), depth
    ) as ahead:
        futures = [execution.submit(request.label, index) for index, request in enumerate(todo)]
        try:
            for future in as_completed(futures):
                campaign.append("execution", future.result())
        except BaseException:
            campaign.cancel.set()
            raise


def _platform_failed(_task: Any, _run: Any, state: Any) -> bool:
    try:
        state.result()
    except EngineUnavailable:
        return True
    except SandboxError:
        return True
    except BaseException:  # noqa: BLE001 - anything else is no platform failure and must not be retried
        return False
    return False

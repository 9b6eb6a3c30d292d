"""Prefect's history, and waiting until it is complete: a stop would lose what the server still holds in memory."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import httpx

from flows.errors import ServerFailed

if TYPE_CHECKING:
    from flows.server import Server

SETTLE_S = 120.0
QUIET_S = 2.5
UNFINISHED = ("SCHEDULED", "PENDING", "RUNNING", "PAUSED", "CANCELLING")
FINISHED = ("COMPLETED", "FAILED", "CANCELLED", "CRASHED")


def settle(server: Server, timeout: float = SETTLE_S, expected: int | None = None) -> int | None:
    """Wait until the server has recorded what was run, and return how many task runs it holds.

    Task runs arrive through a queue in the server's memory, which a stop would lose. None if the server is not ours,
    has gone or has not come up yet: there is nothing to wait for.

    Raises:
        ServerFailed: fewer task runs than `expected` are there after `timeout` seconds.
    """
    if server.process is None or not server.process.is_alive():
        return None
    drain_client()
    deadline, last, since = time.monotonic() + timeout, (-1, -1), time.monotonic()
    while True:
        now = time.monotonic()
        seen = _counts(server)
        if seen is None:
            return None
        if seen != last:
            last, since = seen, now
        recorded, lagging = seen
        enough = expected is None or recorded >= expected
        if enough and now - since > (QUIET_S if lagging == 0 else 4 * QUIET_S):
            return recorded
        if now > deadline:
            break
        time.sleep(0.5)
    if expected is not None and recorded < expected:
        raise ServerFailed(f"Only {recorded} of {expected} task runs were recorded within {timeout:g} s.")
    return recorded


def drain_client() -> None:
    """Send what this very process still holds back: task events and log lines."""
    if "prefect.events.worker" in sys.modules:
        from prefect.events.worker import EventsWorker
        from prefect.logging.handlers import APILogWorker

        EventsWorker.drain_all(timeout=30)
        APILogWorker.drain_all(timeout=10)


def _counts(server: Server) -> tuple[int, int] | None:
    """Return how many task runs are recorded, and how many of them lag behind a flow run that has ended.

    None if nothing listens: the server has not come up yet, so nothing ran on it, or it has gone.
    """
    lagging = {
        "task_runs": {"state": {"type": {"any_": UNFINISHED}}},
        "flow_runs": {"state": {"type": {"any_": FINISHED}}},
    }
    try:
        with httpx.Client(base_url=server.url, timeout=90, trust_env=False) as client:
            answers_ = [client.post("/task_runs/count", json=query) for query in ({}, lagging)]
            counts = [answer.raise_for_status().json() for answer in answers_]
    except httpx.ConnectError:
        return None
    except httpx.HTTPError as error:
        raise ServerFailed(f"The Prefect server at {server.url} stopped answering: {error}.") from error
    return counts[0], counts[1]

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from flows.errors import ServerInUse
from flows.history import settle
from flows.server import Server, begin_server, find_server, start_server, stop_server
from tests.prefect_server import client_of, outside_of_any_server

pytestmark = pytest.mark.prefect


@pytest.fixture(autouse=True)
def _outside() -> Iterator[None]:
    with outside_of_any_server():
        yield


def running(server: Server) -> bool:
    return server.process is not None and server.process.is_alive()


def test_campaigns_that_begin_at_once_share_one_server_and_the_last_ends_it(home: Path) -> None:
    together = threading.Barrier(3)

    def campaign(_: int) -> tuple[Server, bool]:
        together.wait()
        with begin_server(home) as server:
            server.ready()
            together.wait()
            return server, running(server)

    with ThreadPoolExecutor(3) as pool:
        used = list(pool.map(campaign, range(3)))
    assert len({server.process for server, _ in used}) == 1
    assert all(alive for _, alive in used)
    assert not running(used[0][0])
    assert find_server(home) is None


def test_a_kept_server_survives_campaigns_and_is_not_stopped_under_one(home: Path) -> None:
    with begin_server(home) as server:
        kept = start_server(home, keep=True)
        assert kept.process == server.process
        with pytest.raises(ServerInUse):
            stop_server(kept)
        server.ready()
    assert running(kept)
    with begin_server(home) as again:
        assert again.process == kept.process
    assert find_server(home) == kept
    stop_server(kept)
    assert not running(kept)


def test_a_server_that_was_killed_is_replaced(home: Path) -> None:
    first = start_server(home)
    assert first.process is not None
    os.kill(first.process.pid, signal.SIGKILL)
    while running(first):
        continue
    with begin_server(home) as second:
        assert second.process != first.process
        second.ready()
        assert find_server(home) == second


def test_an_interrupt_before_the_server_answers_leaves_none_behind(home: Path) -> None:
    with pytest.raises(KeyboardInterrupt), begin_server(home) as server:
        raise KeyboardInterrupt
    assert not running(server)
    assert find_server(home) is None


def test_a_stop_waits_until_the_history_is_complete(home: Path) -> None:
    with begin_server(home) as server, client_of(server.ready()):
        from prefect import flow, task

        @task
        def same(number: int) -> int:
            return number

        @flow
        def many() -> int:
            return sum(future.result() for future in same.map(range(200)))

        assert many() == sum(range(200))
    assert not running(server)
    with begin_server(home) as again:
        recorded = settle(again.ready(), expected=200)
        assert recorded == 200
        completed = {"task_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}}
        answer = httpx.post(f"{again.url}/task_runs/count", json=completed, trust_env=False, timeout=60)
        assert answer.json() == 200

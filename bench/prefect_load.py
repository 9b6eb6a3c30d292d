"""Prefect on SQLite under many small flows: through the one-connection plugin, and as it comes.

`python -m bench prefect-load`. A freeze is one slow answer among hundreds, so read the longest and the wall time. A
side that is not done after `PATIENCE_S` is cut off and says so.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from flows.detached import LOOPBACK, free_port, spawn, stop, wait_until_answers
from flows.oneconn import database_url
from flows.server import DATABASE, Server, environment

FLOWS, AT_A_TIME = 50, 5
PATIENCE_S = 150.0
START_S = 300.0


def prefect_load() -> None:
    """Run the same load on both sides, one after the other, and print the table."""
    table = Table(
        "SQLite", "wall s", "longest answer s", "answers", "answers over 2 s", "lock errors",
        title=f"{FLOWS} flows of two tasks, {AT_A_TIME} at a time; health asked every 0.2 s",
    )  # fmt: skip
    for name, plugin in (("one connection", True), ("as it comes", False)):
        with tempfile.TemporaryDirectory() as folder:
            table.add_row(name, *_measure(Path(folder), plugin))
    Console().print(table)


def _measure(home: Path, plugin: bool) -> tuple[str, ...]:
    folder = home / "prefect"
    folder.mkdir()
    port = free_port()
    settings = environment(home, port)
    if not plugin:
        settings[DATABASE] = database_url(folder).partition("?")[0]
    process = spawn("prefect", ("server", "start"), settings, folder)
    server = Server(url=f"http://{LOOPBACK}:{port}/api", home=home, process=process)
    try:
        wait_until_answers(process, f"{server.url}/health", START_S)
        with probed(server.url) as seconds:
            wall = _client(server)
    finally:
        stop(process)
    locked = process.log.read_text(encoding="utf-8").count("database is locked")
    slow = sum(taken > 2.0 for taken in seconds)
    return wall, f"{max(seconds):.2f}", str(len(seconds)), str(slow), str(locked)


def _client(server: Server) -> str:
    """Run the flows in a process of their own, which must know the server before it imports prefect."""
    command = [sys.executable, "-m", "bench.prefect_load"]
    try:
        done = subprocess.run(
            command, env={**os.environ, **server.client_environment()}, cwd=Path(__file__).parent.parent,
            check=True, capture_output=True, text=True, timeout=PATIENCE_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"> {PATIENCE_S:.0f}, cut off"
    return done.stdout.strip()


async def run_flows(count: int, at_a_time: int) -> list[int]:
    """Run `count` flows of two tasks each and return what they returned."""
    from prefect import flow, task

    @task
    async def add(number: int) -> int:
        return number + 1

    @flow(name="two tasks")
    async def two_tasks(number: int) -> int:
        return await add(await add(number))

    turns = asyncio.Semaphore(at_a_time)

    async def in_turn(number: int) -> int:
        async with turns:
            return await two_tasks(number)

    return list(await asyncio.gather(*(in_turn(number) for number in range(count))))


@contextmanager
def probed(url: str, every: float = 0.2) -> Iterator[list[float]]:
    """Ask the API at `url` for its health all the while; the list holds the seconds that each answer took."""
    taken: list[float] = []
    over = threading.Event()

    def ask() -> None:
        with httpx.Client(timeout=120, trust_env=False) as client:
            while not over.wait(every):
                asked = time.monotonic()
                client.get(f"{url}/health").raise_for_status()
                taken.append(time.monotonic() - asked)

    probe = threading.Thread(target=ask)
    probe.start()
    try:
        yield taken
    finally:
        over.set()
        probe.join()


def _run_and_print() -> None:
    import prefect  # noqa: F401 - its import is no part of the load

    began = time.monotonic()
    asyncio.run(run_flows(FLOWS, AT_A_TIME))
    print(f"{time.monotonic() - began:.1f}")


if __name__ == "__main__":
    _run_and_print()

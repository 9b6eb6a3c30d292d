"""Detached servers: processes that outlive whoever started them, told apart by number and start time."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
from pydantic import BaseModel, ConfigDict

from flows.errors import ServerFailed

LOOPBACK = "127.0.0.1"
POLL_S = 0.1


class Detached(BaseModel):
    """A server process: its number, when it started (a number alone may be given to another one later), its log."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pid: int
    started: str
    log: Path

    def is_alive(self) -> bool:
        """Say whether this very process still runs."""
        return started_at(self.pid) == self.started


def spawn(module: str, arguments: Sequence[str], environment: Mapping[str, str], folder: Path) -> Detached:
    """Start `python -m module arguments` in `folder`, in a session of its own so that Ctrl-C does not reach it."""
    log = folder / "server.log"
    with log.open("ab") as sink:
        process = subprocess.Popen(
            # -P: a file of the user's called like a library must not be imported in its place.
            [sys.executable, "-P", "-m", module, *arguments],
            cwd=folder, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=sink,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    return Detached(pid=process.pid, started=started_at(process.pid) or "", log=log)


def started_at(pid: int) -> str | None:
    """Return when process `pid` started, None if there is none or it has ended and only waits to be reaped."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None if Path("/proc/self/stat").exists() else _started_by_ps(pid)
    return None if fields[0] in "ZX" else fields[19]


def _started_by_ps(pid: int) -> str | None:
    listed = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, started = listed.stdout.strip().partition(" ")
    return None if not started or state.startswith("Z") else started.strip()


def wait_until_answers(process: Detached, url: str, timeout: float) -> None:
    """Wait until `url` answers.

    Raises:
        ServerFailed: the process ended, or `timeout` seconds passed; the end of its log is in the message.
    """
    deadline = time.monotonic() + timeout
    while not answers(url):
        if not process.is_alive():
            raise ServerFailed(f"The server ended before it answered. The end of {process.log}:\n{tail(process.log)}")
        if time.monotonic() > deadline:
            raise ServerFailed(
                f"The server did not answer at {url} within {timeout:g} s. "
                f"The end of {process.log}:\n{tail(process.log)}"
            )
        time.sleep(POLL_S)


def answers(url: str, timeout: float = 5.0) -> bool:
    """Say whether something answers at `url`, be it only to say that it wants a password."""
    try:
        # A proxy that the environment names knows nothing of our own machine.
        return httpx.get(url, timeout=timeout, trust_env=LOOPBACK not in url).status_code < 500
    except httpx.TransportError:
        return False


def stop(process: Detached, patience: float = 20.0) -> None:
    """End the process and the children it has: terminate, interrupt, kill, each after half the `patience` in seconds.

    Raises:
        ServerFailed: it is still there afterwards.
    """
    if not process.is_alive():
        return
    for request, wait in ((signal.SIGTERM, patience / 2), (signal.SIGINT, patience / 2), (signal.SIGKILL, 5.0)):
        _signal_group(process.pid, request)
        if _ended_within(process, wait):
            # The first of the session is gone; what it left behind goes with it.
            _signal_group(process.pid, signal.SIGKILL)
            return
    raise ServerFailed(f"Process {process.pid} does not end. See {process.log}.")


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return


def _ended_within(process: Detached, timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while process.is_alive():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def port_is_free(port: int) -> bool:
    """Say whether nothing listens on `port` of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port


def tail(log: Path, lines: int = 15) -> str:
    """Return the last lines of a log."""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

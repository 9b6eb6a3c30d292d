"""One container that runs one program: made, started, watched, ended."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxes.accounting import NO_USE, Account, Use
from sandboxes.contract import Limits, Outcome, Promise
from sandboxes.errors import SandboxError
from sandboxes.logs import LogKeeper
from sandboxes.outbox import remove_container
from sandboxes.stop import Stop

if TYPE_CHECKING:
    from docker import DockerClient

SLICE_S = 0.2
FIRST_SAMPLE_S = 0.1
SAMPLE_S = 0.5
DEATH_S = 20.0
LOG_END_S = 5.0


class End(NamedTuple):
    """How the program ended: what we killed it for, if we did, and what the engine says."""

    killed_for: Stop | None
    exit_code: int
    oom_killed: bool
    wall_s: float


class Workload:
    """The container of one run. Call in order: create, start, release, watch, remove."""

    def __init__(self, client: DockerClient, limits: Limits, account: Account | None) -> None:
        self._client = client
        self._limits = limits
        self._account = account
        self._container: Any = None
        self._socket: Any = None
        self._reader: threading.Thread | None = None
        self._ended = threading.Event()
        self._wake = threading.Event()
        self._problem: BaseException | None = None
        self._released = 0.0
        self.log = LogKeeper(limits.log_mb * 2**20)
        self.use = NO_USE

    def create(self, image_id: str, argv: Sequence[str], run_id: str, chosen: dict[str, Any]) -> None:
        """Create the container; `argv` waits behind a gate."""
        name = f"hypoloop-{run_id}-{secrets.token_hex(4)}"
        if self._account is not None:
            chosen["cgroup_parent"] = self._account.parent
        self._container = self._client.containers.create(image_id, list(argv), name=name, **chosen)

    def start(self) -> None:
        """Attach to the log before its first byte, then start."""
        streams = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        self._socket = self._container.attach_socket(params=streams)
        self._container.start()
        self._reader = threading.Thread(target=self._read, name="hypoloop-log", daemon=True)
        self._reader.start()
        threading.Thread(target=self._await_end, name="hypoloop-wait", daemon=True).start()

    def release(self) -> None:
        """Open the gate: from now on the program's time counts."""
        if self._account is not None:
            self._account.open()
        # The SDK hands out a read-only file object; the connection behind it takes the line.
        getattr(self._socket, "_sock", self._socket).sendall(b"\n")
        self._released = time.monotonic()
        if self._account is None:
            # An engine may take half a second to answer about usage; the end of the program must not wait for that.
            threading.Thread(target=self._sample, name="hypoloop-usage", daemon=True).start()

    def watch(self, cancelled: Callable[[], bool], over: Callable[[], Promise | None]) -> End:
        """Wait for the end, bring it about where a limit is met, and say how it came.

        `over` names the limit of the output that is broken, if one is.
        """
        killed_for = self._wait(cancelled, over)
        wall_s = time.monotonic() - self._released
        if killed_for is not None:
            self._kill()
        if self._reader is not None:
            self._reader.join(LOG_END_S)
        if self._problem is not None:
            raise self._problem
        if self._account is not None:
            self.use = self._account.read()
        state = self._client.api.inspect_container(self._container.id)["State"]
        return End(killed_for, int(state["ExitCode"]), bool(state["OOMKilled"]), wall_s)

    def remove(self) -> None:
        """Remove the container; every process in it dies with it."""
        container, self._container = self._container, None
        remove_container(container)
        if self._socket is not None:
            self._socket.close()
        if self._account is not None:
            self._account.close()

    def _wait(self, cancelled: Callable[[], bool], over: Callable[[], Promise | None]) -> Stop | None:
        deadline = self._released + self._limits.wall_s
        while True:
            now = time.monotonic()
            self._wake.wait(max(0.0, min(SLICE_S, deadline - now)))
            if self._ended.is_set():
                return None
            if cancelled():
                return Stop(Outcome.CANCELLED)
            if time.monotonic() >= deadline:
                return Stop(Outcome.TIMEOUT, Promise.WALL)
            if self.log.flooded:
                return Stop(Outcome.OUTPUT_LIMIT, Promise.LOG)
            if (limit := over()) is not None:
                return Stop(Outcome.OUTPUT_LIMIT, limit)

    def _kill(self) -> None:
        from docker.errors import APIError

        with suppress(APIError):  # it may have ended by itself in between; if not, the wait below says so
            self._container.kill()
        if not self._ended.wait(DEATH_S):
            raise SandboxError(f"The container {self._container.name} could not be killed within {DEATH_S:.0f} s.")

    def _read(self) -> None:
        from docker.utils.socket import frames_iter

        try:
            frames: Iterator[tuple[int, bytes]] = frames_iter(self._socket, tty=False)  # type: ignore[no-untyped-call]
            for _, data in frames:
                self.log.add(data)
                if self.log.flooded:
                    self._wake.set()
        except (OSError, ValueError):
            return  # the connection was closed under us; the end of the container is seen elsewhere

    def _await_end(self) -> None:
        from docker.errors import DockerException
        from requests import RequestException

        try:
            self._client.api.wait(self._container.id, timeout=None)
        except (DockerException, RequestException) as problem:
            self._problem = problem  # raised again by `watch`
        self._ended.set()
        self._wake.set()

    def _sample(self) -> None:
        """Take CPU time and memory from the engine now and then; what is used after the last sample is not seen."""
        from docker.errors import DockerException
        from requests import RequestException

        container, pause = self._container, FIRST_SAMPLE_S
        while not self._ended.wait(pause):
            pause = SAMPLE_S
            try:
                stats = self._client.api.stats(container.id, stream=False, one_shot=True)
            except (DockerException, RequestException):
                return  # it ends this moment
            cpu = stats.get("cpu_stats", {}).get("cpu_usage", {}).get("total_usage", 0)
            memory = stats.get("memory_stats", {})
            peak = memory.get("max_usage") or memory.get("usage") or 0  # cgroup v1 knows the peak, v2 the present
            if cpu:
                peak_mb = round(max(self.use.peak_memory_mb or 0.0, peak / 2**20), 1)
                self.use = Use(round(cpu / 1e9, 3), peak_mb or None, "sampled")

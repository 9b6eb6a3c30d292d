"""up and down: the Prefect server and the MLflow UI of a home, kept running on loopback until told to stop."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from flows.detached import LOOPBACK, Detached, port_is_free, spawn, stop, wait_until_answers
from flows.errors import PortInUse
from flows.history import SETTLE_S
from flows.server import find_server, recorded_server, start_server, stop_server

START_S = 120.0


class MlflowWindow(BaseModel):
    """The MLflow UI of a home: its address and its process."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    process: Detached


class Services(BaseModel):
    """The addresses to open in a browser, None where nothing runs; `already` names what ran before."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prefect: str | None
    mlflow: str | None
    already: tuple[str, ...] = ()


def up(home: Path, prefect_port: int = 4200, mlflow_port: int = 5000, timeout: float = START_S) -> Services:
    """Start what does not run yet, wait until both answer, and return their addresses.

    A Prefect server that a campaign started for itself is kept from now on, on the port it has.

    Raises:
        PortInUse: another program listens on one of the ports; nothing was started.
        ServerFailed: one of them did not come up.
        UnsafeDatabase: `$PREFECT_API_DATABASE_CONNECTION_URL` names a database that would freeze the server.
        TrackingError: the MLflow database cannot be used.
    """
    before = services_status(home)
    if before.mlflow is None and not port_is_free(mlflow_port):
        raise PortInUse(mlflow_port, "--mlflow-port")
    server = start_server(home, prefect_port, keep=True)
    mlflow = _start_mlflow(home, mlflow_port)
    wait_until_answers(mlflow.process, f"{mlflow.url}/health", timeout)
    server.ready(timeout)
    already = tuple(name for name, address in (("Prefect", before.prefect), ("MLflow", before.mlflow)) if address)
    return Services(prefect=server.window, mlflow=mlflow.url, already=already)


def down(home: Path, timeout: float = SETTLE_S) -> tuple[str, ...]:
    """Stop both once Prefect's history is complete; return the names of those that ran.

    Raises:
        ServerInUse: a campaign is still running; nothing was stopped.
        ServerFailed: one of them does not end.
    """
    stopped = []
    server = recorded_server(home)
    if server is not None:
        stop_server(server, timeout)
        stopped.append("Prefect")
    with _deciding(home):
        mlflow = _recorded_mlflow(home)
        if mlflow is not None:
            stop(mlflow.process)
            stopped.append("MLflow")
        _record(home).unlink(missing_ok=True)
    return tuple(stopped)


def services_status(home: Path) -> Services:
    """Return the addresses of what runs now.

    Raises:
        ServerFailed: `$PREFECT_API_URL` names a server that does not answer.
    """
    server, mlflow = find_server(home), _recorded_mlflow(home)
    return Services(prefect=server.window if server else None, mlflow=mlflow.url if mlflow else None)


def _start_mlflow(home: Path, port: int) -> MlflowWindow:
    from flows.ledger.database import open_client, tracking_uri

    with _deciding(home):
        running = _recorded_mlflow(home)
        if running is not None:
            return running
        if not port_is_free(port):
            raise PortInUse(port, "--mlflow-port")
        # Creates the tables under a lock: two processes that do so at once both fail.
        open_client(home)
        folder = _folder(home)
        arguments = (
            "server", "--host", LOOPBACK, "--port", str(port), "--workers", "1",
            "--backend-store-uri", tracking_uri(home), "--artifacts-destination", (folder / "artifacts").as_uri(),
        )  # fmt: skip
        settings = {
            # Jobs cost eight more processes and serve nothing here.
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "1",
        }
        window = MlflowWindow(url=f"http://{LOOPBACK}:{port}", process=spawn("mlflow", arguments, settings, folder))
        _record(home).write_text(window.model_dump_json(indent=1), encoding="utf-8")
    return window


def _recorded_mlflow(home: Path) -> MlflowWindow | None:
    try:
        window = MlflowWindow.model_validate_json(_record(home).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return window if window.process.is_alive() else None


@contextmanager
def _deciding(home: Path) -> Iterator[None]:
    """Let one process at a time decide about the MLflow UI of `home`."""
    _folder(home).mkdir(parents=True, exist_ok=True)
    with (_folder(home) / "server.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _folder(home: Path) -> Path:
    return (home / "mlflow").resolve()


def _record(home: Path) -> Path:
    return _folder(home) / "server.json"

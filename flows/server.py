"""The Prefect server of a hypoloop home: one at a time, shared by the campaigns that run, ended by the last of them.

The server is a window and a scheduler; no truth lives in it. `prefect/server.json` says which process it is,
`server.lock` lets one process at a time decide about it, and whoever uses it holds `users.lock` shared: a lock
goes with its process, so nobody has to be counted, and the one that gets it exclusively is the last.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ConfigDict, ValidationError

from flows.addresses import without_login
from flows.detached import LOOPBACK, Detached, answers, free_port, port_is_free, spawn, stop, wait_until_answers
from flows.errors import PortInUse, ServerFailed, ServerInUse
from flows.history import SETTLE_S, drain_client, settle
from flows.oneconn import database_url, require_safe

OURS = "HYPOLOOP_PREFECT_API_URL"
DATABASE = "PREFECT_API_DATABASE_CONNECTION_URL"
START_S = 180.0


class Server(BaseModel):
    """A Prefect server: the address of its API, and its process if it is ours. `kept` servers outlive campaigns."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    home: Path
    process: Detached | None = None
    kept: bool = False

    @property
    def window(self) -> str:
        """The address to open in a browser."""
        return without_login(self.url).removesuffix("/api")

    def ready(self, timeout: float = START_S) -> Server:
        """Wait until it answers; the first start on a home makes the database and takes longer.

        Raises:
            ServerFailed: it ended, or did not answer in `timeout` seconds.
        """
        if self.process is not None:
            wait_until_answers(self.process, f"{self.url}/health", timeout)
        return self

    def client_environment(self) -> dict[str, str]:
        """Return what a process that uses this server must have in its environment before it imports prefect."""
        quiet = {
            # Say it in the UI, not on the console.
            "PREFECT_LOGGING_LEVEL": "INFO",
            "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "ERROR",
            "PREFECT_LOGGING_TO_API_ENABLED": "true",
            # A log call outside a run is no reason for a warning.
            "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        }
        theirs = {key: os.environ.get(key, value) for key, value in quiet.items()}
        if self.process is None:
            return {"PREFECT_API_URL": self.url, **theirs}
        return {
            **_private(self.home),
            **theirs,
            "PREFECT_API_URL": self.url,
            OURS: self.url,
            "PREFECT_LOCAL_STORAGE_PATH": str(_folder(self.home) / "storage"),
            "PREFECT_API_REQUEST_TIMEOUT": "90",
            "PREFECT_CLIENT_MAX_RETRIES": "8",
            "NO_PROXY": ",".join(filter(None, (os.environ.get("NO_PROXY"), LOOPBACK, "localhost"))),
        }


def environment(home: Path, port: int) -> dict[str, str]:
    """Return the settings of the server of `home` on `port`.

    A database named by `$PREFECT_API_DATABASE_CONNECTION_URL` is used as it is.

    Raises:
        UnsafeDatabase: that database is SQLite without the one-connection plugin.
    """
    return {
        **_private(home),
        DATABASE: require_safe(os.environ.get(DATABASE) or database_url(_folder(home))),
        "PREFECT_SERVER_API_HOST": LOOPBACK,
        # The UI takes its address from this setting, not from the option --port.
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_UI_API_URL": "/api",
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        # Task runs reach the database through a queue that drops what is beyond 10,000: one insert for many of them.
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
        # Else it would talk to the server that the user's own settings name.
        "PREFECT_API_URL": "",
    }


def _private(home: Path) -> dict[str, str]:
    return {
        "PREFECT_HOME": str(_folder(home)),
        "PREFECT_PROFILE": "ephemeral",
        # Runs without a server lose most of their history: rather fail.
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }


def find_server(home: Path, environ: Mapping[str, str] | None = None) -> Server | None:
    """Return the server to use: the one that `$PREFECT_API_URL` names, else that of `home` if it answers, else None.

    Raises:
        ServerFailed: the one that the user named does not answer.
    """
    named = _named_by_user(home, os.environ if environ is None else environ)
    if named is not None:
        return named
    server = recorded_server(home)
    return server if server is not None and answers(f"{server.url}/health") else None


def start_server(home: Path, port: int | None = None, keep: bool = False) -> Server:
    """Start the server of `home` unless one runs, and return it at once; `ready` waits for it.

    A server to `keep` stays when campaigns end; one that runs already is kept from now on.

    Raises:
        PortInUse: something else listens on `port`; None takes a free one.
        UnsafeDatabase: the database that the environment names would freeze the server.
        ServerFailed: the user's own server does not answer.
    """
    named = _named_by_user(home, os.environ)
    if named is not None:
        return named
    with _deciding(home):
        return _running_or_started(home, port, keep)


@contextmanager
def begin_server(home: Path, port: int | None = None) -> Iterator[Server]:
    """Use the server of `home` for as long as the block lasts; start it if none runs, without waiting for it.

    At the end the history is completed, and the server is stopped if nobody else uses it and nobody wants it kept.

    Raises:
        PortInUse, UnsafeDatabase, ServerFailed: as `start_server`.
    """
    named = _named_by_user(home, os.environ)
    if named is not None:
        yield named
        drain_client()
        return
    with _users(home).open("w") as mine:
        with _deciding(home):
            server = _running_or_started(home, port, keep=False)
            fcntl.flock(mine, fcntl.LOCK_SH)
        try:
            yield server
        finally:
            try:
                settle(server)
            finally:
                fcntl.flock(mine, fcntl.LOCK_UN)
                _stop_unless_used(home)


def stop_server(server: Server, timeout: float = SETTLE_S) -> None:
    """Let the history settle, then stop the server and see that it is gone.

    Raises:
        ServerInUse: a campaign is still running on it.
        ServerFailed: it does not end.
    """
    if server.process is None:
        return
    with _users(server.home).open("w") as mine:
        if not _locked_alone(mine):
            raise ServerInUse
        fcntl.flock(mine, fcntl.LOCK_UN)
        settle(server, timeout)
        with _deciding(server.home):
            if not _locked_alone(mine):
                raise ServerInUse
            _end(server)


def _running_or_started(home: Path, port: int | None, keep: bool) -> Server:
    server = recorded_server(home)
    if server is None:
        if port is not None and not port_is_free(port):
            raise PortInUse(port)
        port = port or free_port()
        settings = environment(home, port)
        process = spawn("prefect", ("server", "start"), settings, _folder(home))
        server = Server(url=f"http://{LOOPBACK}:{port}/api", home=home, process=process)
    if keep:
        server = server.model_copy(update={"kept": True})
    _write_record(server)
    return server


def _stop_unless_used(home: Path) -> None:
    with _deciding(home), _users(home).open("w") as mine:
        server = recorded_server(home)
        if server is not None and not server.kept and _locked_alone(mine):
            _end(server)


def _end(server: Server) -> None:
    if server.process is not None:
        stop(server.process)
    _record(server.home).unlink(missing_ok=True)


def _locked_alone(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _named_by_user(home: Path, environ: Mapping[str, str]) -> Server | None:
    url = environ.get("PREFECT_API_URL")
    if not url or url == environ.get(OURS):
        return None
    if not answers(f"{url}/health"):
        raise ServerFailed(
            f"PREFECT_API_URL says {without_login(url)}, but no Prefect server answers there. Start it, or unset the "
            "variable and hypoloop starts one."
        )
    return Server(url=url, home=home)


def recorded_server(home: Path) -> Server | None:
    """Return the server of `home` if its process runs, whether it answers yet or not.

    Raises:
        ServerFailed: the record says something else.
    """
    try:
        server = Server.model_validate_json(_record(home).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise ServerFailed(f"{_record(home)} is no record of a server. Delete it.") from error
    return server if server.process is not None and server.process.is_alive() else None


def _write_record(server: Server) -> None:
    """Put the record in place at once, for readers who hold no lock."""
    fresh = _record(server.home).with_suffix(".new")
    fresh.write_text(server.model_dump_json(indent=1), encoding="utf-8")
    fresh.replace(_record(server.home))


@contextmanager
def _deciding(home: Path) -> Iterator[None]:
    """Let one process at a time decide about the server of `home`."""
    _folder(home).mkdir(parents=True, exist_ok=True)
    with (_folder(home) / "server.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _folder(home: Path) -> Path:
    return (home / "prefect").resolve()


def _record(home: Path) -> Path:
    return _folder(home) / "server.json"


def _users(home: Path) -> Path:
    _folder(home).mkdir(parents=True, exist_ok=True)
    return _folder(home) / "users.lock"

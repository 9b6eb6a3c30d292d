"""A Prefect server for tests: its own home, its own port, and this process as its client.

`prefect_test_harness` would start one on plain SQLite, which freezes (see flows/oneconn.py). Import the fixtures into a
conftest to use them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from flows.server import Server, begin_server


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that runs for the whole session, with this process as its client."""
    home = tmp_path_factory.mktemp("session")
    with outside_of_any_server(), begin_server(home) as server, client_of(server.ready()):
        copy_database(home, home / "empty")
        yield server


@pytest.fixture
def home(prefect_server: Server, tmp_path: Path) -> Path:
    """A home of the test's own, its Prefect database made but empty, so that a server on it starts quickly."""
    copy_database(prefect_server.home / "empty", tmp_path)
    return tmp_path


def copy_database(source: Path, target: Path) -> None:
    """Copy the Prefect database of one home to another, whether a server runs on it or not."""
    (target / "prefect").mkdir(parents=True)
    with (
        closing(sqlite3.connect(source / "prefect" / "prefect.db")) as old,
        closing(sqlite3.connect(target / "prefect" / "prefect.db")) as new,
    ):
        old.backup(new)


@contextmanager
def client_of(server: Server) -> Iterator[None]:
    """Make this process a client of `server` for as long as the block lasts, whether prefect is imported or not."""
    with pytest.MonkeyPatch.context() as patch:
        for key, value in server.client_environment().items():
            patch.setenv(key, value)
        _reread_settings()
        yield
    _reread_settings()


@contextmanager
def outside_of_any_server() -> Iterator[None]:
    """Let no server that the environment names, nor its database, get into a test."""
    with pytest.MonkeyPatch.context() as patch:
        for key in ("PREFECT_API_URL", "PREFECT_API_DATABASE_CONNECTION_URL"):
            patch.delenv(key, raising=False)
        yield


def _reread_settings() -> None:
    from prefect.context import refresh_global_settings_context

    refresh_global_settings_context()

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flows.detached import Detached, free_port, spawn, stop, wait_until_answers
from flows.errors import PortInUse, ServerFailed, UnsafeDatabase
from flows.history import settle
from flows.oneconn import require_safe
from flows.server import OURS, Server, environment, find_server, start_server, stop_server

DATABASE = "PREFECT_API_DATABASE_CONNECTION_URL"


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("PREFECT_API_URL", "PREFECT_LOGGING_LEVEL", OURS, DATABASE):
        monkeypatch.delenv(key, raising=False)


def ours(home: Path) -> Server:
    return Server(
        url="http://127.0.0.1:4321/api", home=home, process=Detached(pid=1, started="0", log=home / "server.log")
    )


def test_the_server_gets_a_safe_database_under_the_home(tmp_path: Path) -> None:
    settings = environment(tmp_path, 4321)
    assert str(tmp_path / "prefect" / "prefect.db") in require_safe(settings[DATABASE])
    assert settings["PREFECT_HOME"] == str(tmp_path / "prefect")


def test_the_ui_is_told_the_port(tmp_path: Path) -> None:
    assert environment(tmp_path, 4321)["PREFECT_SERVER_API_PORT"] == "4321"
    assert environment(tmp_path, 4321)["PREFECT_SERVER_UI_API_URL"] == "/api"


def test_an_unsafe_database_of_the_users_is_refused_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DATABASE, "sqlite+aiosqlite:////data/prefect.db")
    with pytest.raises(UnsafeDatabase):
        start_server(tmp_path)
    assert not (tmp_path / "prefect" / "server.json").exists()


def test_a_postgres_database_of_the_users_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATABASE, "postgresql+asyncpg://someone@db/prefect")
    assert environment(tmp_path, 4321)[DATABASE] == "postgresql+asyncpg://someone@db/prefect"


def test_a_port_in_use_is_said_and_the_next_command_with_it(tmp_path: Path) -> None:
    port = free_port()
    other = spawn("http.server", (str(port), "--bind", "127.0.0.1"), {}, tmp_path)
    try:
        wait_until_answers(other, f"http://127.0.0.1:{port}/", timeout=20)
        with pytest.raises(PortInUse, match=rf"Port {port} is in use .* --prefect-port {port + 1}"):
            start_server(tmp_path / "home", port)
    finally:
        stop(other)
    assert not (tmp_path / "home" / "prefect" / "server.json").exists()


def test_the_server_that_the_user_names_is_used_and_never_stopped(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "api" / "health").mkdir(parents=True)
    process = spawn("http.server", (str(port), "--bind", "127.0.0.1"), {}, tmp_path)
    url = f"http://127.0.0.1:{port}/api"
    try:
        wait_until_answers(process, url, timeout=20)
        server = find_server(tmp_path, {"PREFECT_API_URL": url})
        assert server is not None
        assert server.client_environment()["PREFECT_API_URL"] == url
        assert "PREFECT_HOME" not in server.client_environment()
        assert settle(server) is None
        stop_server(server)
        assert process.is_alive()
    finally:
        stop(process)


def test_a_server_that_the_user_names_and_that_does_not_answer_is_not_replaced_in_silence(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/api"
    with pytest.raises(ServerFailed, match="PREFECT_API_URL"):
        find_server(tmp_path, {"PREFECT_API_URL": url})


def test_our_own_address_in_the_environment_is_not_taken_for_the_users(tmp_path: Path) -> None:
    assert find_server(tmp_path, ours(tmp_path).client_environment()) is None


def test_clients_send_their_logs_to_the_server_and_keep_the_console_quiet(tmp_path: Path) -> None:
    settings = ours(tmp_path).client_environment()
    assert settings["PREFECT_LOGGING_LEVEL"] == "INFO"
    assert settings["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] == "ERROR"
    assert settings["PREFECT_SERVER_ALLOW_EPHEMERAL_MODE"] == "false"


def test_what_the_user_said_about_logging_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_LOGGING_LEVEL", "DEBUG")
    assert ours(tmp_path).client_environment()["PREFECT_LOGGING_LEVEL"] == "DEBUG"


def test_a_recorded_server_whose_process_is_gone_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "prefect").mkdir()
    (tmp_path / "prefect" / "server.json").write_text(ours(tmp_path).model_dump_json())
    assert find_server(tmp_path, {}) is None


def test_a_record_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "prefect").mkdir()
    (tmp_path / "prefect" / "server.json").write_text(json.dumps({"pid": 1}))
    with pytest.raises(ServerFailed, match=r"server\.json is no record"):
        find_server(tmp_path, {})

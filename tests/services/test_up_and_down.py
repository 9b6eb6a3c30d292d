from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from flows.detached import free_port, spawn, stop, wait_until_answers
from flows.errors import PortInUse
from flows.services import down, services_status, up
from tests.prefect_server import outside_of_any_server


@pytest.fixture(autouse=True)
def _outside() -> Iterator[None]:
    with outside_of_any_server():
        yield


def test_nothing_starts_when_the_port_of_mlflow_is_taken(tmp_path: Path) -> None:
    port = free_port()
    other = spawn("http.server", (str(port), "--bind", "127.0.0.1"), {}, tmp_path)
    try:
        wait_until_answers(other, f"http://127.0.0.1:{port}/", timeout=20)
        with pytest.raises(PortInUse, match="--mlflow-port"):
            up(tmp_path / "home", prefect_port=free_port(), mlflow_port=port)
    finally:
        stop(other)
    assert services_status(tmp_path / "home").prefect is None


def test_down_where_nothing_runs_stops_nothing(tmp_path: Path) -> None:
    assert down(tmp_path) == ()


@pytest.mark.prefect
@pytest.mark.mlflow
def test_up_opens_both_windows_once_and_down_closes_them(home: Path) -> None:
    prefect_port, mlflow_port = free_port(), free_port()
    first = up(home, prefect_port, mlflow_port)
    try:
        assert (first.prefect, first.mlflow) == (f"http://127.0.0.1:{prefect_port}", f"http://127.0.0.1:{mlflow_port}")
        assert first.already == ()
        again = up(home, prefect_port, mlflow_port)
        assert (again.prefect, again.mlflow, again.already) == (first.prefect, first.mlflow, ("Prefect", "MLflow"))
        for address in (first.prefect, first.mlflow):
            page = httpx.get(str(address), trust_env=False, follow_redirects=True, timeout=60)
            assert page.status_code == 200
            assert "<html" in page.text
        settings = httpx.get(f"{first.prefect}/ui-settings", trust_env=False, timeout=60).json()
        assert settings["api_url"] == "/api"
        experiments = httpx.get(
            f"{first.mlflow}/api/2.0/mlflow/experiments/search?max_results=5", trust_env=False, timeout=60
        )
        assert [each["name"] for each in experiments.json()["experiments"]] == ["Default"]
    finally:
        stopped = down(home)
    assert stopped == ("Prefect", "MLflow")
    assert services_status(home).prefect is None
    assert services_status(home).mlflow is None

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.detached import Detached, answers, free_port, port_is_free, spawn, started_at, stop, wait_until_answers
from flows.errors import ServerFailed


@pytest.fixture
def page(tmp_path: Path) -> Iterator[tuple[Detached, str]]:
    """A web server that runs detached."""
    port = free_port()
    process = spawn("http.server", (str(port), "--bind", "127.0.0.1"), {}, tmp_path)
    url = f"http://127.0.0.1:{port}/"
    wait_until_answers(process, url, timeout=20)
    yield process, url
    stop(process)


def test_a_detached_server_is_in_a_session_of_its_own(page: tuple[Detached, str]) -> None:
    """Ctrl-C goes to the session of the terminal."""
    assert os.getsid(page[0].pid) == page[0].pid != os.getsid(0)


def test_a_stopped_server_is_gone_and_its_port_is_free(page: tuple[Detached, str]) -> None:
    process, url = page
    stop(process)
    assert not process.is_alive()
    assert not answers(url)
    stop(process)


def test_another_process_with_the_same_number_is_neither_alive_nor_stopped(tmp_path: Path) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
    mistaken = Detached(pid=stranger.pid, started="0", log=tmp_path / "log")
    assert not mistaken.is_alive()
    stop(mistaken)
    assert stranger.poll() is None
    stranger.communicate(b"\n")


def test_a_process_that_ended_and_waits_to_be_reaped_is_not_alive() -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert started_at(child.pid) is None
    child.wait()


def test_a_server_that_ignores_requests_to_end_is_killed_with_its_children(tmp_path: Path) -> None:
    (tmp_path / "stubborn.py").write_text(
        "import signal, subprocess, sys, time\n"
        "for number in (signal.SIGINT, signal.SIGTERM): signal.signal(number, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    process = spawn("stubborn", (), {"PYTHONPATH": str(tmp_path)}, tmp_path)
    while not process.log.read_text().strip():
        assert process.is_alive()
    stop(process, patience=0.4)
    assert not process.is_alive()
    assert started_at(int(process.log.read_text())) is None


def test_a_server_that_dies_at_once_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    process = spawn("no_such_module", (), {}, tmp_path)
    with pytest.raises(ServerFailed, match=r"ended before it answered[\s\S]*No module named no_such_module"):
        wait_until_answers(process, f"http://127.0.0.1:{free_port()}/", timeout=20)


def test_a_server_that_never_answers_is_reported(page: tuple[Detached, str]) -> None:
    with pytest.raises(ServerFailed, match="did not answer"):
        wait_until_answers(page[0], f"http://127.0.0.1:{free_port()}/", timeout=0.2)


def test_a_module_of_the_folder_is_not_taken_for_a_library(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')")
    process = spawn("json.tool", ("--help",), {}, tmp_path)
    while process.is_alive():
        continue
    assert "the wrong json" not in process.log.read_text()


def test_a_port_that_something_listens_on_is_not_free(page: tuple[Detached, str]) -> None:
    assert not port_is_free(int(page[1].rstrip("/").rpartition(":")[2]))
    assert port_is_free(free_port())

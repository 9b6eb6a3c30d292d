from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxes.keeper import Keeper
from sandboxes.session import descendants

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen(["sleep", "60"], start_new_session=True)
    yield child
    child.kill()
    child.wait()


@pytest.fixture(autouse=True)
def others() -> list[int]:
    """Keepers of sandboxes that other tests still have open."""
    return all_keepers()


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    keeper = Keeper()
    yield keeper
    keeper.close()


def all_keepers() -> list[int]:
    own = descendants(os.getpid())
    return [pid for pid in own if b"kill_session" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def keepers(others: list[int]) -> list[int]:
    return [pid for pid in all_keepers() if pid not in others]


def test_what_runs_dies_with_the_pipe(keeper: Keeper, sleeper: subprocess.Popen[bytes]) -> None:
    keeper.begin(sleeper.pid)
    keeper.close()
    assert sleeper.wait() == -signal.SIGKILL


def test_what_is_over_is_let_alone(keeper: Keeper, sleeper: subprocess.Popen[bytes]) -> None:
    keeper.begin(sleeper.pid)
    keeper.end(sleeper.pid)
    keeper.close()
    assert sleeper.poll() is None


def test_nothing_is_started_before_it_is_needed_and_one_serves_all(keeper: Keeper, others: list[int]) -> None:
    assert keepers(others) == []
    for number in (999_999_998, 999_999_999):
        keeper.begin(number)
    assert len(keepers(others)) == 1
    for number in (999_999_998, 999_999_999):
        keeper.end(number)


def test_a_keeper_that_was_killed_is_replaced_and_told_all(
    keeper: Keeper, others: list[int], sleeper: subprocess.Popen[bytes]
) -> None:
    keeper.begin(sleeper.pid)
    (old,) = keepers(others)
    os.kill(old, signal.SIGKILL)
    os.waitid(os.P_PID, old, os.WEXITED | os.WNOWAIT)
    keeper.begin(999_999_999)
    assert keepers(others) not in ([], [old])
    keeper.close()
    assert sleeper.wait() == -signal.SIGKILL


def test_it_outlives_an_interrupt_of_the_whole_group(
    keeper: Keeper, others: list[int], sleeper: subprocess.Popen[bytes]
) -> None:
    keeper.begin(sleeper.pid)
    (pid,) = keepers(others)
    assert os.getpgid(pid) != os.getpgid(0)
    assert os.getsid(pid) != os.getsid(0)

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from sandboxes.session import descendants, kill_session, members, use_of

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
# A leader, a child of its own group in its session, a grandchild in another session; each says that it is there.
FAMILY = """
import os, subprocess, sys, time
sleep = [sys.executable, "-c", "import time; print('there', flush=True); time.sleep(60)"]
grouped = subprocess.Popen(sleep, process_group=0)
apart = subprocess.Popen(sleep, start_new_session=True)
x = bytearray(64 << 20)
print("there", grouped.pid, apart.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def family() -> Iterator[tuple[subprocess.Popen[bytes], int, int]]:
    leader = subprocess.Popen([sys.executable, "-c", FAMILY], stdout=subprocess.PIPE, start_new_session=True)
    assert leader.stdout is not None
    words = b"".join(leader.stdout.readline() for _ in range(3)).split()
    grouped, apart = (int(word) for word in words if word.isdigit())
    yield leader, grouped, apart
    kill_session(leader.pid)
    kill_session(apart)
    leader.stdout.close()
    leader.wait()


def test_members_are_those_of_the_session_whatever_their_group(
    family: tuple[subprocess.Popen[bytes], int, int],
) -> None:
    leader, grouped, _ = family
    assert set(members(leader.pid)) == {leader.pid, grouped}


def test_descendants_are_found_whatever_their_session(family: tuple[subprocess.Popen[bytes], int, int]) -> None:
    leader, grouped, apart = family
    assert set(descendants(leader.pid)) == {leader.pid, grouped, apart}


def test_a_session_is_killed_whatever_its_groups_and_nothing_else(
    family: tuple[subprocess.Popen[bytes], int, int],
) -> None:
    leader, _, apart = family
    kill_session(leader.pid)
    assert members(leader.pid) == []
    assert members(apart) == [apart]


def test_use_is_that_of_all_together(family: tuple[subprocess.Popen[bytes], int, int]) -> None:
    leader, grouped, apart = family
    one, three = use_of([leader.pid]), use_of([leader.pid, grouped, apart])
    assert one.tasks == 1
    assert three.tasks == 3
    assert three.memory_mb > one.memory_mb > 64
    assert three.cpu_s >= one.cpu_s >= 0


def test_threads_count() -> None:
    program = "import threading, time\nfor _ in range(4): threading.Thread(target=time.sleep, args=(60,), daemon=True)"
    program += ".start()\nprint(1, flush=True)\ntime.sleep(60)"
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    assert use_of([child.pid]).tasks == 5
    child.kill()
    child.stdout.close()
    child.wait()


def test_what_ended_uses_nothing() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert members(child.pid) == []
    child.wait()
    assert use_of([child.pid]) == (0, 0.0, 0.0)

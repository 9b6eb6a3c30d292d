"""Memory and CPU time of programs in bubblewrap: held by control groups where there are any, else watched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import sandboxes.bubblewrap
import sandboxes.cell
import sandboxes.rlimits
from sandboxes import BubblewrapSandbox, Hold, Outcome, Promise
from sandboxes.groups import Groups
from tests.sandboxes.lab import Lab, require_bubblewrap

BUSY = "import time\nx = bytearray(80 << 20)\nwhile time.process_time() < 0.5: pass"


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Lab]:
    """A lab whose memory the kernel limits."""
    require_bubblewrap()
    sandbox = BubblewrapSandbox()
    if sandbox.capabilities().hold(Promise.MEMORY) is not Hold.ENFORCED:
        sandbox.close()
        pytest.skip("this process cannot make control groups here")
    yield Lab(sandbox, None, tmp_path)
    sandbox.close()


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """A lab on a host without control groups."""
    require_bubblewrap()
    (tmp_path / "none").mkdir()
    monkeypatch.setattr(sandboxes.bubblewrap, "Groups", lambda: Groups(tmp_path / "none"))
    sandbox = BubblewrapSandbox()
    yield Lab(sandbox, None, tmp_path)
    sandbox.close()


def test_an_oom_killed_child_is_oom_even_if_the_program_succeeds(held: Lab) -> None:
    program = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'x = bytearray(900 << 20)'])"
    result = held.run(program, memory_mb=192)
    assert result.exit_code == 0
    assert result.oom_killed
    assert (result.outcome, result.limit) == (Outcome.OOM, Promise.MEMORY)


IN_A_FILE = "import os\nfd = os.memfd_create('x')\nwhile True: os.write(fd, bytes(1 << 20))"
SHARED = "import mmap\nx = mmap.mmap(-1, 900 << 20)\nx.write(bytes(900 << 20))"
OF_MANY = """
import os, time
for _ in range(8):
    if os.fork() == 0:
        x = bytearray(60 << 20)
        break
time.sleep(3)
"""


@pytest.mark.parametrize("program", [IN_A_FILE, SHARED, OF_MANY], ids=["in a file", "shared", "of many"])
def test_memory_of_every_kind_counts(held: Lab, program: str) -> None:
    result = held.run(program, memory_mb=128, file_mb=1000, pids=32)
    assert (result.outcome, result.limit) == (Outcome.OOM, Promise.MEMORY)


def test_usage_is_that_of_the_group(held: Lab) -> None:
    result = held.run(BUSY)
    assert result.usage_source.startswith("cgroup")
    assert result.cpu_s is not None
    assert result.peak_memory_mb is not None
    assert result.cpu_s >= 0.4
    assert result.peak_memory_mb >= 80


def test_cores_are_given_out_as_asked(held: Lab) -> None:
    if held.sandbox.capabilities().hold(Promise.CPUS) is not Hold.ENFORCED:
        pytest.skip("this host has no control group for CPU time")
    result = held.run("import time\nend = time.monotonic() + 2\nwhile time.monotonic() < end: pass", cpus=0.25)
    assert result.cpu_s is not None
    assert result.cpu_s < 0.5 * result.wall_s


def test_without_control_groups_it_says_so_and_isolates_nobody(watched: Lab) -> None:
    said = watched.sandbox.capabilities()
    assert not said.isolates
    assert said.hold(Promise.MEMORY) is Hold.WATCHED
    assert said.hold(Promise.CPUS) is Hold.ABSENT
    assert [note for note in said.notes if "control groups" in note]


def test_without_control_groups_memory_of_all_processes_is_watched(watched: Lab) -> None:
    program = """
        import os, time
        for _ in range(4):
            if os.fork() == 0:
                os.setsid()
                x = bytearray(90 << 20)
                time.sleep(20)
                os._exit(0)
        time.sleep(20)
    """
    result = watched.run(program, memory_mb=200)
    assert (result.outcome, result.limit) == (Outcome.OOM, Promise.MEMORY)
    assert result.oom_killed


def test_without_control_groups_usage_is_sampled(watched: Lab) -> None:
    result = watched.run(BUSY)
    assert result.usage_source == "sampled"
    assert result.cpu_s is not None
    assert result.peak_memory_mb is not None
    assert result.cpu_s >= 0.3
    assert result.peak_memory_mb >= 80


def test_a_kernel_that_does_not_count_processes_is_found_out_and_they_are_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_bubblewrap()
    monkeypatch.setattr(sandboxes.rlimits, "PROCESSES", "")
    sandbox = BubblewrapSandbox()
    said = sandbox.capabilities()
    assert said.hold(Promise.PIDS) is Hold.WATCHED
    assert not said.isolates
    program = """
        import os, time
        for _ in range(30):
            if os.fork() == 0:
                time.sleep(20)
                os._exit(0)
        time.sleep(20)
    """
    result = Lab(sandbox, None, tmp_path).run(program, pids=10, memory_mb=4000)
    sandbox.close()
    assert (result.outcome, result.limit) == (Outcome.KILLED, Promise.PIDS)


def test_where_no_namespace_can_be_looked_into_outputs_lie_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_bubblewrap()

    def closed(first_pid: int) -> int:
        raise PermissionError(first_pid)

    monkeypatch.setattr(sandboxes.cell, "output_of", closed)
    sandbox = BubblewrapSandbox()
    assert sandbox.capabilities().hold(Promise.OUT_BYTES) is Hold.WATCHED
    lab = Lab(sandbox, None, tmp_path)
    result = lab.run("import sys; open(sys.argv[1] + '/x', 'w').write('42')")
    sandbox.close()
    assert result.outcome is Outcome.OK
    assert lab.read("x") == "42"
    assert {path.name for path in tmp_path.iterdir()} == {"code1", "out1"}

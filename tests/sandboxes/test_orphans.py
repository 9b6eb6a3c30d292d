"""Nothing that was started outlives the program that started it, even one that was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.sandboxes.lab import require_bubblewrap

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
# What is started is told by a variable: it is in the environment of the program and of all that comes of it.
WATCHER = """
import sys, threading
from pathlib import Path
import sandboxes, sandboxes.bubblewrap
from sandboxes.keeper import Keeper
backend, how, mark, folder = sys.argv[1:4] + [Path(sys.argv[4])]
if how == "unkept":
    Keeper.begin = lambda *_: None
if how in ("unkept", "untied"):
    sandboxes.bubblewrap.CONFINED = [word for word in sandboxes.bubblewrap.CONFINED if word != "--die-with-parent"]
sandbox = getattr(sandboxes, backend)()
spec = sandboxes.RunSpec(run_id="o", argv=("{python}", "{code}/x.py", "{out}"), code=folder / "code",
                         out=folder / "out", env={"MARK": mark}, limits=sandboxes.Limits(wall_s=60, pids=16))
made = []
thread = threading.Thread(target=lambda: made.append(sandbox.prepare(spec)))  # one that is over before the program
thread.start()
thread.join()
if how == "prepared":
    threading.Event().wait()
made[0].run()
"""
PROGRAM = """
import os, sys, time
if os.fork() == 0:
    os.setpgid(0, 0)
while True:
    time.sleep(0.05)
"""
BACKENDS = pytest.mark.parametrize("backend", ["ProcessSandbox", "BubblewrapSandbox"])
# Two of its own once it runs, and one less while it waits; two of bubblewrap's.
RUNNING = {"ProcessSandbox": 2, "BubblewrapSandbox": 4}


def marked(mark: str) -> list[int]:
    """Return the processes whose environment has the mark, the watcher apart."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                if f"MARK={mark}\0".encode() in (folder / "environ").read_bytes():
                    found.append(int(folder.name))
    return found


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[str]:
    yield str(tmp_path)
    for pid in marked(str(tmp_path)):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def killed_watcher(backend: str, how: str, mark: str, tasks: int) -> None:
    """Start a watcher of one program, wait until it has `tasks` processes, and kill the watcher."""
    if backend == "BubblewrapSandbox":
        require_bubblewrap()
    folder = Path(mark)
    (folder / "code").mkdir()
    (folder / "code/x.py").write_text(PROGRAM, encoding="utf-8")
    arguments = [sys.executable, "-c", WATCHER, backend, how, mark, mark]
    # Nobody is left to remove its directories: they must lie in this test's own.
    watcher = subprocess.Popen(arguments, env={**os.environ, "TMPDIR": mark})
    wait_for(lambda: len(marked(mark)) >= tasks, "the program did not start")
    watcher.kill()
    watcher.wait()


@BACKENDS
def test_a_running_program_ends_with_its_watcher(backend: str, mark: str) -> None:
    killed_watcher(backend, "running", mark, tasks=RUNNING[backend])
    wait_for(lambda: not marked(mark), "the program outlives its watcher")


@BACKENDS
def test_a_program_that_never_ran_ends_with_its_watcher(backend: str, mark: str) -> None:
    killed_watcher(backend, "prepared", mark, tasks=RUNNING[backend] - 1)
    wait_for(lambda: not marked(mark), "the waiting program outlives its watcher")


@BACKENDS
def test_a_program_that_is_only_being_started_ends_with_its_watcher(backend: str, mark: str) -> None:
    killed_watcher(backend, "prepared", mark, tasks=1)
    wait_for(lambda: not marked(mark), "what was begun outlives its watcher")


def test_a_program_that_undoes_its_tie_to_the_parent_ends_all_the_same(mark: str) -> None:
    """It can: the first process in its namespaces is of its own user, and cannot be kept from it."""
    killed_watcher("BubblewrapSandbox", "untied", mark, tasks=RUNNING["BubblewrapSandbox"])
    wait_for(lambda: not marked(mark), "the program outlives its watcher")


@BACKENDS
def test_without_its_keeper_an_orphan_lives_on(backend: str, mark: str) -> None:
    """The planted fault: it is the keeper, or bubblewrap's tie to its parent, that ends the program above."""
    killed_watcher(backend, "unkept", mark, tasks=RUNNING[backend])
    time.sleep(1)
    assert len(marked(mark)) == RUNNING[backend]


def wait_for(condition: Callable[[], bool], why: str) -> None:
    for _ in range(300):
        if condition():
            return
        time.sleep(0.1)
    pytest.fail(why)

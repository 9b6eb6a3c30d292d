from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from sandboxes.owners import start_time
from sandboxes.scratch import Scratches

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    (tmp_path / "temporary").mkdir()
    return tmp_path / "temporary"


def test_nothing_is_left_once_all_is_closed(temporary: Path, tmp_path: Path) -> None:
    scratches = Scratches(temporary)
    with ExitStack() as stack:
        made = scratches.make(tmp_path / "out", 1, stack)
        (made / "d").mkdir(mode=0o000)
        assert made.stat().st_mode & 0o777 == 0o700
        assert made.parent == temporary
    scratches.close()
    assert not list(temporary.iterdir())


def test_without_room_they_lie_beside_the_output_and_are_gone_at_once(temporary: Path, tmp_path: Path) -> None:
    scratches = Scratches(temporary)
    with ExitStack() as stack:
        assert scratches.make(tmp_path / "out", 10**12, stack).parent == tmp_path
    assert list(tmp_path.iterdir()) == [temporary]
    scratches.close()


def test_what_the_dead_left_is_reaped_and_what_the_living_use_is_not(temporary: Path, tmp_path: Path) -> None:
    scratches = Scratches(temporary)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    with ExitStack() as stack:
        mine = scratches.make(tmp_path / "out", 1, stack)
        _, _, space, _, started, _ = mine.name.split("-")
        for name in (
            f"{space}-{dead.pid}-77-abc",
            f"{space}-{os.getpid()}-77-abc",
            f"9{space}-{dead.pid}-77-abc",
            "x-y",
        ):
            (temporary / f"hypoloop-run-{name}").mkdir()
        (temporary / f"hypoloop-run-{space}-{dead.pid}-78-abc").symlink_to(tmp_path)
        assert started == start_time(os.getpid())
        assert scratches.reap() == 2  # of a dead process, and of one whose number this process has now
        left = {path.name for path in temporary.iterdir()}
    assert left == {mine.name, "hypoloop-run-x-y", f"hypoloop-run-9{space}-{dead.pid}-77-abc"} | {
        f"hypoloop-run-{space}-{dead.pid}-78-abc"
    }
    scratches.close()

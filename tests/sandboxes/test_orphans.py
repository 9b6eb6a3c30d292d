"""A program whose watcher was killed ends by itself soon after its time is over."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

WATCHER = """
import sys
from pathlib import Path
import sandboxes.process
from sandboxes.contract import Limits, RunSpec
sandboxes.process.LATE_S = 1
folder = Path(sys.argv[1])
spec = RunSpec(run_id="o", argv=("{python}", "{code}/x.py"), code=folder / "code", out=folder / "out",
               limits=Limits(wall_s=1))
sandboxes.process.ProcessSandbox().run(spec)
"""


def test_an_orphan_ends_by_itself(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    beat = tmp_path / "beat"
    program = f"import pathlib, time\nwhile True:\n    pathlib.Path({str(beat)!r}).write_text(str(time.time()))\n"
    (tmp_path / "code" / "x.py").write_text(program + "    time.sleep(0.05)\n", encoding="utf-8")
    watcher = subprocess.Popen([sys.executable, "-c", WATCHER, str(tmp_path)])
    _wait(beat.exists, "the program did not start")
    watcher.kill()
    watcher.wait()

    def still() -> bool:
        before = beat.stat().st_mtime_ns
        time.sleep(1)
        return beat.stat().st_mtime_ns == before

    _wait(still, "the program outlives its watcher")


def _wait(condition: Callable[[], bool], why: str) -> None:
    for _ in range(30):
        if condition():
            return
        time.sleep(0.1)
    pytest.fail(why)

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from docker import DockerClient

SLOW = "import time; print('up', flush=True); time.sleep(120)"


def interrupted(backend: str, tmp_path: Path, is_up: Callable[[int], bool]) -> tuple[int, dict[str, Any]]:
    """Start a long run in a process of its own, send it a real Ctrl-C once it is up, and return how it ended."""
    scratch, slow = tmp_path / "scratch", tmp_path / "slow.py"
    scratch.mkdir()
    slow.write_text(SLOW, encoding="utf-8")
    arguments = ("sandbox", "run", "--backend", backend, "--json", str(slow))
    with subprocess.Popen(
        [sys.executable, "-m", "flows.cli", *arguments],
        stdout=subprocess.PIPE,
        env=os.environ | {"TMPDIR": str(scratch)},
    ) as process:
        try:
            while not is_up(process.pid):
                assert process.poll() is None
                time.sleep(0.1)
            time.sleep(1.0)
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    assert [path.name for path in scratch.iterdir() if path.suffix != ".lock"] == []
    return process.returncode, json.loads(out)


def test_ctrl_c_cancels_the_run_and_leaves_nothing(tmp_path: Path) -> None:
    children: list[int] = []

    def is_up(pid: int) -> bool:
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            children.extend(map(int, task.read_text(encoding="ascii").split()))
        return bool(children)

    code, facts = interrupted("process", tmp_path, is_up)
    assert code == 130
    assert facts["outcome"] == "cancelled"
    assert facts["log_head"] == "up\n"
    assert not [child for child in children if Path(f"/proc/{child}").exists()]


@pytest.mark.docker
def test_ctrl_c_removes_the_container(tmp_path: Path, engine: DockerClient, lab_image: str) -> None:
    def ours(pid: int) -> list[Any]:
        found: list[Any] = engine.api.containers(all=True, filters={"label": [f"hypoloop.pid={pid}"]})
        return found

    seen: list[int] = []

    def is_up(pid: int) -> bool:
        seen.append(pid)
        return any(
            "hypoloop-run-" in name for each in ours(pid) if each["State"] == "running" for name in each["Names"]
        )

    code, facts = interrupted("docker", tmp_path, is_up)
    assert code == 130
    assert facts["outcome"] == "cancelled"
    assert ours(seen[0]) == []
    volumes = {"label": [f"hypoloop.pid={seen[0]}"]}
    assert engine.volumes.list(filters=volumes) == []

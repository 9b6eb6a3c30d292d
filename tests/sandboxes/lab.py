"""Programs as text, run in a sandbox."""

from __future__ import annotations

import os
import textwrap
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sandboxes import BubblewrapSandbox, BubblewrapUnavailable, Limits, RunResult, RunSpec, Sandbox


class Lab:
    """Runs programs given as text in one sandbox."""

    def __init__(self, sandbox: Sandbox, image: str | None, home: Path) -> None:
        self.sandbox = sandbox
        self.image = image
        self.home = home
        self._runs = 0

    def spec(self, program: str, *, expect: tuple[str, ...] = (), data: Any = None, **limits: Any) -> RunSpec:
        self._runs += 1
        code = self.home / f"code{self._runs}"
        code.mkdir()
        (code / "run.py").write_text(textwrap.dedent(program), encoding="utf-8")
        return RunSpec(
            run_id=f"run-{self._runs}",
            argv=("{python}", "{code}/run.py", "{out}", *(f"{{{name}}}" for name in data or {})),
            code=code,
            out=self.home / f"out{self._runs}",
            data=data or {},
            image=self.image,
            expect=expect,
            limits=Limits(**({"wall_s": 30.0} | limits)),
        )

    def run(self, program: str, **options: Any) -> RunResult:
        spec = self.spec(program, **options)
        self.out = spec.out
        return self.sandbox.run(spec)

    def read(self, name: str) -> str:
        return (self.out / name).read_text(encoding="utf-8")


def require_bubblewrap() -> None:
    """Skip a test where bubblewrap cannot be had; fail it where bubblewrap is required."""
    fault = bubblewrap_fault()
    if fault is None:
        return
    if os.environ.get("HYPOLOOP_REQUIRE_BUBBLEWRAP") == "1":
        pytest.fail(f"HYPOLOOP_REQUIRE_BUBBLEWRAP=1, but: {fault}")
    pytest.skip(f"bubblewrap cannot be had: {fault}")


@cache
def bubblewrap_fault() -> str | None:
    try:
        BubblewrapSandbox().close()
    except BubblewrapUnavailable as problem:
        return problem.why
    return None


def names(result: RunResult) -> set[str]:
    return {artifact.name for artifact in result.artifacts}

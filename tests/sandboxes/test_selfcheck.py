from __future__ import annotations

import json
import os
from collections.abc import Mapping

import pytest

from sandboxes import DockerSandbox, FakeSandbox, ProcessSandbox, RunResult, RunSpec, self_check


@pytest.mark.docker
def test_docker_holds_every_promise(lab_image: str) -> None:
    sandbox = DockerSandbox("test-selfcheck")
    checks = self_check(sandbox, lab_image)
    sandbox.close()
    assert [check for check in checks if not check.ok] == []
    assert len(checks) >= 11


def test_a_process_is_found_to_isolate_nothing() -> None:
    failed = {check.name for check in self_check(ProcessSandbox(), None) if not check.ok}
    assert "cannot write its code" in failed
    assert "sees no variable of the host" not in failed


def test_a_sandbox_that_says_nothing_fails_every_check() -> None:
    def silent(spec: RunSpec) -> Mapping[str, bytes]:
        return {}

    assert not [check.name for check in self_check(FakeSandbox(silent), None) if check.ok]


def test_a_leaked_variable_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPOLOOP_CANARY", "planted")

    def leaky(spec: RunSpec) -> RunResult | Mapping[str, bytes]:
        return {"probe.json": json.dumps({"env": dict(os.environ)}).encode()}

    checks = {check.name: check for check in self_check(FakeSandbox(leaky), None)}
    assert not checks["sees no variable of the host"].ok
    assert "HYPOLOOP_CANARY" in checks["sees no variable of the host"].detail

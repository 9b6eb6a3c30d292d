from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from sandboxes import (
    Capabilities,
    DockerOptions,
    DockerSandbox,
    FakeSandbox,
    Hold,
    ImageMissing,
    Outcome,
    ProcessSandbox,
    Promise,
    RunResult,
    RunSpec,
    self_check,
)
from sandboxes.selfcheck import ENDS, MOST
from sandboxes.workload import Workload

Weakening = Callable[[dict[str, Any]], object]
SOUND: dict[str, Any] = {name: most for name, most, _ in MOST.values()} | {
    "network": [],
    "files": [],
    "syscalls": [],
    "environment": {"PATH": "/usr/bin"},
}


def failed(sandbox: DockerSandbox | ProcessSandbox | FakeSandbox, image: str | None = None) -> dict[Promise, str]:
    try:
        return {check.promise: check.detail for check in self_check(sandbox, image) if not check.ok}
    finally:
        sandbox.close()


def told(spec: RunSpec, **changes: Any) -> RunResult:
    """What a sandbox that holds everything would answer, with changes to what the program reported."""
    attack = spec.run_id.removeprefix("check-")
    promise = {"forks": "", "probe": ""}.get(attack, attack)
    outcome = ENDS.get(Promise(promise), Outcome.OK) if promise else Outcome.OK
    return RunResult(
        run_id=spec.run_id,
        outcome=outcome,
        limit=Promise(promise) if outcome is not Outcome.OK else None,
        log_head=json.dumps(SOUND | changes),
        backend="fake",
        limits=spec.limits,
    )


@pytest.mark.docker
@pytest.mark.parametrize("output", ["auto", "bind"])
def test_docker_holds_every_promise(lab_image: str, output: Any) -> None:
    assert failed(DockerSandbox("test-selfcheck", DockerOptions(output=output)), lab_image) == {}


WEAKENED: dict[str, tuple[Weakening, Promise]] = {
    "a bridge to the network": (lambda chosen: chosen.pop("network_mode"), Promise.NETWORK),
    "the host's network": (lambda chosen: chosen.update(network_mode="host"), Promise.NETWORK),
    "a root file system that can be written": (lambda chosen: chosen.pop("read_only"), Promise.FILES),
    "the host's files": (lambda chosen: chosen["mounts"].append(_host()), Promise.FILES),
    "a variable of the host": (lambda chosen: chosen["environment"].update(_planted()), Promise.ENVIRONMENT),
    "capabilities": (lambda chosen: chosen.pop("cap_drop"), Promise.SYSCALLS),
    "no filter of system calls": (
        lambda chosen: chosen["security_opt"].append("seccomp=unconfined"),
        Promise.SYSCALLS,
    ),
    "memory": (lambda chosen: [chosen.pop("mem_limit"), chosen.pop("memswap_limit")], Promise.MEMORY),
    "cores": (lambda chosen: chosen.pop("nano_cpus"), Promise.CPUS),
    "processes": (lambda chosen: chosen.pop("pids_limit"), Promise.PIDS),
    "open files": (lambda chosen: chosen["ulimits"].pop(1), Promise.OPEN_FILES),
    "the size of a file": (lambda chosen: chosen["ulimits"].pop(0), Promise.FILE_SIZE),
}


def _planted() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("HYPOLOOP_CANARY")}


def _host() -> Any:
    from docker.types import Mount

    return Mount("/host", "/", type="bind", read_only=True)


@pytest.mark.docker
@pytest.mark.parametrize("fault", WEAKENED)
def test_a_profile_that_lost_one_restriction_fails_that_check_and_no_other(
    fault: str, lab_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    weaken, promise = WEAKENED[fault]
    create = Workload.create

    def weakened(self: Workload, image_id: str, argv: list[str], run_id: str, chosen: dict[str, Any]) -> None:
        weaken(chosen)
        create(self, image_id, argv, run_id, chosen)

    monkeypatch.setattr(Workload, "create", weakened)
    assert set(failed(DockerSandbox("test-selfcheck"), lab_image)) == {promise}


@pytest.mark.docker
def test_limits_that_the_platform_keeps_are_missed_where_it_does_not(
    lab_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    roomy = {"type": "tmpfs", "device": "tmpfs", "o": "size=64m,uid=10001,gid=10001,mode=0700"}
    monkeypatch.setattr("sandboxes.outbox.volume_options", lambda limits: roomy)
    monkeypatch.setattr("sandboxes.logs.LogKeeper.flooded", False)
    make = Workload.__init__

    def patient(self: Workload, client: Any, limits: Any, account: Any) -> None:
        make(self, client, limits.model_copy(update={"wall_s": 60.0}), account)

    monkeypatch.setattr(Workload, "__init__", patient)
    missed = set(failed(DockerSandbox("test-selfcheck"), lab_image))
    assert missed == {Promise.OUT_BYTES, Promise.OUT_FILES, Promise.LOG, Promise.WALL}


def test_a_process_keeps_what_it_says_and_what_it_does_not_say_is_no_failure() -> None:
    checks = {check.promise: check for check in self_check(ProcessSandbox(), None)}
    assert [check for check in checks.values() if not check.ok] == []
    assert checks[Promise.NETWORK].hold is Hold.ABSENT
    assert "not held" in checks[Promise.NETWORK].detail


def test_a_process_that_says_more_than_it_holds_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    said = ProcessSandbox().capabilities()
    boastful = said.model_copy(update={"holds": said.holds | {Promise.NETWORK: Hold.ENFORCED}})
    monkeypatch.setattr(ProcessSandbox, "capabilities", lambda self: boastful)
    assert "reaches a port of the host" in failed(ProcessSandbox())[Promise.NETWORK]


def test_a_sandbox_that_says_nothing_fails_every_check() -> None:
    def silent(spec: RunSpec) -> Mapping[str, bytes]:
        return {}

    assert set(failed(FakeSandbox(silent))) == set(Promise)


def test_a_sandbox_that_promises_nothing_is_not_attacked() -> None:
    sandbox = FakeSandbox(told, isolates=False)
    assert failed(sandbox) == {}
    assert sandbox.runs == []


def test_a_sound_sandbox_passes() -> None:
    assert failed(FakeSandbox(told)) == {}


@pytest.mark.parametrize("promise", MOST)
def test_one_more_than_allowed_fails_that_check_and_no_other(promise: Promise) -> None:
    name, most, _ = MOST[promise]
    assert set(failed(FakeSandbox(lambda spec: told(spec, **{name: most + 1})))) == {promise}


@pytest.mark.parametrize("promise", [Promise.NETWORK, Promise.FILES, Promise.SYSCALLS])
def test_what_an_attack_found_is_told(promise: Promise) -> None:
    assert failed(FakeSandbox(lambda spec: told(spec, **{promise: ["a way out"]}))) == {promise: "a way out"}


def test_a_leaked_variable_is_found() -> None:
    leaky = failed(FakeSandbox(lambda spec: told(spec, environment=dict(os.environ))))
    assert set(leaky) == {Promise.ENVIRONMENT}
    assert not [name for name in os.environ if name.startswith("HYPOLOOP_CANARY")]


@pytest.mark.parametrize("promise", ENDS)
def test_a_limit_that_ends_nothing_is_found(promise: Promise) -> None:
    def endless(spec: RunSpec) -> RunResult:
        answer = told(spec)
        return answer.model_copy(update={"outcome": Outcome.OK, "limit": None}) if answer.limit is promise else answer

    assert set(failed(FakeSandbox(endless))) == {promise}


class Watchful(FakeSandbox):
    """Says that it watches everything."""

    def capabilities(self) -> Capabilities:
        return super().capabilities().model_copy(update={"holds": dict.fromkeys(Promise, Hold.WATCHED)})


@pytest.mark.parametrize("promise", [*ENDS, Promise.PIDS])
def test_a_watched_limit_must_end_the_run_too(promise: Promise) -> None:
    def answer(spec: RunSpec, blind: Promise | None = None) -> RunResult:
        killed = {"outcome": Outcome.KILLED, "limit": Promise.PIDS} if spec.run_id == "check-forks" else {}
        result = told(spec).model_copy(update=killed)
        return result.model_copy(update={"outcome": Outcome.OK, "limit": None}) if result.limit is blind else result

    assert failed(Watchful(answer)) == {}
    assert set(failed(Watchful(lambda spec: answer(spec, promise)))) == {promise}


def test_an_attack_that_cannot_run_cancels_the_others_and_is_told() -> None:
    def broken(spec: RunSpec) -> RunResult:
        raise ImageMissing("none")

    with pytest.raises(ImageMissing):
        self_check(FakeSandbox(broken), None)

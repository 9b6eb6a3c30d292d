from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from flows import laboratory, soundness
from flows.errors import BackendChanged
from flows.laboratory import open_laboratory
from flows.settings import CampaignSpec
from sandboxes import (
    Capabilities,
    Check,
    FakeSandbox,
    Hold,
    Outcome,
    Promise,
    RunResult,
    RunSpec,
    SandboxError,
    SandboxLacks,
    SandboxRefused,
    SandboxUnsound,
)
from sandboxes.docker import DockerOptions
from templates.template import Template
from tests.templates.making import make

HELD = Check(Promise.WALL, Hold.ENFORCED, True, "ended")


def idle(spec: RunSpec) -> Mapping[str, bytes]:
    return {}


@pytest.fixture
def template(tmp_path: Path) -> Template:
    return Template(make(tmp_path / "made"))


def demanding(template: Template, **changes: object) -> Template:
    template.manifest = template.manifest.model_copy(update=changes)
    return template


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeSandbox | SandboxError]:
    """What each backend is on this pretended machine; one that is not named cannot be had."""
    machine: dict[str, FakeSandbox | SandboxError] = {}

    def open_one(name: str, owner: str, options: DockerOptions) -> FakeSandbox:
        found = machine.get(name, SandboxError(f"no {name} here"))
        if isinstance(found, SandboxError):
            raise found
        return found

    monkeypatch.setattr(laboratory, "open_sandbox", open_one)
    monkeypatch.setattr(laboratory, "_image", lambda backend, template: None)
    monkeypatch.setattr(soundness, "self_check", lambda sandbox, image: (HELD,))
    return machine


def spec(**settings: object) -> CampaignSpec:
    return CampaignSpec.model_validate({"name": "x", "template": "coin", **settings})


def test_the_strongest_that_is_there_is_taken_and_anything_less_is_said(
    opened: dict[str, FakeSandbox | SandboxError], template: Template, tmp_path: Path
) -> None:
    opened["process"] = FakeSandbox(idle, isolates=False)
    with open_laboratory(spec(), template, "", tmp_path, False) as lab:
        assert lab.backend == "process"
        assert "No Docker engine answers" in lab.notices[0]
        assert "does not hold network, files" in lab.notices[0]
    opened["docker"] = FakeSandbox(idle)
    with open_laboratory(spec(), template, "", tmp_path, False) as lab:
        assert (lab.backend, lab.notices) == ("docker", ())


def test_a_backend_that_was_named_is_not_replaced(
    opened: dict[str, FakeSandbox | SandboxError], template: Template, tmp_path: Path
) -> None:
    opened["process"] = FakeSandbox(idle, isolates=False)
    with (
        pytest.raises(SandboxError, match="no docker"),
        open_laboratory(spec(sandbox="docker"), template, "", tmp_path, False),
    ):
        pass


def test_a_campaign_does_not_change_its_sandbox(template: Template, tmp_path: Path) -> None:
    with pytest.raises(BackendChanged), open_laboratory(spec(sandbox="process"), template, "docker", tmp_path, False):
        pass


def test_what_a_model_wrote_is_refused_where_nothing_confines_it(
    opened: dict[str, FakeSandbox | SandboxError], template: Template, tmp_path: Path
) -> None:
    opened["process"] = weak = FakeSandbox(idle, isolates=False)
    with (
        pytest.raises(SandboxRefused, match="allow_weak_sandbox"),
        open_laboratory(spec(sandbox="process"), template, "", tmp_path, True),
    ):
        pass
    assert weak.runs == []


def test_with_the_users_leave_it_runs_and_the_journal_is_told(
    opened: dict[str, FakeSandbox | SandboxError], template: Template, tmp_path: Path
) -> None:
    opened["process"] = FakeSandbox(idle, isolates=False)
    allowed = spec(sandbox="process", allow_weak_sandbox=True)
    with open_laboratory(allowed, template, "", tmp_path, True) as lab:
        assert "code that a model wrote runs in the fake sandbox" in lab.notices[-1]


def test_a_template_that_requires_more_is_refused_before_anything_runs(
    opened: dict[str, FakeSandbox | SandboxError], template: Template, tmp_path: Path
) -> None:
    opened["process"] = weak = FakeSandbox(idle, isolates=False)
    asking = demanding(template, requires=(Promise.NETWORK,))
    with (
        pytest.raises(SandboxLacks, match="network"),
        open_laboratory(spec(sandbox="process"), asking, "", tmp_path, False),
    ):
        pass
    assert weak.runs == []


def test_a_device_that_is_not_there_is_refused_before_anything_runs(
    opened: dict[str, FakeSandbox | SandboxError],
    template: Template,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HYPOLOOP_GPUS", "")
    opened["docker"] = strong = FakeSandbox(idle)
    asking = demanding(template, resources=template.manifest.resources.model_copy(update={"gpus": 1}))
    with (
        pytest.raises(SandboxLacks, match="asks for 1 GPU, and none"),
        open_laboratory(spec(), asking, "", tmp_path, False),
    ):
        pass
    assert strong.runs == []


def test_a_device_the_engine_does_not_hand_out_is_refused_in_its_own_words(
    opened: dict[str, FakeSandbox | SandboxError],
    template: Template,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuses(spec: RunSpec) -> RunResult:
        return RunResult(
            run_id=spec.run_id,
            outcome=Outcome.UNSUPPORTED,
            reason="no driver for it",
            backend="docker",
            limits=spec.limits,
        )

    monkeypatch.setenv("HYPOLOOP_GPUS", "0")
    opened["docker"] = FakeSandbox(refuses, gpus=("0",))
    asking = demanding(template, resources=template.manifest.resources.model_copy(update={"gpus": 1}))
    with pytest.raises(SandboxLacks, match="no driver for it"), open_laboratory(spec(), asking, "", tmp_path, False):
        pass


def test_a_sandbox_that_fails_its_self_check_is_refused_every_time(
    opened: dict[str, FakeSandbox | SandboxError],
    template: Template,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Capabilities] = []

    def unsound(sandbox: FakeSandbox, image: str | None) -> tuple[Check, ...]:
        asked.append(sandbox.capabilities())
        return (Check(Promise.NETWORK, Hold.ENFORCED, False, "eth0"), HELD)

    monkeypatch.setattr(soundness, "self_check", unsound)
    for _ in range(2):
        opened["docker"] = FakeSandbox(idle)
        with (
            pytest.raises(SandboxUnsound, match=r"network \(eth0\)"),
            open_laboratory(spec(sandbox="docker"), template, "", tmp_path, False),
        ):
            pass
    assert len(asked) == 2


def test_what_passed_is_remembered_for_this_machine_image_and_runtime(
    opened: dict[str, FakeSandbox | SandboxError],
    template: Template,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str | None] = []

    def sound(sandbox: FakeSandbox, image: str | None) -> tuple[Check, ...]:
        asked.append(image)
        return (HELD,)

    monkeypatch.setattr(soundness, "self_check", sound)
    for runtime, boot in ((None, "b1"), (None, "b1"), ("runsc", "b1"), (None, "b2")):
        monkeypatch.setattr(soundness, "boot_id", lambda boot=boot: boot)
        opened["docker"] = FakeSandbox(idle)
        with open_laboratory(spec(runtime=runtime), template, "", tmp_path, False):
            pass
    assert len(asked) == 3

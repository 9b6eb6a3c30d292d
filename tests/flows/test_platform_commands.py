from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.cli import main
from sandboxes import Hold, ImageSpec, Promise, image_tag
from sandboxes.backends import Usable
from sandboxes.imagestore import Kept, LabImage, Pruned
from sandboxes.selfcheck import Check
from templates.template import list_templates, load_template

Cli = Callable[..., tuple[int, str]]
SOUND = tuple(Check(promise, Hold.ENFORCED, True, "seen") for promise in Promise)
BROKEN = tuple(check._replace(ok=check.promise is not Promise.NETWORK, detail="planted") for check in SOUND)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    monkeypatch.setenv("HYPOLOOP_HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["hypoloop", *arguments])
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        return code, capsys.readouterr().out

    return run


@pytest.fixture
def only_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandboxes.backends.usable", lambda name: Usable(name, name == "process", "as planted"))


def rows(out: str) -> dict[str, dict[str, Any]]:
    return {row["what"]: row for row in json.loads(out)}


@pytest.mark.usefixtures("only_the_process")
def test_doctor_checks_every_sandbox_that_can_be_used(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandboxes.selfcheck.self_check", lambda sandbox, image: SOUND)
    code, out = cli("doctor", "--json")
    seen = rows(out)
    assert code == 0
    assert not seen["Sandbox podman"]["ok"]
    assert seen["Sandbox process, self-check"]["ok"]
    assert "network" in seen["Sandbox process, self-check"]["says"]
    assert "Sandbox podman, self-check" not in seen


@pytest.mark.usefixtures("only_the_process")
def test_doctor_fails_where_the_sandbox_that_campaigns_would_use_fails(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandboxes.selfcheck.self_check", lambda sandbox, image: BROKEN)
    code, out = cli("doctor", "--json")
    seen = rows(out)
    assert code == 3
    assert seen["Sandbox process, network"]["says"] == "planted"
    assert "is refused" in seen["Sandbox process, self-check"]["says"]


@pytest.mark.usefixtures("only_the_process")
def test_doctor_in_a_hurry_attacks_nothing(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def attacked(sandbox: object, image: object) -> None:
        raise AssertionError("attacked")

    monkeypatch.setattr("sandboxes.selfcheck.self_check", attacked)
    code, out = cli("doctor", "--quick")
    assert code == 0
    assert "self-check" not in out


@pytest.mark.usefixtures("only_the_process")
def test_doctor_says_what_a_gpu_lacks(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPOLOOP_GPUS", "")
    _, out = cli("doctor", "--quick", "--json")
    assert "no device is visible" in rows(out)["GPU"]["says"]
    assert "no Docker engine answers" in rows(out)["GPU"]["says"]
    monkeypatch.setenv("HYPOLOOP_GPUS", "2,5")
    _, out = cli("doctor", "--quick", "--json")
    assert "devices 2, 5" in rows(out)["GPU"]["says"]


class Client:
    def close(self) -> None:
        return


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What `image prune` said that is needed."""
    needs: list[Any] = []

    def prune(client: object, needed: Any) -> Pruned:
        needs.append(needed)
        return Pruned(removed=("hypoloop/lab:old",), kept=(Kept(tag="hypoloop/lab:new", why="a template needs it"),))

    monkeypatch.setattr("sandboxes.backends.connect_to", lambda backend: Client())
    monkeypatch.setattr("sandboxes.imagestore.prune", prune)
    return needs


def test_prune_keeps_what_installed_templates_need(cli: Cli, asked: list[Any]) -> None:
    code, out = cli("image", "prune")
    assert code == 0
    assert out == "removed hypoloop/lab:old\nkept    hypoloop/lab:new: a template needs it\n"
    needs = [load_template(name).manifest.image.requirements for name in list_templates()]
    assert asked[0] == {image_tag(ImageSpec(requirements=need)) for need in ((), *needs)}


def test_prune_all_keeps_nothing_for_templates(cli: Cli, asked: list[Any]) -> None:
    _, out = cli("image", "prune", "--all", "--json")
    assert asked == [None]
    assert json.loads(out)["removed"] == ["hypoloop/lab:old"]


def test_images_are_listed_with_what_is_in_them(cli: Cli, asked: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    made = LabImage(tag="hypoloop/lab:1", image_id="sha256:1", base="b@sha256:2", size_mb=1.0, installed=("numpy==2",))
    monkeypatch.setattr("sandboxes.imagestore.list_images", lambda client: (made,))
    _, out = cli("image", "list")
    assert "hypoloop/lab:1" in out
    assert "numpy==2" in out
    _, out = cli("image", "list", "--json")
    assert json.loads(out) == [made.model_dump(mode="json")]

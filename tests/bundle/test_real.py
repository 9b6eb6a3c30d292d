"""A real campaign by the command line, exported, checked and run again in another home; with Docker too."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

import templates
from tests.campaign.running import ROOT, environment, of_kind

pytestmark = [pytest.mark.campaign, pytest.mark.prefect, pytest.mark.mlflow]

SPEC = """
name = "small"
template = "boltzmann-sampling"
template_folder = "mine"
sandbox = "SANDBOX"
seed = 1
[budget]
rounds = 1
ideas_per_round = 2
plans_per_round = 1
"""


def hypoloop(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", *arguments], cwd=folder, capture_output=True, text=True, check=False,
        env=environment() | more, timeout=500,
    )  # fmt: skip


@pytest.fixture(scope="module", params=["process", pytest.param("docker", marks=pytest.mark.docker)])
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a campaign on a template of its own, exported to `small.zip`, and its sandbox."""
    if request.param == "docker":
        request.getfixturevalue("engine")
    folder = tmp_path_factory.mktemp(f"real-{request.param}")
    shutil.copytree(
        Path(templates.__file__).parent / "boltzmann-sampling", folder / "mine" / "boltzmann-sampling",
        ignore=shutil.ignore_patterns("__pycache__"),
    )  # fmt: skip
    manifest = folder / "mine" / "boltzmann-sampling" / "template.toml"
    first, control, *_ = manifest.read_text().split("[[conditions]]")
    manifest.write_text(f"{first}[[conditions]]{control}")  # Each condition is one more comparison to wait for.
    (folder / "campaign.toml").write_text(SPEC.replace("SANDBOX", request.param))
    for arguments in (("run", "campaign.toml"), ("export", "small")):
        done = hypoloop(folder, *arguments, HYPOLOOP_HOME="home", MY_API_KEY="canary-5d1e77c0ffee")
        assert done.returncode == 0, done.stdout + done.stderr
    return folder, request.param


@pytest.fixture
def elsewhere(exported: tuple[Path, str], tmp_path: Path) -> Path:
    """Another folder with the bundle in it, and nothing else of the campaign."""
    (tmp_path / "tmp").mkdir()
    shutil.copy(exported[0] / "small.zip", tmp_path / "small.zip")
    return tmp_path


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*")} - {"small.zip", "tmp"}


def claim_of(exported: tuple[Path, str]) -> str:
    claims = of_kind(exported[0] / "home", "small", "claim")
    assert claims, "the campaign claims nothing, so there is nothing to reproduce"
    return str(claims[0]["id"])


def test_it_holds_in_another_home(exported: tuple[Path, str], elsewhere: Path) -> None:
    done = hypoloop(elsewhere, "verify", "small.zip", "--json", TMPDIR=str(elsewhere / "tmp"), DOCKER_HOST="tcp://0:1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(finding["ok"] for finding in json.loads(done.stdout))
    assert left(elsewhere) == set()


def test_nothing_of_this_machine_is_in_it(exported: tuple[Path, str], elsewhere: Path) -> None:
    zipfile.ZipFile(elsewhere / "small.zip").extractall(elsewhere / "un")
    subprocess.run(["git", "clone", "-q", "-b", "record", "un/repository.bundle", "un/code"], cwd=elsewhere, check=True)
    shutil.rmtree(elsewhere / "un" / "code" / ".git")
    needles = [text.encode() for text in ("canary-5d1e77c0ffee", str(exported[0]), str(ROOT), sys.prefix)]
    for path in (path for path in (elsewhere / "un").rglob("*") if path.is_file()):
        assert not [needle for needle in needles if needle in path.read_bytes()], path


def test_a_claim_comes_out_the_same_from_its_bundle(exported: tuple[Path, str], elsewhere: Path) -> None:
    done = hypoloop(
        elsewhere, "reproduce", "small.zip", claim_of(exported), "--allow-weak-sandbox", "--challenges", "--json",
        TMPDIR=str(elsewhere / "tmp"),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["reproduced"]
    assert found["notes"] == []
    assert all(row["equal"] and row["same_outputs"] for row in found["rows"])
    assert left(elsewhere) <= {path.name for path in (elsewhere / "tmp").glob("hypoloop-*.lock")}


def test_and_from_its_own_home_in_words(exported: tuple[Path, str]) -> None:
    folder, sandbox = exported
    done = hypoloop(folder, "reproduce", "small", claim_of(exported), "--sandbox", sandbox, HYPOLOOP_HOME="home")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith(f"{claim_of(exported)} reproduces:")
    assert hypoloop(folder, "verify", "small", HYPOLOOP_HOME="home").returncode == 0


def test_without_leave_a_bundle_runs_in_no_weak_sandbox(exported: tuple[Path, str], elsewhere: Path) -> None:
    done = hypoloop(elsewhere, "reproduce", "small.zip", claim_of(exported), "--sandbox", "process")
    assert done.returncode == 3
    assert "--allow-weak-sandbox" in done.stderr


def test_ctrl_c_leaves_nothing(request: pytest.FixtureRequest, exported: tuple[Path, str], elsewhere: Path) -> None:
    scratch = elsewhere / "tmp"
    process = subprocess.Popen(
        [
            sys.executable, "-m", "flows.cli", "reproduce", "small.zip", claim_of(exported), "--allow-weak-sandbox",
        ],
        cwd=elsewhere, env=environment() | {"TMPDIR": str(scratch)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    for _ in range(3000):
        if list(scratch.glob("hypoloop-reproduce-*/executions/*")) or process.poll() is not None:
            break
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert not list(scratch.glob("hypoloop-reproduce-*"))
    assert not list(scratch.glob("hypoloop-bundle-*"))
    assert not [command for command in commands() if str(scratch) in command]
    if exported[1] == "docker":
        engine = request.getfixturevalue("engine")
        assert engine.containers.list(all=True, filters={"label": f"hypoloop.pid={process.pid}"}) == []
        assert engine.volumes.list(filters={"label": f"hypoloop.pid={process.pid}"}) == []


def commands() -> list[str]:
    """The command lines of all processes of this machine."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found.append(path.read_bytes().decode(errors="replace"))
    return found

"""The distribution owns its four names, installs its command, and starts at once."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = {"flows", "agents", "templates", "sandboxes"}
CORE = {"prefect", "docker", "gitpython", "openai", "mlflow", "pandas"}


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_core_dependencies_are_core() -> None:
    names = {line.split(">")[0].split("<")[0].split("=")[0].strip() for line in project()["dependencies"]}
    assert names >= CORE


def test_no_other_distribution_owns_our_names() -> None:
    owners = {
        (name, distribution)
        for name, distributions in importlib.metadata.packages_distributions().items()
        if name in PACKAGES
        for distribution in distributions
    }
    assert {distribution for _, distribution in owners} <= {"hypoloop"}


def test_the_package_that_claims_our_name_agents_is_banned() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "openai-agents==" not in lock


def test_the_two_caps_that_prefect_needs_are_in_force() -> None:
    version = lambda name: tuple(int(p) for p in importlib.metadata.version(name).split(".")[:2])  # noqa: E731
    assert version("fastapi") < (0, 151)
    assert version("sqlalchemy") < (2, 1)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom flows.cli import hypoloop\n"
        "try:\n    hypoloop(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'prefect', 'mlflow', 'numpy', 'pandas', 'docker', 'git', 'pydantic'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "resume" in done.stdout


def test_the_wheel_holds_templates_prompts_and_types(tmp_path: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    subprocess.run(
        [uv, "build", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", tmp_path, ROOT],
        check=True,
        capture_output=True,
    )
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    for wanted in (
        "templates/boltzmann-sampling/template.toml",
        "templates/offline-rl/evaluator/evaluate.py",
        "templates/symbolic-pattern/evaluator/salt.txt",
        "flows/papers/report.html.j2",
        "flows/py.typed",
    ):
        assert wanted in names
    assert {name.split("/")[0] for name in names if not name.startswith("hypoloop-")} == PACKAGES


@pytest.mark.parametrize("arguments", [["nosuch"], ["run", "nosuch.toml"], ["resume", "nosuch"], ["verify", "nosuch"]])
def test_wrong_input_ends_in_one_sentence_and_code_2(arguments: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", "--home", str(tmp_path), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()

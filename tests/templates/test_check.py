from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sandboxes.contract import Outcome, RunSpec
from sandboxes.process import ProcessSandbox
from templates.check import Check, check_template
from templates.template import Template, load_template
from tests.templates.making import MANIFEST, PREPARE, make
from tests.templates.stub import Files, Refusal, Stub

ADMITTED = MANIFEST.replace("[seeds]", "[seeds]\nrepeatable = false")


def toss(spec: RunSpec) -> Files:
    return {"number.txt": "1.0"}


def strict(spec: RunSpec) -> Files:
    try:
        number = float((spec.data["run"] / "number.txt").read_text())
    except (OSError, ValueError) as error:
        raise Refusal("Refused: no number.") from error
    return scored(number + int(spec.argv[spec.argv.index("--seed") + 1]))


def scored(height: float) -> Files:
    return {"metrics.json": json.dumps({"height": height, "tosses": 1})}


def checked(
    tmp_path: Path,
    run: Callable[[RunSpec], Files] = toss,
    evaluate: Callable[[RunSpec], Files] = strict,
    **changed: str,
) -> dict[str, Check]:
    template = Template(make(tmp_path / "made", **changed))
    sandbox = Stub({"run.py": run, "evaluate.py": evaluate, "prepare.py": lambda spec: {"data.txt": "1"}})
    return {check.name: check for check in check_template(template, sandbox, None, tmp_path / "scratch")}


def failures(checks: dict[str, Check]) -> dict[str, str]:
    return {check.name: check.detail for check in checks.values() if not check.ok}


def test_a_good_template_passes_every_check(tmp_path: Path) -> None:
    checks = checked(tmp_path, prepare=PREPARE)
    assert not failures(checks)
    assert {"evaluator refuses an empty folder", "evaluator refuses random bytes", "factors"} <= checks.keys()


def test_progress_sees_every_check(tmp_path: Path) -> None:
    template, seen = Template(make(tmp_path / "made")), []
    sandbox = Stub({"run.py": toss, "evaluate.py": strict})
    assert check_template(template, sandbox, None, tmp_path / "scratch", seen.append) == tuple(seen)


def test_an_evaluator_that_scores_garbage_is_found(tmp_path: Path) -> None:
    found = failures(checked(tmp_path, evaluate=lambda spec: scored(1.0)))
    assert {"evaluator refuses an empty folder", "evaluator refuses random bytes"} <= found.keys()
    assert "it scored them" in found["evaluator refuses an empty folder"]


def test_a_number_that_comes_out_differently_is_found_unless_the_manifest_admits_it(tmp_path: Path) -> None:
    count = itertools.count()
    restless = {"run": lambda spec: {"number.txt": str(next(count))}}
    assert "repeatable = false" in failures(checked(tmp_path / "a", **restless))["same seed, same number"]
    assert not failures(checked(tmp_path / "b", **restless, manifest=ADMITTED))


def test_a_metric_that_ignores_the_seed_is_found(tmp_path: Path) -> None:
    def same(spec: RunSpec) -> Files:
        strict(spec)
        return scored(1.0)

    assert "deterministic = true" in failures(checked(tmp_path, evaluate=same))["seed policy"]


def test_a_broken_baseline_is_found_and_the_factors_are_still_looked_at(tmp_path: Path) -> None:
    def broken(spec: RunSpec) -> Files:
        raise Refusal("ModuleNotFoundError: No module named 'nothing'")

    template = Template(make(tmp_path / "made"))
    (template.root / "workload/run.py").write_text("WEIGHT = 1.0\n")
    template = Template(template.root)
    checks = check_template(template, Stub({"run.py": broken}), None, tmp_path / "scratch")
    found = {check.name: check.detail for check in checks if not check.ok}
    assert "No module named" in found["baseline, search split"]
    assert "replaces no definition" in found["factors"]


def test_a_broken_prepare_is_found(tmp_path: Path) -> None:
    template = Template(make(tmp_path / "made", prepare=PREPARE))
    sandbox = Stub({"prepare.py": toss})
    sandbox.ends["prepare.py"] = Outcome.FAILED
    checks = check_template(template, sandbox, None, tmp_path / "scratch")
    assert any("prepare.py ended with exit code 1" in check.detail for check in checks if not check.ok)


def test_a_baseline_that_runs_out_of_time_is_found(tmp_path: Path) -> None:
    sandbox = Stub({"run.py": toss, "evaluate.py": strict})
    sandbox.ends["run.py"] = Outcome.TIMEOUT
    checks = check_template(Template(make(tmp_path / "made")), sandbox, None, tmp_path / "scratch")
    assert next(c.detail for c in checks if not c.ok) == "The workload ran past its limit of 10 s."


@pytest.mark.docker
def test_a_shipped_template_passes_its_own_check_in_containers(tmp_path: Path) -> None:
    from sandboxes.connection import connect
    from sandboxes.docker import DockerSandbox
    from sandboxes.images import ImageSpec, build

    template = load_template("boltzmann-sampling")
    image = build(connect(), ImageSpec(requirements=template.manifest.image.requirements))
    with closing(DockerSandbox("template-check")) as sandbox:
        checks = check_template(template, sandbox, image, tmp_path)
    assert all(check.ok for check in checks), checks


@pytest.mark.campaign
@pytest.mark.parametrize("name", ["boltzmann-sampling", "offline-rl", "symbolic-pattern"])
def test_the_shipped_templates_pass_their_own_check(tmp_path: Path, name: str) -> None:
    checks = check_template(load_template(name), ProcessSandbox(), None, tmp_path)
    assert all(check.ok for check in checks), checks
    assert "evaluator refuses arrays of NaN" in {check.name for check in checks}

from __future__ import annotations

import hashlib
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandboxes.contract import Outcome, RunSpec
from sandboxes.process import ProcessSandbox
from templates.errors import TemplateBroken
from templates.template import Template
from templates.trial import TrialSpec, run_trial
from tests.templates.making import EVALUATE, PREPARE, RUN, make
from tests.templates.stub import Stub, coin


def spec_of(template: Template, where: Path, name: str = "t1", seed: int = 3) -> TrialSpec:
    return TrialSpec(
        template=template,
        workload_dir=template.root / "workload",
        seed=seed,
        split="search",
        folder=where / name,
        data_cache=where / "cache",
        image="sha256:1",
    )


@pytest.fixture
def template(tmp_path: Path) -> Template:
    return Template(make(tmp_path / "made"))


@pytest.fixture
def prepared(tmp_path: Path) -> Template:
    return Template(make(tmp_path / "made", prepare=PREPARE))


def test_a_trial_is_a_workload_and_then_an_evaluator(template: Template, tmp_path: Path) -> None:
    sandbox = coin()
    trial = run_trial(spec_of(template, tmp_path), sandbox)
    workload, evaluator = sandbox.specs
    assert (trial.outcome, trial.metrics) == ("ok", {"height": 1.0, "tosses": 1.0})
    assert workload.code == template.root / "workload"
    assert workload.expect == ("number.txt",)
    assert not workload.data
    assert not workload.env
    assert "--split" not in workload.argv
    assert "--data" not in workload.argv
    assert evaluator.code == tmp_path / "cache" / f"{template.digest[:12]}-evaluator"
    assert evaluator.data == {"run": tmp_path / "t1" / "out"}
    assert evaluator.argv[:2] == ("{python}", "-I")
    assert workload.image == evaluator.image == "sha256:1"
    assert workload.limits == template.manifest.resources


def test_a_workloads_own_metrics_file_changes_nothing(template: Template, tmp_path: Path) -> None:
    trial = run_trial(spec_of(template, tmp_path), coin())
    assert (tmp_path / "t1/out/metrics.json").read_text() == '{"height": 99, "tosses": 1}'
    assert trial.metrics == {"height": 1.0, "tosses": 1.0}


def test_artifacts_carry_the_hashes_of_both_parts(template: Template, tmp_path: Path) -> None:
    trial = run_trial(spec_of(template, tmp_path), coin())
    assert trial.artifacts["out/number.txt"] == hashlib.sha256(b"1.0").hexdigest()
    assert set(trial.artifacts) == {"out/number.txt", "out/metrics.json", "score/metrics.json"}


def test_a_failed_workload_is_not_scored_and_its_last_words_are_kept(template: Template, tmp_path: Path) -> None:
    sandbox = coin()
    sandbox.ends["run.py"] = Outcome.FAILED
    sandbox.says["run.py"] = "Traceback ...\nZeroDivisionError: division\x1b[31m by zero\n\n"
    trial = run_trial(spec_of(template, tmp_path), sandbox)
    assert (trial.outcome, trial.metrics, trial.scoring) == ("failed", None, None)
    assert trial.reason == "The workload ended with exit code 1: ZeroDivisionError: division by zero"
    assert len(sandbox.specs) == 1
    assert "ZeroDivisionError" in (tmp_path / "t1/run.log").read_text()


@pytest.mark.parametrize("outcome", [o for o in Outcome if o not in (Outcome.OK, Outcome.FAILED)])
def test_every_other_end_has_a_sentence(template: Template, tmp_path: Path, outcome: Outcome) -> None:
    sandbox = coin()
    sandbox.ends["run.py"] = outcome
    trial = run_trial(spec_of(template, tmp_path), sandbox)
    assert trial.outcome == outcome.value
    assert trial.reason.endswith(".")
    assert "{" not in trial.reason


def test_a_refusing_evaluator_makes_the_trial_invalid(template: Template, tmp_path: Path) -> None:
    sandbox = coin()
    sandbox.ends["evaluate.py"] = Outcome.FAILED
    sandbox.says["evaluate.py"] = "Refused: no number."
    trial = run_trial(spec_of(template, tmp_path), sandbox)
    assert (trial.outcome, trial.metrics) == ("invalid", None)
    assert trial.reason == "The evaluator ended with exit code 1: Refused: no number."
    assert trial.run is not None
    assert trial.run.outcome is Outcome.OK


@pytest.mark.parametrize("metrics", ["", '{"height": NaN, "tosses": 1}', '{"height": 1}', '{"height": 1, "x": 2}'])
def test_bad_metrics_make_the_trial_invalid(template: Template, tmp_path: Path, metrics: str) -> None:
    trial = run_trial(spec_of(template, tmp_path), coin(metrics))
    assert (trial.outcome, trial.metrics) == ("invalid", None)
    assert "metrics.json" in trial.reason


def test_data_is_made_once_per_seed_and_readable_by_others(prepared: Template, tmp_path: Path) -> None:
    sandbox = coin()
    for name, seed in (("t1", 3), ("t2", 3), ("t3", 4)):
        run_trial(spec_of(prepared, tmp_path, name, seed), sandbox)
    assert [_script(spec) for spec in sandbox.specs].count("prepare.py") == 2
    workload = next(spec for spec in sandbox.specs if _script(spec) == "run.py")
    data = workload.data["data"]
    assert data.name == f"{prepared.digest[:12]}-search-3"
    assert workload.argv[-2:] == ("--data", "{data}")
    assert stat.S_IMODE(data.stat().st_mode) == 0o755
    assert stat.S_IMODE((data / "data.txt").stat().st_mode) == 0o644
    assert len(list((tmp_path / "cache").glob("*-search-*"))) == 2


def test_threads_that_make_the_same_data_agree(prepared: Template, tmp_path: Path) -> None:
    together = threading.Barrier(4, timeout=10)
    sandbox = coin()
    sandbox.parts = {**sandbox.parts, "prepare.py": lambda spec: {"data.txt": str(together.wait() >= 0)}}
    with ThreadPoolExecutor(4) as pool:
        trials = list(pool.map(lambda i: run_trial(spec_of(prepared, tmp_path, f"t{i}"), sandbox), range(4)))
    assert [trial.outcome for trial in trials] == ["ok"] * 4
    assert len(list((tmp_path / "cache").glob("*-search-*"))) == 1


def test_a_failing_prepare_is_the_templates_fault(prepared: Template, tmp_path: Path) -> None:
    sandbox = coin()
    sandbox.ends["prepare.py"] = Outcome.FAILED
    sandbox.says["prepare.py"] = "ModuleNotFoundError: No module named 'gymnasium'"
    with pytest.raises(TemplateBroken, match="gymnasium"):
        run_trial(spec_of(prepared, tmp_path), sandbox)
    assert not list((tmp_path / "cache").glob("*-search-*"))


def test_a_cancelled_prepare_is_a_cancelled_trial(prepared: Template, tmp_path: Path) -> None:
    cancel = threading.Event()
    cancel.set()
    assert run_trial(spec_of(prepared, tmp_path), coin(), cancel).outcome == "cancelled"


def test_a_template_changed_beforehand_is_found(template: Template, tmp_path: Path) -> None:
    (template.root / "evaluator/evaluate.py").write_text(EVALUATE.replace("seed)", "seed) + 9"))
    sandbox = coin()
    with pytest.raises(TemplateBroken, match="changed"):
        run_trial(spec_of(template, tmp_path), sandbox)
    assert not sandbox.specs


@pytest.mark.parametrize("script", ["run.py", "evaluate.py"])
def test_a_template_changed_while_it_runs_is_found(template: Template, tmp_path: Path, script: str) -> None:
    def meddle(spec: RunSpec) -> dict[str, bytes | str]:
        (template.root / "evaluator/labels.txt").write_text("mine")
        return {"number.txt": "1", "metrics.json": '{"height": 1.0, "tosses": 1}'}

    sandbox = Stub({**coin().parts, script: meddle})
    with pytest.raises(TemplateBroken, match="changed"):
        run_trial(spec_of(template, tmp_path), sandbox)


def test_a_flood_in_the_log_is_cut(template: Template, tmp_path: Path) -> None:
    sandbox = coin()
    sandbox.says["run.py"] = "x" * 1_000_000
    sandbox.says["evaluate.py"] = "y" * 1_000_000
    assert len(run_trial(spec_of(template, tmp_path), sandbox).log) < 8100


def test_a_real_run_in_a_process(tmp_path: Path) -> None:
    template = Template(make(tmp_path / "made", prepare=PREPARE))
    sandbox = ProcessSandbox()
    trial = run_trial(spec_of(template, tmp_path, seed=5), sandbox)
    assert (trial.outcome, trial.metrics) == ("ok", {"height": 6.0, "tosses": 1.0})
    assert not list(template.root.rglob("__pycache__"))


def test_a_real_refusal_in_a_process_is_told_in_the_evaluators_words(tmp_path: Path) -> None:
    template = Template(make(tmp_path / "made", run=RUN.replace("WEIGHT = 1.0", "WEIGHT = -1.0")))
    trial = run_trial(spec_of(template, tmp_path), ProcessSandbox())
    assert trial.outcome == "invalid"
    assert trial.reason.endswith("Refused: a coin cannot fall below the table.")


def _script(spec: RunSpec) -> str:
    return next(word for word in spec.argv if word.endswith(".py")).rpartition("/")[2]

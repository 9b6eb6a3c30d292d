"""The evaluator in its own container: isolated, its input read-only, no candidate code, the labels only there."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandboxes import DockerSandbox, Prepared, RunResult, RunSpec
from templates.errors import TemplateBroken
from templates.template import Template
from templates.trial import TrialSpec, run_trial
from tests.battery.scene import EVALUATE
from tests.templates.making import RUN, make

if TYPE_CHECKING:
    from docker import DockerClient

pytestmark = pytest.mark.docker
# The candidate tells where it found labels, and leaves the names of everything it sees under /lab.
CURIOUS = (
    RUN
    + """
import json, os
seen = [os.path.join(folder, name) for folder, _, files in os.walk("/lab") for name in files]
(pathlib.Path(a.out) / "seen.json").write_text(json.dumps(seen))
"""
)
TELLING = EVALUATE.replace(
    'print("told:"',
    'told["under"] = sorted(os.path.join(f, n) for f, _, names in os.walk("/lab") for n in names)\nprint("told:"',
)


@pytest.fixture
def sandbox(engine: DockerClient) -> Iterator[DockerSandbox]:
    sandbox = DockerSandbox("battery-scoring")
    yield sandbox
    sandbox.close()


@pytest.fixture
def spec(tmp_path: Path, lab_image: str) -> TrialSpec:
    root = make(tmp_path / "made", run=CURIOUS, evaluate=TELLING)
    (root / "evaluator/labels.json").write_text('["canary"]', encoding="utf-8")
    template = Template(root)
    return TrialSpec(
        template=template,
        workload_dir=root / "workload",
        seed=3,
        split="search",
        folder=tmp_path / "trial",
        data_cache=tmp_path / "cache",
        image=lab_image,
    )


def test_the_evaluator_is_isolated_and_alone_with_its_labels(spec: TrialSpec, sandbox: DockerSandbox) -> None:
    trial = run_trial(spec, sandbox)
    assert trial.metrics == {"height": 4.0, "tosses": 1.0}
    assert trial.scoring is not None
    told = json.loads(next(line[5:] for line in trial.scoring.log_head.splitlines() if line.startswith("told:")))
    assert told["isolated"] == 1
    assert told["writable"] is False
    assert told["under"] == [
        "/lab/code/evaluate.py",
        "/lab/code/labels.json",
        "/lab/data/run/number.txt",
        "/lab/data/run/seen.json",
    ]
    assert not [folder for folder in told["path"] if folder.startswith("/lab")]
    assert json.loads((spec.folder / "out/seen.json").read_text()) == ["/lab/code/run.py", "/lab/out/number.txt"]


class Meddled:
    """A sandbox after whose nth run somebody changes something on the host."""

    def __init__(self, sandbox: DockerSandbox, after: int, meddle: Callable[[], object]) -> None:
        self._sandbox, self._left, self._meddle = sandbox, after, meddle
        self.capabilities, self.reap, self.close = sandbox.capabilities, sandbox.reap, sandbox.close

    def prepare(self, spec: RunSpec) -> Prepared:
        return MeddledRun(self._sandbox.prepare(spec), self._ended)

    def run(self, spec: RunSpec, cancel: threading.Event | None = None) -> RunResult:
        return self.prepare(spec).run(cancel)

    def _ended(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._meddle()


class MeddledRun:
    """A run that tells when it has ended."""

    def __init__(self, prepared: Prepared, ended: Callable[[], None]) -> None:
        self._prepared, self._ended = prepared, ended
        self.close = prepared.close

    def run(self, cancel: threading.Event | None = None) -> RunResult:
        result = self._prepared.run(cancel)
        self._ended()
        return result


@pytest.mark.parametrize("after", [1, 2], ids=["while the workload runs", "while the evaluator runs"])
@pytest.mark.parametrize("name", ["evaluator/labels.json", "evaluator/evaluate.py", "template.toml"])
def test_a_template_that_changes_while_it_runs_is_found(
    spec: TrialSpec, sandbox: DockerSandbox, after: int, name: str
) -> None:
    path = spec.template.root / name
    meddled = Meddled(sandbox, after, lambda: path.write_text(path.read_text() + " "))
    with pytest.raises(TemplateBroken, match=r"changed|is not the evaluator"):
        run_trial(spec, meddled)


def test_a_changed_copy_of_the_evaluator_is_found(spec: TrialSpec, sandbox: DockerSandbox) -> None:
    run_trial(spec, sandbox)
    copy = next(spec.data_cache.glob("*-evaluator")) / "labels.json"
    copy.write_text("[]", encoding="utf-8")
    with pytest.raises(TemplateBroken, match="is not the evaluator"):
        run_trial(spec.model_copy(update={"folder": spec.folder.with_name("again")}), sandbox)

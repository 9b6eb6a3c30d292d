"""A sandbox for these tests that runs nothing: it plays scripted parts and writes what they would have written."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping

from sandboxes.contract import Artifact, Capabilities, Outcome, Prepared, RunResult, RunSpec
from sandboxes.deferred import Deferred

Files = Mapping[str, bytes | str]
Part = Callable[[RunSpec], Files]


class Refusal(Exception):
    """A scripted part ends with exit code 1 and these last words."""


class Stub:
    """Plays the part whose script the argv names; `ends` gives a part another outcome, `says` a log."""

    def __init__(self, parts: Mapping[str, Part]) -> None:
        self.parts = parts
        self.ends: dict[str, Outcome] = {}
        self.says: dict[str, str] = {}
        self.specs: list[RunSpec] = []

    def capabilities(self) -> Capabilities:
        return Capabilities(backend="stub", isolates=False, holds={})

    def prepare(self, spec: RunSpec) -> Prepared:
        return Deferred(spec, self._run)

    def run(self, spec: RunSpec, cancel: threading.Event | None = None) -> RunResult:
        return self.prepare(spec).run(cancel)

    def _run(self, spec: RunSpec, cancel: threading.Event | None) -> RunResult:
        self.specs.append(spec)
        script = next(word for word in spec.argv if word.endswith(".py")).rpartition("/")[2]
        outcome = self.ends.get(script, Outcome.OK)
        if cancel is not None and cancel.is_set():
            outcome = Outcome.CANCELLED
        log, files = self.says.get(script, ""), {}
        if outcome is Outcome.OK:
            try:
                files = self.parts[script](spec)
            except Refusal as words:
                outcome, log = Outcome.FAILED, str(words)
        artifacts = []
        if script == "prepare.py":
            files = {
                f"{seed}/{name}": content
                for seed in (word.partition("=")[0] for word in spec.argv[9:])
                for name, content in files.items()
            }
        for name, content in files.items():
            (spec.out / name).parent.mkdir(exist_ok=True)
            data = content.encode() if isinstance(content, str) else content
            (spec.out / name).write_bytes(data)
            artifacts.append(Artifact(name=name, size=len(data), sha256=hashlib.sha256(data).hexdigest()))
        return RunResult(
            run_id=spec.run_id,
            outcome=outcome,
            exit_code=0 if outcome is Outcome.OK else 1,
            log_head=log[:1000],
            log_tail=log[-1000:],
            log_bytes=len(log.encode()),
            artifacts=tuple(artifacts),
            backend="stub",
            limits=spec.limits,
        )

    def reap(self) -> int:
        return 0

    def close(self) -> None:
        return None


def coin(metrics: str = '{"height": 1.0, "tosses": 1}') -> Stub:
    """Return a stub that plays the coin template."""
    return Stub(
        {
            "prepare.py": lambda spec: {"data.txt": "data"},
            "run.py": lambda spec: {"number.txt": "1.0", "metrics.json": '{"height": 99, "tosses": 1}'},
            "evaluate.py": lambda spec: {"metrics.json": metrics},
        }
    )

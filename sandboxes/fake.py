"""A sandbox that runs nothing: results are scripted, so that everything above can be tested in milliseconds."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Callable, Mapping

from sandboxes.collect import Collector
from sandboxes.contract import Capabilities, Hold, Outcome, Prepared, Promise, RunResult, RunSpec
from sandboxes.deferred import Deferred
from sandboxes.errors import SandboxError
from sandboxes.inside import check_spec

Script = Callable[[RunSpec], RunResult | Mapping[str, bytes]]


class FakeSandbox:
    """Answers every run from `script`: a result as it stands, or the files of a run that went well.

    A script may raise a `SandboxError` to play a failing platform. What was asked for is kept in `runs`.
    """

    def __init__(self, script: Script, *, isolates: bool = True, gpus: tuple[str, ...] = ()) -> None:
        """Answer from `script`; claim to hold everything or nothing, and to have `gpus`, as the test needs it."""
        self._gpus = gpus
        self._script = script
        self._isolates = isolates
        self._lock = threading.Lock()
        self._closed = False
        self.runs: list[RunSpec] = []

    def capabilities(self) -> Capabilities:
        """Say what this backend enforces: whatever the test wants."""
        return Capabilities(
            backend="fake",
            isolates=self._isolates,
            holds=dict.fromkeys(Promise, Hold.ENFORCED if self._isolates else Hold.ABSENT),
            gpus=self._gpus,
            notes=("Nothing is run: every result is scripted.",),
        )

    def prepare(self, spec: RunSpec) -> Prepared:
        """Make the output directory; the script is asked at the run.

        Raises:
            SandboxError: the spec is one that no backend would run.
        """
        check_spec(spec)
        with self._lock:
            if self._closed:
                raise SandboxError("This sandbox is closed.")
        return Deferred(spec, self._run)

    def run(self, spec: RunSpec, cancel: threading.Event | None = None) -> RunResult:
        """Ask the script, and write its files as a real run's would be collected.

        Raises:
            SandboxError: the script said so, or the spec is one that no backend would run.
        """
        return self.prepare(spec).run(cancel)

    def _run(self, spec: RunSpec, cancel: threading.Event | None) -> RunResult:
        with self._lock:
            self.runs.append(spec)
        if cancel is not None and cancel.is_set():
            return self._result(spec, Outcome.CANCELLED)
        answer = self._script(spec)
        if isinstance(answer, RunResult):
            return answer
        collector = Collector(spec.out, spec.limits, spec.expect)
        for name in sorted(answer, key=lambda name: (name not in spec.expect, name)):
            collector.see(len(answer[name]))
            collector.take(name, len(answer[name]), io.BytesIO(answer[name]).read)
        return self._result(spec, Outcome.OK, collector)

    def reap(self) -> int:
        """Remove nothing: nothing is ever left."""
        return 0

    def close(self) -> None:
        """Refuse further runs."""
        self._closed = True

    def _result(self, spec: RunSpec, outcome: Outcome, collector: Collector | None = None) -> RunResult:
        return RunResult(
            run_id=spec.run_id,
            outcome=outcome,
            exit_code=0 if outcome is Outcome.OK else None,
            usage_source="scripted",
            artifacts=collector.artifacts if collector else (),
            refused=collector.refused if collector else (),
            backend="fake",
            image_id=None if spec.image is None else "sha256:" + hashlib.sha256(spec.image.encode()).hexdigest(),
            limits=spec.limits,
        )

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from sandboxes import FakeSandbox, ImageMissing, Limits, Outcome, RunResult, RunSpec
from tests.sandboxes.contract_suite import SandboxContract
from tests.sandboxes.lab import Lab
from tests.sandboxes.prepared_suite import PreparedContract


def play(spec: RunSpec) -> RunResult | Mapping[str, bytes]:
    """Do what the program would have done, in this process."""
    with tempfile.TemporaryDirectory() as folder:
        program = (spec.code / "run.py").read_text(encoding="utf-8").replace("sys.argv[1]", repr(folder))
        try:
            with contextlib.redirect_stdout(None):
                exec(compile(program, "run.py", "exec"), {"__name__": "__main__"})  # our own test programs
        except SystemExit as stop:
            return RunResult(
                run_id=spec.run_id,
                outcome=Outcome.FAILED,
                exit_code=int(str(stop.code)),
                backend="fake",
                limits=spec.limits,
            )
        files = [path for path in Path(folder).rglob("*") if path.is_file()]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


class TestFake(SandboxContract, PreparedContract):
    @pytest.fixture
    def sandbox(self) -> FakeSandbox:
        return FakeSandbox(play)

    def test_it_remembers_what_was_asked(self, lab: Lab, sandbox: FakeSandbox) -> None:
        lab.run("pass", memory_mb=77)
        assert [spec.limits.memory_mb for spec in sandbox.runs] == [77]

    def test_unsafe_names_of_a_script_are_refused_like_real_ones(self, tmp_path: Path) -> None:
        lab = Lab(FakeSandbox(lambda _: {"../escape": b"", "ok": b"1"}), None, tmp_path)
        result = lab.run("pass")
        assert [artifact.name for artifact in result.artifacts] == ["ok"]
        assert [refused.why for refused in result.refused] == ["name"]
        assert not (tmp_path / "escape").exists()

    def test_a_scripted_platform_failure_leaves_the_place_empty_for_a_retry(self, tmp_path: Path) -> None:
        def broken(spec: RunSpec) -> Mapping[str, bytes]:
            raise ImageMissing(spec.image or "")

        lab = Lab(FakeSandbox(broken), "hypoloop/lab:none", tmp_path)
        spec = lab.spec("pass")
        with pytest.raises(ImageMissing):
            lab.sandbox.run(spec)
        assert not spec.out.exists()

    def test_it_claims_what_the_test_wants(self) -> None:
        assert FakeSandbox(play).capabilities().isolates
        assert not FakeSandbox(play, isolates=False).capabilities().isolates

    def test_limits_are_recorded(self, lab: Lab) -> None:
        assert lab.run("pass", wall_s=7.0).limits == Limits(wall_s=7.0)

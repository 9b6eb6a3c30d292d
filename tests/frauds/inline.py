"""A sandbox that runs programs in this process: for code that hypoloop's own tests wrote, in milliseconds."""

from __future__ import annotations

import contextlib
import io
import runpy
import sys
import threading
import traceback
from unittest.mock import patch

from sandboxes import FakeSandbox, Outcome, RunResult, RunSpec
from sandboxes.collect import Collector
from sandboxes.contract import Artifact
from sandboxes.inside import arguments

EACH = "-c"


class Inline(FakeSandbox):
    """Runs the script of a spec in this interpreter. It confines nothing, and claims to, so that it is used."""

    def __init__(self) -> None:
        super().__init__(lambda spec: {})

    def _run(self, spec: RunSpec, cancel: threading.Event | None) -> RunResult:
        paths = {"python": sys.executable, "code": str(spec.code), "out": str(spec.out)}
        paths |= {name: str(path) for name, path in spec.data.items()}
        argv = arguments(spec, paths)
        printed, code = io.StringIO(), 0
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            code = _executed(argv[1:], spec)
        outcome = Outcome.OK if code == 0 else Outcome.FAILED
        artifacts = _collected(spec) if outcome is Outcome.OK else ()
        text = printed.getvalue()
        return RunResult(
            run_id=spec.run_id, outcome=outcome, exit_code=code, log_head=text, log_bytes=len(text),
            usage_source="scripted", artifacts=artifacts, backend="fake", limits=spec.limits,
        )  # fmt: skip


def _executed(argv: list[str], spec: RunSpec) -> int:
    """Run what the arguments name and return its exit code; what it imported of its own is forgotten."""
    before, path = set(sys.modules), list(sys.path)
    words = [word for word in argv if word not in ("-I", "-B")]
    try:
        if words[0] == EACH:  # The platform's own loop over data sets.
            with patch.object(sys, "argv", ["-c", *words[2:]]):
                exec(compile(words[1], "-c", "exec"), {"__name__": "__main__"})
        else:
            with patch.object(sys, "argv", words):
                sys.path.insert(0, str(spec.code))
                runpy.run_path(words[0], run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
        return 0 if end.code in (None, 0) else end.code if isinstance(end.code, int) else 1
    except Exception:  # noqa: BLE001 - whatever the program does wrong is its failure, as it would be in an interpreter of its own.
        traceback.print_exc()
        return 1
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", "") or "").startswith(str(spec.code)):
                del sys.modules[name]
    return 0


def _collected(spec: RunSpec) -> tuple[Artifact, ...]:
    """Keep the plain files of the output by the rules of every backend."""
    found = [path for path in sorted(spec.out.rglob("*")) if path.is_file() and not path.is_symlink()]
    contents = {path.relative_to(spec.out).as_posix(): path.read_bytes() for path in found}
    for path in found:
        path.unlink()
    collector = Collector(spec.out, spec.limits, spec.expect)
    for name in sorted(contents, key=lambda name: (name not in spec.expect, name)):
        collector.see(len(contents[name]))
        collector.take(name, len(contents[name]), io.BytesIO(contents[name]).read)
    return collector.artifacts

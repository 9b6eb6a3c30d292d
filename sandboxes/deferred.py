"""A prepared run of a backend that starts nothing ahead: only its output directory is made before its turn."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sandboxes.contract import RunResult, RunSpec
from sandboxes.trees import make_fresh, remove_tree

Execute = Callable[[RunSpec, threading.Event | None], RunResult]


class Deferred:
    """Makes the output directory of `spec` now and leaves the rest to `execute`, which finds it there, empty."""

    def __init__(self, spec: RunSpec, execute: Execute) -> None:
        """Make the directory.

        Raises:
            SandboxError: it exists.
        """
        self._spec = spec
        self._execute = execute
        make_fresh(spec.out)

    def run(self, cancel: threading.Event | None = None) -> RunResult:
        """Do all of it; a failure of the platform leaves the place empty for a retry.

        Raises:
            SandboxError: the platform could not run it.
        """
        try:
            return self._execute(self._spec, cancel)
        except BaseException:
            remove_tree(self._spec.out)
            raise

    def close(self) -> None:
        """Take the directory away again."""
        remove_tree(self._spec.out)

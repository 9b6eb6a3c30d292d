"""One program of the user's own, run once in a sandbox: it sees its own file and nothing else of this machine."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandboxes.contract import Limits, RunResult, RunSpec, Sandbox
from sandboxes.devices import Devices, visible_gpus

PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")


@dataclass(frozen=True)
class OneRun:
    """What is to be run: `out`, where what it wrote is kept, does not exist yet; None keeps nothing."""

    script: Path
    args: tuple[str, ...]
    limits: Limits
    env: Mapping[str, str]
    image: str | None
    out: Path | None
    gpus: tuple[str, ...] = ()
    """The devices of this machine that may be handed out, as many as the limits say."""


def run_once(sandbox: Sandbox, one: OneRun, cancel: threading.Event) -> RunResult:
    """Run it and leave nothing but `out`.

    Raises:
        SandboxError: the platform could not run it.
    """
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hypoloop-run-")))
        code = scratch / "code"
        code.mkdir(mode=0o755)
        # The file alone: its folder may hold anything. A name with braces could be taken for a token of the spec.
        name = one.script.name if PLAIN_NAME.fullmatch(one.script.name) else "program.py"
        shutil.copyfile(one.script, code / name)
        (code / name).chmod(0o644)
        gpus: tuple[str, ...] = ()
        if 0 < one.limits.gpus <= len(one.gpus):  # else the sandbox itself says that it cannot
            gpus = stack.enter_context(Devices(one.gpus).lease(one.limits.gpus, cancel))
        spec = RunSpec(
            run_id=f"run-{secrets.token_hex(4)}",
            argv=("{python}", f"{{code}}/{name}", *one.args),
            code=code,
            out=(one.out or scratch / "out").resolve(),
            image=one.image,
            gpus=gpus,
            env=one.env,
            limits=one.limits,
        )
        return sandbox.run(spec, cancel)


def visible_devices() -> tuple[str, ...]:
    """Return the ids of the devices of this machine that may be handed out."""
    return visible_gpus(os.environ)


@contextmanager
def cancelled_by_signals() -> Iterator[threading.Event]:
    """Yield an event that Ctrl-C and SIGTERM set instead of ending this process; a run heeds it within a second."""
    cancel = threading.Event()
    wishes = (signal.SIGINT, signal.SIGTERM)
    before = {wish: signal.signal(wish, lambda *_: cancel.set()) for wish in wishes}
    try:
        yield cancel
    finally:
        for wish, handler in before.items():
            signal.signal(wish, handler)

"""What a program sees of a run, in every backend: its arguments, its directories and its environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from sandboxes.contract import RunSpec
from sandboxes.errors import SandboxError, SandboxRefused

RESERVED = frozenset({"python", "code", "out"})
DATA_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
INTERPRETER_FLAGS = frozenset({"-B", "-E", "-I", "-S", "-s", "-u"})
# Runs the script that the first argument names as `python script` would, once a byte comes on standard input, which is
# then closed for good; the end of the input instead of a byte means that the run was given up. Starting an interpreter
# costs more than most of what it scores, so it is started ahead. Nothing of the script is looked at before its turn.
# What the interpreter made so far lives to its end anyway; frozen, no later collection walks through it, nor the last.
# The gate is no part of the script, and so of no traceback.
AHEAD = """\
import gc, os, sys
gc.freeze()
os.read(0, 1) or os._exit(0)
os.close(0)
os.open(os.devnull, os.O_RDONLY)
os.dup2(1, 2)
del sys.argv[0]
__file__ = sys.argv[0]
if not getattr(sys.flags, "safe_path", sys.flags.isolated):
    sys.path[0] = os.path.dirname(__file__)
sys.excepthook = lambda kind, error, trace, show=sys.excepthook: show(
    kind, error.with_traceback(trace and trace.tb_next), trace and trace.tb_next
)
del gc, os, sys
exec(compile(open(__file__, "rb").read(), __file__, "exec"))
"""
SHELL_GATE = ("/bin/sh", "-c", 'read -r _ || exit 0; exec "$@" </dev/null 2>&1', "sh")
THREAD_SETTINGS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def check_spec(spec: RunSpec) -> None:
    """Refuse a spec that no backend could run or that would show the program what it must not see.

    Raises:
        SandboxError: nothing to run, a name of `data` that is no name, or a directory that is not there.
        SandboxRefused: a directory that holds the home directory or the whole file system.
    """
    if not spec.argv:
        raise SandboxError(f"Run {spec.run_id} names no program.")
    for name in spec.data:
        if name in RESERVED or not DATA_NAME.fullmatch(name):
            raise SandboxError(f"{name!r} cannot name a data directory: use letters, digits, '_' and '-'.")
    for path in (spec.code, *spec.data.values()):
        if not path.is_dir():
            raise SandboxError(f"The directory {path} of run {spec.run_id} does not exist.")
        if Path.home().resolve().is_relative_to(path.resolve()):
            raise SandboxRefused(f"{path} holds the home directory; a sandbox is given single project directories.")


def arguments(spec: RunSpec, paths: Mapping[str, str]) -> list[str]:
    """Return `argv` with every token that `paths` knows put in; other braces are left as they are."""
    tokens = re.compile("|".join(re.escape("{" + name + "}") for name in paths))
    return [tokens.sub(lambda found: paths[found.group()[1:-1]], word) for word in spec.argv]


def gated(spec: RunSpec, paths: Mapping[str, str]) -> list[str]:
    """Return the arguments behind a gate that opens with an empty line on standard input.

    A Python script of the spec's own code waits inside its interpreter, anything else before it is started. Both
    outputs of the program go to one stream, which keeps their order.
    """
    argv = arguments(spec, paths)
    words = iter(range(1, len(argv)))
    script = next((n for n in words if spec.argv[n] not in INTERPRETER_FLAGS), None)
    if spec.argv[0] == "{python}" and script is not None and spec.argv[script].startswith("{code}/"):
        return [*argv[:script], "-c", AHEAD, *argv[script:]]
    return [*SHELL_GATE, *argv]


def environment(spec: RunSpec, *, home: str, path: str) -> dict[str, str]:
    """Return the whole environment of the program: these names, then the spec's own; never the host's."""
    threads = str(max(1, round(spec.limits.cpus)))
    base = {
        "PATH": path,
        "HOME": home,
        "TMPDIR": home,
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",  # what a killed program printed is in the log
        "PYTHONHASHSEED": "0",  # the same seed gives the same numbers
    }
    return base | dict.fromkeys(THREAD_SETTINGS, threads) | dict(spec.env)

"""What a program sees of a run, in every backend: its arguments, its directories and its environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from sandboxes.contract import RunSpec
from sandboxes.errors import SandboxError, SandboxRefused

RESERVED = frozenset({"python", "code", "out"})
DATA_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
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

"""Protected things made once for a campaign: a clean copy of the evaluator, and the data sets it prepares."""

from __future__ import annotations

import os
import shutil
import threading
import uuid
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from sandboxes.contract import Limits, Outcome, RunResult, RunSpec, Sandbox
from templates.errors import TemplateBroken
from templates.seeds import drawn_seed
from templates.template import Template, digest

PROTECTED = ("{python}", "-I", "-B")
BATCH = 16
# One interpreter makes many data sets: starting one costs more than most of them do.
_EACH = """
import pathlib, runpy, sys
script, split, condition, out, *sets = sys.argv[1:]
for name, seed in (made.split("=") for made in sets):
    folder = pathlib.Path(out, name)
    folder.mkdir()
    sys.argv = [script, "--seed", seed, "--split", split, "--out", str(folder)]
    sys.argv += ["--condition", condition] if condition else []
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        if end.code not in (None, 0):
            raise
"""


class DataSpec(BaseModel):
    """Which data sets of a template: one `split`, some seeds, and the folder `cache` in which they are kept."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    template: Template
    split: Literal["search", "confirm"]
    cache: Path
    image: str | None = None
    salt: str = ""
    condition: str | None = None

    def folder(self, seed: int) -> Path:
        """Where the data set of `seed` is kept."""
        return data_folder(self.cache, self.template.digest, self.split, self.condition, seed)

    def number(self, seed: int) -> int:
        """The number that prepare.py is given for `seed`; the evaluator gets the same."""
        return drawn_seed(self.salt, "protected", self.split, seed)


def prepares(template: Template) -> bool:
    """Say whether the template makes data sets."""
    return (template.root / "evaluator" / "prepare.py").is_file()


def prepare(spec: DataSpec, seeds: Sequence[int], sandbox: Sandbox, cancel: threading.Event | None = None) -> bool:
    """Make the data sets of `seeds` that are not there yet, many in one sandbox; False when `cancel` ended it.

    Raises:
        SandboxError: the platform could not run it.
        TemplateBroken: prepare.py failed; no candidate is to blame.
    """
    missing = [seed for seed in seeds if not spec.folder(seed).is_dir()] if prepares(spec.template) else []
    batches = (missing[start : start + BATCH] for start in range(0, len(missing), BATCH))
    return all(_make(spec, batch, sandbox, cancel) for batch in batches)


def data_digest(folder: Path) -> str:
    """Return the SHA-256 over the names and bytes of every file of a data set; read in pieces, it may be large.

    Raises:
        TemplateBroken: there is something that is no plain file.
    """
    whole = sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()):
        if path.is_symlink() or not path.is_file():
            raise TemplateBroken(f"The data set {folder} holds {path.name}, which is no plain file.")
        name = path.relative_to(folder).as_posix().encode()
        whole.update(b"%d %d " % (len(name), path.stat().st_size) + name)
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                whole.update(piece)
    return whole.hexdigest()


def data_folder(cache: Path, template: str, split: str, condition: str | None, seed: int) -> Path:
    """Where in `cache` the data set of `seed` is kept; `template` is the template's digest."""
    return cache / f"{template[:12]}-{split}{f'-{condition}' if condition else ''}-{seed}"


def evaluator_copy(template: Template, cache: Path) -> Path:
    """Return a copy of the evaluator in `cache` that holds its sources and nothing else, made once.

    Compiled code that lies beside the sources is covered by no digest; in the copy there is none to be run.

    Raises:
        TemplateBroken: the copy is not what the template holds.
    """
    source, target = template.root / "evaluator", cache / f"{template.digest[:12]}-evaluator"
    if not target.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        making = cache / f".{target.name}-{uuid.uuid4().hex}"
        shutil.copytree(source, making, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        open_to_readers(making)
        keep_first(making, target)
    if digest(target) != digest(source) or any(target.rglob("*.pyc")):
        raise TemplateBroken(f"{target} is not the evaluator of template {template.name!r}. Delete that folder.")
    return target


def open_to_readers(folder: Path) -> None:
    """Let other users read: a sandbox may run as another user than the one who collected the files."""
    folder.chmod(0o755)
    for parent, folders, files in os.walk(folder):
        for name in folders:
            Path(parent, name).chmod(0o755)
        for name in files:
            Path(parent, name).chmod(0o644)


def keep_first(making: Path, target: Path) -> None:
    """Put a finished folder in its place at once; when another thread was first, its equal copy stays."""
    try:
        making.rename(target)
    except OSError:
        if not target.is_dir():
            raise
        shutil.rmtree(making)


def last_line(result: RunResult) -> str:
    """Return the last line of a run's log, printable."""
    lines = [line.strip() for line in (result.log_tail or result.log_head).splitlines() if line.strip()]
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in lines[-1])[:500] if lines else ""


def _make(spec: DataSpec, seeds: Sequence[int], sandbox: Sandbox, cancel: threading.Event | None) -> bool:
    making = spec.cache / f".data-{uuid.uuid4().hex}"
    spec.cache.mkdir(parents=True, exist_ok=True)
    run = RunSpec(
        run_id=f"{spec.template.name[:30]}-data-{spec.split}-{uuid.uuid4().hex[:12]}",
        argv=(
            *PROTECTED,
            "-c",
            _EACH,
            "{code}/prepare.py",
            spec.split,
            spec.condition or "",
            "{out}",
            *(f"{seed}={spec.number(seed)}" for seed in seeds),
        ),
        code=evaluator_copy(spec.template, spec.cache),
        out=making,
        image=spec.image,
        limits=_many(spec.template.manifest.evaluator_resources),
    )
    try:
        made = sandbox.run(run, cancel)
        if made.outcome is Outcome.CANCELLED:
            return False
        if made.outcome is not Outcome.OK:
            how = f"exit code {made.exit_code}" if made.outcome is Outcome.FAILED else f"outcome {made.outcome}"
            why = f"prepare.py ended with {how}: {last_line(made) or 'it printed nothing'}"
            raise TemplateBroken(f"Template {spec.template.name!r}: {why}")
        open_to_readers(making)
        for seed in seeds:
            keep_first(making / str(seed), spec.folder(seed))
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return True


def _many(limits: Limits) -> Limits:
    """Return what a full batch may use."""
    return limits.model_copy(
        update={
            "wall_s": limits.wall_s * BATCH,
            "out_mb": limits.out_mb * BATCH,
            "out_files": limits.out_files * BATCH,
            "memory_mb": limits.memory_mb + limits.out_mb * (BATCH - 1),
        }
    )

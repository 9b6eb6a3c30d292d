"""Running the benchmark: cases dealt out to processes, each with a ground of its own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from sandboxes.errors import SandboxError
from tests.frauds.cases import Case, Ground
from tests.frauds.judging import judge
from tests.frauds.kinds import cases
from tests.frauds.remembering import remembering


class Told(NamedTuple):
    """How one case ended, in words alone: impossible, blocked, flagged, stands, or not run."""

    kind: str
    name: str
    end: str
    reason: str


@contextmanager
def ground() -> Iterator[Ground]:
    """Open a ground in a temporary folder, with everything remembered that cases share."""
    memory = Path("/dev/shm")  # where it is there, nothing waits for a disk
    root = Path(tempfile.mkdtemp(prefix="hypoloop-frauds-", dir=memory if memory.is_dir() else None))
    made = Ground(root)
    try:
        with remembering():
            yield made
    finally:
        made.close()
        shutil.rmtree(root, ignore_errors=True)


def told(case: Case, on: Ground) -> Told:
    """Let one case be played and judged; where the machine lacks the sandbox it needs, say so."""
    try:
        verdict = judge(case, on)
    except SandboxError as problem:
        return Told(case.kind, case.name, "not run", str(problem))
    finally:
        on.clear()
    return Told(case.kind, case.name, verdict.end, " ".join(verdict.reason.split()))


def run_share(seed: int, numbers: Sequence[int]) -> list[Told]:
    """Run some of the cases of a seed, by their numbers."""
    every = cases(seed)
    with ground() as on:
        return [told(every[number], on) for number in numbers]


def run_all(seed: int, processes: int) -> list[Told]:
    """Run every case, `processes` at a time, and return how each ended, in order."""
    count = len(cases(seed))
    shares = [list(range(number, count, processes)) for number in range(processes)]
    found: dict[int, Told] = {}
    with ProcessPoolExecutor(processes) as pool:
        for numbers, ends in zip(shares, pool.map(run_share, [seed] * processes, shares), strict=True):
            found |= dict(zip(numbers, ends, strict=True))
    return [found[number] for number in range(count)]


def by_kind(ends: Iterable[Told]) -> dict[str, list[Told]]:
    """Return what was told, by kind and in order."""
    kinds: dict[str, list[Told]] = {}
    for each in ends:
        kinds.setdefault(each.kind, []).append(each)
    return kinds

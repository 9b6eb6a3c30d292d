"""Audit of results: each its own. A result that is another's to the byte, although the seed differs, was copied."""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from agents.records import Execution
from flows.ledger.state import CampaignState
from templates.manifest import Manifest

ROOM = 64
"""Bytes below which results may agree by chance."""
LITTLE, MUCH = 30, 32 * 1024
"""Compressed bytes below which they may, too (all ones but for a few); whatever is larger than `MUCH` has more."""
OUT = "out/"

Files = tuple[tuple[str, str], ...]
Where = tuple[str, str | None]
"""A candidate, and the condition that it ran under."""


class _Result(NamedTuple):
    """What makes a result comparable: the whole of what the workload wrote."""

    execution: Execution
    files: Files


def copy_faults(folder: Path, state: CampaignState, manifest: Manifest) -> Iterator[str]:
    """Yield executions whose outputs are those of another seed's, byte for byte.

    A workload that writes the same on every seed, such as one that makes no use of its seed, copies nothing; where the
    template calls itself deterministic, nothing is expected to differ. Results of a few bytes may agree by chance.
    """
    if manifest.seeds.deterministic:
        return
    results = [made for made in _results(state) if _tells(folder, made)]
    constant = _constant(results)
    by_files: dict[Files, list[Execution]] = defaultdict(list)
    for made in results:
        by_files[made.files].append(made.execution)
    for same in by_files.values():
        first = same[0]
        for other in same[1:]:
            alike = _where(first) in constant and _where(other) in constant
            if other.seed == first.seed or alike:
                continue
            yield f"{_called(other, state)} has the very result of {_called(first, state)}{_why(first, other)}."


def _results(state: CampaignState) -> Iterator[_Result]:
    for execution in state.executions.values():
        files = tuple(sorted((n, digest) for n, digest in execution.artifacts.items() if n.startswith(OUT)))
        if files and execution.metrics is not None:
            yield _Result(execution, files)


def _tells(folder: Path, made: _Result) -> bool:
    """Say whether a result holds enough that another run would not come to the same by chance.

    What is not here was left out for its size.
    """
    place = folder / "executions" / made.execution.key
    paths = [place / name for name, _ in made.files]
    size = sum(path.stat().st_size if path.is_file() else MUCH for path in paths)
    if not ROOM <= size < MUCH:
        return size >= MUCH
    return len(zlib.compress(b"".join(path.read_bytes() for path in paths), 9)) >= LITTLE


def _constant(results: list[_Result]) -> set[Where]:
    """Return where candidates write the same whatever their seed, over more than two executions.

    What they write may be another thing under a condition, but only whoever is constant without one is so with one.
    """
    written: Mapping[Where, Counter[Files]] = defaultdict(Counter)
    for made in results:
        written[_where(made.execution)][made.files] += 1
    same = {where for where, files in written.items() if len(files) == 1 and files.total() > 2}
    return {(candidate, condition) for candidate, condition in same if (candidate, None) in same}


def _where(execution: Execution) -> Where:
    return execution.candidate, execution.condition


def _called(execution: Execution, state: CampaignState) -> str:
    seq = state.seqs[execution.key]
    return f"execution {execution.key} ({execution.candidate}, seed {execution.seed}, event {seq})"


def _why(first: Execution, other: Execution) -> str:
    if first.condition != other.condition:
        return f", although it ran with {other.condition or first.condition}"
    if first.candidate != other.candidate:
        return ", which is another candidate's"
    return ": one run, counted twice"

"""Audit of results: each its own. A result that is another's to the byte, although the seed differs, was copied."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from agents.records import Execution
from flows.ledger.state import CampaignState
from templates.manifest import Manifest

ROOM = 64
"""Bytes below which results may agree by chance."""
OUT = "out/"

Files = tuple[tuple[str, str], ...]


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
    results = [made for made in _results(state) if _size(folder, made) >= ROOM]
    constant = _constant(results)
    by_files: dict[Files, list[Execution]] = defaultdict(list)
    for made in results:
        by_files[made.files].append(made.execution)
    for same in by_files.values():
        first = same[0]
        for other in same[1:]:
            alike = first.candidate in constant and other.candidate in constant
            if other.seed == first.seed or alike:
                continue
            yield f"{_called(other, state)} has the very result of {_called(first, state)}{_why(first, other)}."


def _results(state: CampaignState) -> Iterator[_Result]:
    for execution in state.executions.values():
        files = tuple(sorted((n, digest) for n, digest in execution.artifacts.items() if n.startswith(OUT)))
        if files and execution.metrics is not None:
            yield _Result(execution, files)


def _size(folder: Path, made: _Result) -> int:
    """Return the bytes of a result; what is not here was left out for its size."""
    place = folder / "executions" / made.execution.key
    paths = [place / name for name, _ in made.files]
    return sum(path.stat().st_size if path.is_file() else ROOM for path in paths)


def _constant(results: list[_Result]) -> set[str]:
    """Return the candidates that write the same whatever their seed, over more than two executions."""
    written: Mapping[str, Counter[Files]] = defaultdict(Counter)
    for made in results:
        written[made.execution.candidate][made.files] += 1
    return {candidate for candidate, files in written.items() if len(files) == 1 and files.total() > 2}


def _called(execution: Execution, state: CampaignState) -> str:
    seq = state.seqs[execution.key]
    return f"execution {execution.key} ({execution.candidate}, seed {execution.seed}, event {seq})"


def _why(first: Execution, other: Execution) -> str:
    if first.condition != other.condition:
        return f", although it ran with {other.condition or first.condition}"
    if first.candidate != other.candidate:
        return ", which is another candidate's"
    return ": one run, counted twice"

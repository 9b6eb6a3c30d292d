"""The list of benchmarks and the draw that says which of them count; nobody chooses."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

SPLITS = ("search", "confirm")
TIERS = ("easy", "moderate", "hard", "extreme")


class Benchmark(NamedTuple):
    """A family of problems: the length of its sequences and the kinds of predicates its hidden rules join by AND."""

    name: str
    tier: str
    length: int
    kinds: tuple[str, ...]


BENCHMARKS = (
    Benchmark("KDOVA", "easy", 8, ("position",)),
    Benchmark("ZUMER", "easy", 8, ("count",)),
    Benchmark("BYLTO", "easy", 8, ("order",)),
    Benchmark("GAXIN", "easy", 10, ("position",)),
    Benchmark("WEQUR", "moderate", 10, ("position", "count")),
    Benchmark("HOZAP", "moderate", 10, ("count", "order")),
    Benchmark("TRIKU", "moderate", 12, ("position", "order")),
    Benchmark("JEMOX", "moderate", 12, ("position", "position")),
    Benchmark("NUBAC", "hard", 12, ("position", "count", "parity")),
    Benchmark("VYGEL", "hard", 12, ("count", "order", "parity")),
    Benchmark("PODIF", "hard", 12, ("position", "order", "parity")),
    Benchmark("SAKWE", "hard", 12, ("position", "parity", "parity")),
    Benchmark("QUNOR", "extreme", 12, ("count", "position", "parity", "order")),
    Benchmark("LIZEB", "extreme", 14, ("position", "parity", "order", "parity")),
    Benchmark("CHAPY", "extreme", 12, ("position", "position", "parity", "parity")),
    Benchmark("FROMU", "extreme", 14, ("position", "position", "parity", "order")),
)


def rank(benchmark: Benchmark) -> str:
    """Return what benchmarks are ordered by: the SHA-256 of the name, which says nothing about their difficulty."""
    return hashlib.sha256(benchmark.name.encode()).hexdigest()


def drawn(split: str) -> tuple[Benchmark, ...]:
    """Return the benchmarks of `split`, by rank. Of every tier the first half by rank are search, the rest confirm."""
    chosen = []
    for tier in TIERS:
        ranked = sorted((benchmark for benchmark in BENCHMARKS if benchmark.tier == tier), key=rank)
        half = len(ranked) // 2
        chosen += ranked[:half] if split == "search" else ranked[half:]
    return tuple(sorted(chosen, key=rank))

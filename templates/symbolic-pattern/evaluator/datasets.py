"""The data of one benchmark for one split and seed: the same for whoever prepares it and whoever scores it.

All randomness comes from HMAC-SHA256(salt, split, seed, benchmark). The salt lies with the evaluator, out of reach of a
workload in a container, so that one which holds this source and knows the seed still cannot draw the labels. Who copied
the salt out of the public repository could; what keeps those out is the secret salt of the campaign, under which the
protected code gets another seed than the workload.
"""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import NamedTuple

import numpy as np
from benchmarks import Benchmark
from patterns import draw_rule, labelled

ROWS = {"train": 800, "validation": 200, "test": 400}
NOISE = 0.1
"""Share of the labels that are flipped at random, the test set's too: no honest accuracy exceeds 1 - NOISE by much."""
NOISIER = 0.25
CONDITIONS = ("shuffled-labels", "noisier", "any-misses")


class Part(NamedTuple):
    """`tokens` uint8 (rows, length); `labels` bool (rows,), of which those that `flipped` marks contradict the rule."""

    tokens: np.ndarray
    labels: np.ndarray
    flipped: np.ndarray


def read_salt() -> bytes:
    """Return the salt that lies beside this file."""
    return Path(__file__).with_name("salt.txt").read_bytes().strip()


def stream(salt: bytes, split: str, seed: int, name: str) -> np.random.Generator:
    """Return the random stream of one benchmark's data."""
    digest = hmac.digest(salt, f"{split} {seed} {name}".encode(), "sha256")
    return np.random.default_rng(int.from_bytes(digest, "big"))


def dataset(salt: bytes, split: str, seed: int, benchmark: Benchmark, condition: str | None = None) -> dict[str, Part]:
    """Return train, validation and test set under one freshly drawn rule; no sequence occurs twice among them.

    `shuffled-labels`: nothing can be learnt, because the labels to learn from are those of other sequences. `noisier`:
    NOISIER of the labels are flipped. `any-misses`: a rejected sequence may miss any number of predicates.
    """
    rng = stream(salt, split, seed, benchmark.name)
    rule = draw_rule(rng, benchmark.kinds, benchmark.length)
    most_missed = len(rule) if condition == "any-misses" else 1
    tokens, accepted = labelled(rng, rule, sum(ROWS.values()), benchmark.length, most_missed)
    noise = NOISIER if condition == "noisier" else NOISE
    parts, start = {}, 0
    for name, rows in ROWS.items():
        flipped = np.zeros(rows, dtype=np.bool_)
        flipped[rng.choice(rows, size=round(noise * rows), replace=False)] = True
        here = slice(start, start + rows)
        labels = accepted[here] ^ flipped
        if condition == "shuffled-labels" and name != "test":
            labels = rng.permutation(labels)
        parts[name] = Part(tokens[here], labels, flipped)
        start += rows
    return parts

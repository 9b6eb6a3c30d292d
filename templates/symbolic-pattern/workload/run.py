"""Learn hidden rules over sequences of shape-colour tokens: hashed features and logistic regression, per benchmark."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

EPOCHS = 30
BATCH = 64
LEARNING_RATE = 0.02
WEIGHT_DECAY = 1e-3
LONGEST_NGRAM = 2
NGRAM_BUCKETS = 128
POSITION_BUCKETS = 64
THRESHOLD = 0.5


class Rows(NamedTuple):
    """Sequences of tokens (4 x shape + colour) as uint8 (rows, length), and their labels, 0 or 1."""

    tokens: np.ndarray
    labels: np.ndarray


class Learnt(NamedTuple):
    """Rows to learn from: how many are rows of the training set, and how many are not."""

    rows: Rows
    training: int
    others: int


def hashed(keys: np.ndarray, buckets: int) -> np.ndarray:
    """Return signed counts of the integer `keys` of each row in `buckets` columns (Weinberger et al. 2009)."""
    mixed = (keys.astype(np.uint64) + np.uint64(77)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)
    columns = ((mixed >> np.uint64(33)) % np.uint64(buckets)).astype(np.int64)
    signs = np.where(mixed >> np.uint64(63), 1.0, -1.0)
    table = np.zeros((len(keys), buckets))
    np.add.at(table, (np.arange(len(keys))[:, None], columns), signs)
    return table


def ngrams(tokens: np.ndarray) -> np.ndarray:
    """Return hashed counts of the runs of one to LONGEST_NGRAM tokens."""
    table = np.zeros((len(tokens), NGRAM_BUCKETS))
    for size in range(1, LONGEST_NGRAM + 1):
        keys = np.zeros((len(tokens), tokens.shape[1] - size + 1), dtype=np.uint64)
        for offset in range(size):
            keys = keys * np.uint64(17) + tokens[:, offset : offset + keys.shape[1]] + np.uint64(1)
        table += hashed(keys, NGRAM_BUCKETS)
    return table


def glyph_counts(tokens: np.ndarray) -> np.ndarray:
    """Return how often each of the four shapes and the four colours occurs, shape (rows, 8)."""
    halves = [(half[:, :, None] == np.arange(4)).sum(axis=1) for half in (tokens // 4, tokens % 4)]
    return np.concatenate(halves, axis=1)


def counts(tokens: np.ndarray) -> np.ndarray:
    """Return features of the counts: the counts themselves."""
    return glyph_counts(tokens).astype(np.float64)


def positions(tokens: np.ndarray) -> np.ndarray:
    """Return features of what stands where: tokens with their positions, hashed."""
    return hashed(tokens + 16 * np.arange(tokens.shape[1], dtype=np.int64), POSITION_BUCKETS)


def orders(tokens: np.ndarray) -> np.ndarray:
    """Return features of what comes before what: none."""
    return np.zeros((len(tokens), 0))


def features(tokens: np.ndarray) -> np.ndarray:
    """Return all features of each row, shape (rows, features)."""
    return np.concatenate([ngrams(tokens), counts(tokens), positions(tokens), orders(tokens)], axis=1)


def standardised(train: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both tables in units of the first one's columns, with a constant column."""
    mean, spread = train.mean(axis=0), train.std(axis=0) + 1e-6
    scaled = [np.c_[(table - mean) / spread, np.ones(len(table))] for table in (train, other)]
    return scaled[0], scaled[1]


def rows_to_learn(train: Rows, validation: Rows, rng: np.random.Generator) -> Learnt:
    """Return the rows to learn from: the training set."""
    return Learnt(train, len(train.labels), 0)


def importance(tokens: np.ndarray) -> np.ndarray:
    """Return how much each row's error counts: all the same."""
    return np.ones(len(tokens))


def weight_decay(train: Rows, validation: Rows, rng: np.random.Generator) -> float:
    """Return the strength of the penalty on squared weights: WEIGHT_DECAY."""
    return WEIGHT_DECAY


def settled(path: list[np.ndarray]) -> np.ndarray:
    """Return the weights to answer with, given those after every step: the last."""
    return path[-1]


def learn(inputs: np.ndarray, rows: Rows, decay: float, rng: np.random.Generator) -> np.ndarray:
    """Return the weights of a logistic regression, found by Adam on shuffled batches."""
    weights, path = np.zeros(inputs.shape[1]), []
    mean, square, step = np.zeros_like(weights), np.zeros_like(weights), 0
    cares = importance(rows.tokens)
    cares = cares / cares.mean()
    for _ in range(EPOCHS):
        order = rng.permutation(len(inputs))
        for batch in np.split(order, range(BATCH, len(order), BATCH)):
            error = (probability(inputs[batch], weights) - rows.labels[batch]) * cares[batch]
            gradient = inputs[batch].T @ error / len(batch) + decay * weights
            step += 1
            mean += 0.1 * (gradient - mean)
            square += 0.001 * (gradient * gradient - square)
            rate = LEARNING_RATE * np.sqrt(1.0 - 0.999**step) / (1.0 - 0.9**step)
            weights = weights - rate * mean / (np.sqrt(square) + 1e-8)
            path.append(weights)
    return settled(path)


def probability(inputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the probability of label 1 for each row."""
    return 1.0 / (1.0 + np.exp(-np.clip(inputs @ weights, -30.0, 30.0)))


def answer(train: Rows, validation: Rows, test: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, Learnt]:
    """Return the answers (0 or 1) to the test sequences of one benchmark, and what was learnt from."""
    decay = weight_decay(train, validation, rng)
    learnt = rows_to_learn(train, validation, rng)
    inputs, asked = standardised(features(learnt.rows.tokens), features(test))
    weights = learn(inputs, learnt.rows, decay, rng)
    return (probability(asked, weights) > THRESHOLD).astype(np.uint8), learnt


def main() -> None:
    """Read the benchmarks, learn each on its own, write the answers and the numbers of rows learnt from."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    arguments = parser.parse_args()
    benchmarks = json.loads((arguments.data / "benchmarks.json").read_text(encoding="utf-8"))
    tables = {path.stem: np.load(path, allow_pickle=False) for path in arguments.data.glob("*.npy")}
    predictions, rows = [], []
    for index, benchmark in enumerate(benchmarks):
        mine = {name: table[index] for name, table in tables.items()}
        train, validation = (
            Rows(mine[f"{part}_tokens"][:, : benchmark["length"]], mine[f"{part}_labels"].astype(np.float64))
            for part in ("train", "validation")
        )
        rng = np.random.default_rng([arguments.seed, index])
        answers, learnt = answer(train, validation, mine["test_tokens"][:, : benchmark["length"]], rng)
        predictions.append(answers)
        rows.append((learnt.training, learnt.others))
    np.save(arguments.out / "predictions.npy", np.stack(predictions))
    np.save(arguments.out / "rows.npy", np.array(rows, dtype=np.int64))


if __name__ == "__main__":
    main()

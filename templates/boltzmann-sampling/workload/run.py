"""Sample the Boltzmann distribution of a 4 x 4 Ising lattice at several temperatures, within a budget.

A state is 16 bits, one per spin, 1 = up. Every entry of the log costs as many energy evaluations as spins changed
since the entry before it, and at least one, so a rejected proposal is logged again and costs one.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import numpy as np

SPINS = 16
BLOCK = 400
BURN_IN = 0.05


def neighbour_masks(side: int = 4) -> list[int]:
    """Return for every site the bits of its four neighbours on the torus."""
    masks = []
    for site in range(side * side):
        row, column = divmod(site, side)
        near = [((row + 1) % side, column), ((row - 1) % side, column), (row, (column + 1) % side),
                (row, (column - 1) % side)]  # fmt: skip
        masks.append(sum(1 << (r * side + c) for r, c in near))
    return masks


def generator(seed: int, index: int) -> np.random.Generator:
    """Return the random stream of one chain."""
    return np.random.default_rng([seed, index])


def sites(count: int, rng: np.random.Generator) -> list[int]:
    """Return the sites to visit: each drawn at random."""
    return rng.integers(0, SPINS, size=count).tolist()


def acceptance(temperature: float) -> list[float]:
    """Return the probability to accept a flip by the number of neighbours that agree with the spin, 0 to 4."""
    return [min(1.0, math.exp(-2.0 * (2 * agreeing - 4) / temperature)) for agreeing in range(5)]


def local_moves(state: int, count: int, temperature: float, rng: np.random.Generator) -> list[int]:
    """Return `count` states reached one after the other by single-spin Metropolis steps from `state`."""
    masks, accept = neighbour_masks(), acceptance(temperature)
    visited = []
    for site, uniform in zip(sites(count, rng), rng.random(count).tolist(), strict=True):
        up = (state & masks[site]).bit_count()
        if uniform < accept[up if state >> site & 1 else 4 - up]:
            state ^= 1 << site
        visited.append(state)
    return visited


def large_moves(state: int, temperature: float, rng: np.random.Generator) -> list[int]:
    """Return states reached by moves of many spins at once after each block of local moves: none."""
    return []


def within(states: list[int], state: int, budget: int) -> tuple[list[int], int]:
    """Return the first of `states` that the budget pays for, and what they cost."""
    spent = 0
    for index, following in enumerate(states):
        price = max(1, (following ^ state).bit_count())
        if spent + price > budget:
            return states[:index], spent
        spent, state = spent + price, following
    return states, spent


def chain(state: int, temperature: float, budget: int, rng: np.random.Generator) -> list[int]:
    """Return the log of one chain: the prescribed first state, then everything the budget pays for."""
    log = [state]
    while budget > 0:
        block = local_moves(log[-1], min(BLOCK, budget), temperature, rng)
        block += large_moves(block[-1], temperature, rng)
        paid, spent = within(block, log[-1], budget)
        log += paid
        budget = budget - spent if len(paid) == len(block) else 0
    return log


def simulate(problem: dict, seed: int) -> list[list[int]]:
    """Return one log per temperature."""
    return [
        chain(first, temperature, problem["budget"], generator(seed, index))
        for index, (first, temperature) in enumerate(zip(problem["first"], problem["temperatures"], strict=True))
    ]


def keep_from(length: int) -> int:
    """Return the index of the first entry of a log that counts in the averages."""
    return int(BURN_IN * length)


def main() -> None:
    """Read problem.json, sample, write the logs end to end, and for each its length and first entry that counts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    arguments = parser.parse_args()
    problem = json.loads((arguments.data / "problem.json").read_text(encoding="utf-8"))
    logs = simulate(problem, arguments.seed)
    np.save(arguments.out / "states.npy", np.concatenate([np.array(log, dtype=np.uint16) for log in logs]))
    chains = [[len(log), keep_from(len(log))] for log in logs]
    np.save(arguments.out / "chains.npy", np.array(chains, dtype=np.int64))


if __name__ == "__main__":
    main()

"""Learn a policy for CartPole-v1 from a fixed log by Q-learning; no environment is at hand."""

from __future__ import annotations

import argparse
from pathlib import Path

import network
import numpy as np

UPDATES = 4000
BATCH = 64
LEARNING_RATE = 1e-3
DISCOUNT = 0.99
TARGET_RATE = 0.01
CLONING_WEIGHT = 0.0
CLONING_MARGIN = 1.0
REWARD_SHIFT = 0.0

COLUMNS = ("observations", "actions", "rewards", "next_observations", "ends")


def read_log(folder: Path) -> dict[str, np.ndarray]:
    """Return the log, one array per column."""
    return {name: np.load(folder / f"{name}.npy", allow_pickle=False) for name in COLUMNS}


def batches(log: dict[str, np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    """Return the rows of every batch: drawn at random with replacement."""
    return list(rng.integers(0, len(log["actions"]), size=(UPDATES, BATCH)))


def rewards(batch: dict[str, np.ndarray]) -> np.ndarray:
    """Return the rewards to learn from."""
    return batch["rewards"] + REWARD_SHIFT


def bootstrap(online_next: np.ndarray, target_next: np.ndarray) -> np.ndarray:
    """Return the value of the next observation: the largest output of the slow network."""
    return target_next.max(axis=1)


def penalty(values: np.ndarray, actions: np.ndarray) -> np.ndarray:
    """Return the gradient of a penalty on the values, per row: none."""
    return np.zeros_like(values)


def cloning(values: np.ndarray, actions: np.ndarray) -> np.ndarray:
    """Return the gradient of the margin by which another action beats the logged one (Hester et al. 2018)."""
    rows = np.arange(len(actions))
    ahead = values[rows, 1 - actions] + CLONING_MARGIN > values[rows, actions]
    gradient = np.zeros_like(values)
    gradient[rows, 1 - actions], gradient[rows, actions] = ahead, -1.0 * ahead
    return gradient


def value_gradient(values: np.ndarray, actions: np.ndarray, goals: np.ndarray) -> np.ndarray:
    """Return the gradient of the loss with respect to the values: squared error, penalty and cloning."""
    rows = np.arange(len(actions))
    gradient = penalty(values, actions)
    if CLONING_WEIGHT:
        gradient += CLONING_WEIGHT * cloning(values, actions)
    gradient[rows, actions] += values[rows, actions] - goals
    return gradient / len(actions)


def learn(log: dict[str, np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Return the weights of the network whose larger output is the action to take."""
    weights = network.initial(rng)
    slow = weights.copy()
    online, target = network.split(weights), network.split(slow)
    optimiser = network.Adam(weights, LEARNING_RATE)
    for rows in batches(log, rng):
        batch = {name: column[rows] for name, column in log.items()}
        following = bootstrap(
            network.forward(online, batch["next_observations"])[0],
            network.forward(target, batch["next_observations"])[0],
        )
        goals = rewards(batch) + DISCOUNT * following * ~batch["ends"]
        values, cache = network.forward(online, batch["observations"])
        optimiser.step(network.backward(online, cache, value_gradient(values, batch["actions"], goals)))
        slow += TARGET_RATE * (weights - slow)
    return weights


def main() -> None:
    """Read the log, learn, write the network."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    arguments = parser.parse_args()
    weights = learn(read_log(arguments.data), np.random.default_rng(arguments.seed))
    np.save(arguments.out / "policy.npy", weights)
    np.save(arguments.out / "norm.npy", np.array([network.LAYER_NORM]))


if __name__ == "__main__":
    main()

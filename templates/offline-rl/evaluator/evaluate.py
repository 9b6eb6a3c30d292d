"""Play CartPole-v1 with the policy network a run wrote down and report its mean return."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from gymnasium.envs.classic_control.cartpole import CartPoleVectorEnv

SPLITS = ("search", "confirm")
START_WIDTH = {"search": 0.05, "confirm": 0.10}
EPISODES = 20
LIMIT = 500
SCALE = np.array([2.4, 3.0, 0.21, 3.0])
SHAPES = ((4, 32), (32,), (32, 32), (32,), (32, 2), (2,))
SIZE = sum(int(np.prod(shape)) for shape in SHAPES)
LARGEST = 1e6


class Refused(Exception):
    """The run's output cannot be scored."""


def load(path: Path, dtype: type, shape: tuple[int, ...]) -> np.ndarray:
    """Read one array without unpickling anything; refuse another type or shape than was declared."""
    try:
        array = np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise Refused(f"the run wrote no {path.name}") from error
    except (OSError, ValueError, EOFError, MemoryError) as error:
        raise Refused(f"{path.name} is not a plain numpy array") from error
    if not isinstance(array, np.ndarray) or array.dtype != np.dtype(dtype) or array.shape != shape:
        raise Refused(f"{path.name} must be an array of {np.dtype(dtype).name} of shape {shape}")
    return array


def policy(run: Path) -> tuple[list[np.ndarray], bool]:
    """Return the layers of the network and whether its hidden layers are normalised."""
    weights, norm = load(run / "policy.npy", np.float64, (SIZE,)), load(run / "norm.npy", np.bool_, (1,))
    if not np.isfinite(weights).all() or np.abs(weights).max() > LARGEST:
        raise Refused(f"policy.npy holds a number that is not finite or is beyond {LARGEST:g}")
    cuts = np.cumsum([int(np.prod(shape)) for shape in SHAPES])[:-1]
    layers = [part.reshape(shape) for part, shape in zip(np.split(weights, cuts), SHAPES, strict=True)]
    return layers, bool(norm[0])


def act(layers: list[np.ndarray], norm: bool, observations: np.ndarray) -> np.ndarray:
    """Return the action with the larger output for each observation; the first on a tie."""
    hidden = observations / SCALE
    for weights, bias in zip(layers[:4:2], layers[1:4:2], strict=True):
        hidden = hidden @ weights + bias
        if norm:
            centred = hidden - hidden.mean(axis=1, keepdims=True)
            hidden = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5)
        hidden = np.maximum(hidden, 0.0)
    return np.argmax(hidden @ layers[4] + layers[5], axis=1)


def returns(layers: list[np.ndarray], norm: bool, split: str, seed: int) -> np.ndarray:
    """Return the length of each episode, 500 at most; its first states are wider apart on the confirm split."""
    width = START_WIDTH[split]
    games = CartPoleVectorEnv(num_envs=EPISODES, max_episode_steps=LIMIT)
    start = int(np.random.SeedSequence([seed, SPLITS.index(split), 2]).generate_state(1)[0])
    observations, _ = games.reset(seed=start, options={"low": -width, "high": width})
    lengths, playing = np.zeros(EPISODES), np.ones(EPISODES, dtype=bool)
    for _ in range(LIMIT):
        observations, _, fell, _, _ = games.step(act(layers, norm, observations.astype(np.float64)))
        lengths += playing
        playing &= ~fell
        if not playing.any():
            break
    return lengths


def main() -> None:
    """Write metrics.json, or say why not and fail."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--split", choices=SPLITS, required=True)
    parser.add_argument("--condition")  # it changes the log alone; what is scored is the same
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    try:
        layers, norm = policy(arguments.run)
    except Refused as refused:
        sys.exit(f"Refused: {refused}.")
    lengths = returns(layers, norm, arguments.split, arguments.seed)
    metrics = {
        "mean_return": float(lengths.mean()),
        "worst_return": float(lengths.min()),
        "solved_share": float((lengths == LIMIT).mean()),
    }
    arguments.out.write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

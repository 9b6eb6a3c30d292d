"""The log a learner gets: 1,000 steps of CartPole-v1 by a scripted controller that sometimes acts at random."""

from __future__ import annotations

import numpy as np
from gymnasium.envs.classic_control import CartPoleEnv

SPLITS = ("search", "confirm")
CONDITIONS = ("shuffled-actions", "noisier", "shorter")
NOISE = (0.05, 0.30)
NOISIER = (0.20, 0.60)
STEPS_PER_NOISE = 500
EPISODE_LIMIT = 500


def controller(observation: np.ndarray) -> int:
    """Push towards the side the pole leans to, with too little regard for how fast it turns."""
    return int(observation[2] + 0.02 * observation[3] > 0)


def record(split: str, seed: int, condition: str | None = None) -> dict[str, np.ndarray]:
    """Return observations, actions, rewards, next observations and ends; one half of the steps per noise level.

    `shuffled-actions`: which action led where is lost, so there is nothing to be learned. `noisier`: more of the
    actions are random. `shorter`: half the steps.
    """
    stream = np.random.SeedSequence([seed, SPLITS.index(split), 1])
    rng, environment = np.random.default_rng(stream), CartPoleEnv()
    rows: list[tuple] = []
    steps = STEPS_PER_NOISE // 2 if condition == "shorter" else STEPS_PER_NOISE
    for noise in NOISIER if condition == "noisier" else NOISE:
        observation, age = environment.reset(seed=int(rng.integers(1 << 31)))[0], 0
        for _ in range(steps):
            action = int(rng.integers(2)) if rng.random() < noise else controller(observation)
            following, reward, fell, _, _ = environment.step(action)
            rows.append((observation, action, reward, following, fell))
            observation, age = following, age + 1
            if fell or age == EPISODE_LIMIT:
                observation, age = environment.reset()[0], 0
    columns = zip(*rows, strict=True)
    names = ("observations", "actions", "rewards", "next_observations", "ends")
    types = (np.float64, np.int64, np.float64, np.float64, np.bool_)
    log = {name: np.array(column, dtype=kind) for name, column, kind in zip(names, columns, types, strict=True)}
    if condition == "shuffled-actions":
        rng.shuffle(log["actions"])
    return log

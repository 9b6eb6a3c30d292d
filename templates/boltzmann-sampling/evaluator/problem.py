"""The problem of one split and seed: the same for whoever prepares it and whoever scores it."""

from __future__ import annotations

import numpy as np

TEMPERATURES = {"search": (1.6, 2.0, 2.5, 3.5), "confirm": (1.7, 2.1, 2.7, 4.0)}
BUDGET = 100_000


def problem(split: str, seed: int) -> dict[str, object]:
    """Return temperatures, budget of energy evaluations per temperature, lattice side and prescribed first states."""
    rng = np.random.default_rng([seed, sorted(TEMPERATURES).index(split)])
    temperatures = TEMPERATURES[split]
    first = [int(state) for state in rng.integers(0, 1 << 16, size=len(temperatures))]
    return {"side": 4, "temperatures": list(temperatures), "budget": BUDGET, "first": first}

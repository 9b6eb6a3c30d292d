"""The problem of one split and seed: the same for whoever prepares it and whoever scores it."""

from __future__ import annotations

import numpy as np

TEMPERATURES = {"search": (1.6, 2.0, 2.5, 3.5), "confirm": (1.7, 2.1, 2.7, 4.0)}
BUDGET = 100_000
HOT = (1e6, 2e6, 3e6, 4e6)
CONDITIONS = ("hot", "half-budget", "colder")
COLDER = 0.85


def problem(split: str, seed: int, condition: str | None = None) -> dict[str, object]:
    """Return temperatures, budget of energy evaluations per temperature, lattice side and prescribed first states.

    `hot`: every state is as likely as every other, so no chain has anything to overcome. `half-budget` and `colder`
    are what they say.
    """
    rng = np.random.default_rng([seed, sorted(TEMPERATURES).index(split)])
    temperatures = HOT if condition == "hot" else TEMPERATURES[split]
    if condition == "colder":
        temperatures = tuple(round(COLDER * temperature, 4) for temperature in temperatures)
    first = [int(state) for state in rng.integers(0, 1 << 16, size=len(temperatures))]
    budget = BUDGET // 2 if condition == "half-budget" else BUDGET
    return {"side": 4, "temperatures": list(temperatures), "budget": budget, "first": first}

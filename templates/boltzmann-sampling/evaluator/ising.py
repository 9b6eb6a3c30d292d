"""The 4 x 4 Ising model with periodic boundaries, solved by writing all 65,536 states down."""

from __future__ import annotations

import numpy as np

SIDE = 4
SPINS = SIDE * SIDE
COUPLING = 1.0


def observables() -> dict[str, np.ndarray]:
    """Return energy per spin, |magnetisation| and magnetisation of every state, indexed by its 16 bits (1 = up)."""
    states = np.arange(1 << SPINS, dtype=np.uint32)
    spins = (((states[:, None] >> np.arange(SPINS, dtype=np.uint32)) & 1).astype(np.int8) * 2 - 1).reshape(
        -1, SIDE, SIDE
    )
    bonds = spins * np.roll(spins, -1, axis=1) + spins * np.roll(spins, -1, axis=2)
    magnetisation = spins.sum(axis=(1, 2), dtype=np.int64) / SPINS
    energy = -COUPLING * bonds.sum(axis=(1, 2), dtype=np.int64) / SPINS
    return {"energy": energy, "abs_magnetisation": np.abs(magnetisation), "magnetisation": magnetisation}


def boltzmann(energy: np.ndarray, temperature: float) -> np.ndarray:
    """Return the probability of every state at `temperature` (units of the coupling, Boltzmann's constant 1)."""
    exponent = -(energy - energy.min()) * SPINS / temperature
    weight = np.exp(exponent)
    return weight / weight.sum()

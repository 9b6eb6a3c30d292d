"""After each block of local moves, propose to turn every spin over; the energy does not change, so it is accepted."""


def large_moves(state: int, temperature: float, rng: np.random.Generator) -> list[int]:
    """Return the state with all spins reversed."""
    return [state ^ ((1 << SPINS) - 1)]

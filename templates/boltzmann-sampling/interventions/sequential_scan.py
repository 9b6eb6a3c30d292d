"""Visit the sites in order rather than at random."""


def sites(count: int, rng: np.random.Generator) -> list[int]:
    """Return the sites row by row, from a random first one."""
    first = int(rng.integers(SPINS))
    return [(first + step) % SPINS for step in range(count)]

"""Draw the random numbers from another bit generator."""


def generator(seed: int, index: int) -> np.random.Generator:
    """Return one counter-based Philox stream per chain."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, index])))

"""Heat-bath acceptance (Glauber dynamics) in place of Metropolis."""


def acceptance(temperature: float) -> list[float]:
    """Return the probability to flip by the number of agreeing neighbours, 0 to 4."""
    return [1.0 / (1.0 + math.exp(2.0 * (2 * agreeing - 4) / temperature)) for agreeing in range(5)]

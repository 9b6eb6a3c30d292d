"""A lazy chain: three proposals in four are turned down, which rules out periodic behaviour."""


def acceptance(temperature: float) -> list[float]:
    """Return a quarter of the Metropolis probabilities; detailed balance still holds."""
    return [0.25 * min(1.0, math.exp(-2.0 * (2 * agreeing - 4) / temperature)) for agreeing in range(5)]

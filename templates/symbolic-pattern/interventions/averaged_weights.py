"""Answer with the average of the weights over the second half of the steps (Polyak and Juditsky 1992)."""


def settled(path: list[np.ndarray]) -> np.ndarray:
    """Return the mean of the later half of the weights."""
    return np.mean(path[len(path) // 2 :], axis=0)

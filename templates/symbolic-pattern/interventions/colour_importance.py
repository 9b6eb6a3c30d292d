"""Let errors count more the more different colours a sequence has."""


def importance(tokens: np.ndarray) -> np.ndarray:
    """Return the squared number of different colours in each row."""
    return ((tokens % 4)[:, :, None] == np.arange(4)).any(axis=1).sum(axis=1) ** 2.0

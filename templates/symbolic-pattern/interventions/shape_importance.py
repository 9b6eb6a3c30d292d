"""Let errors count as much as the metric makes them count: by the number of different shapes."""


def importance(tokens: np.ndarray) -> np.ndarray:
    """Return the number of different shapes in each row."""
    return ((tokens // 4)[:, :, None] == np.arange(4)).any(axis=1).sum(axis=1).astype(np.float64)

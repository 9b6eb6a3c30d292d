"""One feature for each pair of shapes: the first of the one comes before the first of the other."""


def orders(tokens: np.ndarray) -> np.ndarray:
    """Return for every ordered pair of shapes whether both occur and the first one leads."""
    is_shape = (tokens // 4)[:, :, None] == np.arange(4)
    first = np.where(is_shape.any(axis=1), is_shape.argmax(axis=1), tokens.shape[1])
    pairs = [(one, other) for one in range(4) for other in range(4) if one != other]
    columns = [(first[:, one] < first[:, other]) & (first[:, other] < tokens.shape[1]) for one, other in pairs]
    return np.stack(columns, axis=1).astype(np.float64)

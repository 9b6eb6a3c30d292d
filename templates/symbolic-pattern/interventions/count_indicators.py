"""One feature for each value that a count can take, so that exact counts and parities become sums of features."""


def counts(tokens: np.ndarray) -> np.ndarray:
    """Return the counts of shapes and colours, each as indicators of its possible values."""
    values = np.arange(tokens.shape[1] + 1)
    return (glyph_counts(tokens)[:, :, None] == values).reshape(len(tokens), -1).astype(np.float64)

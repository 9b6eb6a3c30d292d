"""Go through the log in shuffled epochs, so that every step is seen equally often."""


def batches(log: dict[str, np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    """Return the rows of every batch: consecutive pieces of one permutation after another."""
    length = len(log["actions"])
    epochs = -(-UPDATES * BATCH // length)
    order = np.concatenate([rng.permutation(length) for _ in range(epochs)])
    return list(order[: UPDATES * BATCH].reshape(UPDATES, BATCH))

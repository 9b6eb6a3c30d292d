"""Double Q-learning: one network chooses the next action, the other says what it is worth."""


def bootstrap(online_next: np.ndarray, target_next: np.ndarray) -> np.ndarray:
    """Return the slow network's value of the action that the online network prefers."""
    return target_next[np.arange(len(online_next)), online_next.argmax(axis=1)]

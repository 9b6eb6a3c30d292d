"""Conservative Q-learning (Kumar et al. 2020): push the values of all actions down and those of logged ones up."""

CONSERVATISM = 1.0


def penalty(values: np.ndarray, actions: np.ndarray) -> np.ndarray:
    """Return the gradient of logsumexp(values) minus the value of the logged action, weighted."""
    shares = np.exp(values - values.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    shares[np.arange(len(actions)), actions] -= 1.0
    return CONSERVATISM * shares

"""Implicit Q-learning (Kostrikov et al. 2021): expectile regression, then advantage-weighted imitation."""

EXPECTILE = 0.7
INVERSE_TEMPERATURE = 3.0
LARGEST_WEIGHT = 100.0


def expectile_gradient(state_values: np.ndarray, action_values: np.ndarray) -> np.ndarray:
    """Return the gradient for the state values (first output): errors from below weigh more."""
    ahead = action_values - state_values[:, 0]
    gradient = np.zeros_like(state_values)
    gradient[:, 0] = -np.where(ahead > 0.0, EXPECTILE, 1.0 - EXPECTILE) * ahead / len(ahead)
    return gradient


def imitation_gradient(logits: np.ndarray, actions: np.ndarray, advantages: np.ndarray) -> np.ndarray:
    """Return the gradient of the logged actions' log-likelihood, weighted by exponentiated advantages."""
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    shares[np.arange(len(actions)), actions] -= 1.0
    weight = np.minimum(np.exp(INVERSE_TEMPERATURE * advantages), LARGEST_WEIGHT)
    return shares * weight[:, None] / len(actions)


def learn(log: dict[str, np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Return the weights of the policy; values are learned without asking for any action out of the log."""
    flat = [network.initial(rng) for _ in range(3)]
    slow = flat[0].copy()
    action_net, state_net, policy_net = (network.split(weights) for weights in flat)
    target = network.split(slow)
    for_action, for_state, for_policy = (network.Adam(weights, LEARNING_RATE) for weights in flat)
    for rows in batches(log, rng):
        batch = {name: column[rows] for name, column in log.items()}
        seen, actions = batch["observations"], batch["actions"]
        logged = network.forward(target, seen)[0][np.arange(len(actions)), actions]
        state_values, state_cache = network.forward(state_net, seen)
        for_state.step(network.backward(state_net, state_cache, expectile_gradient(state_values, logged)))
        following = network.forward(state_net, batch["next_observations"])[0][:, 0]
        goals = rewards(batch) + DISCOUNT * following * ~batch["ends"]
        values, cache = network.forward(action_net, seen)
        for_action.step(network.backward(action_net, cache, value_gradient(values, actions, goals)))
        logits, policy_cache = network.forward(policy_net, seen)
        pull = imitation_gradient(logits, actions, logged - state_values[:, 0])
        for_policy.step(network.backward(policy_net, policy_cache, pull))
        slow += TARGET_RATE * (flat[0] - slow)
    return flat[2]

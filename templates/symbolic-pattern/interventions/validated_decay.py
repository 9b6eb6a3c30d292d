"""Choose the penalty by the accuracy on the validation set."""

DECAYS = (1e-3, 1e-2, 3e-2, 1e-1, 3e-1)


def weight_decay(train: Rows, validation: Rows, rng: np.random.Generator) -> float:
    """Return the penalty under which a model of the training set does best on the validation set."""
    inputs, asked = standardised(features(train.tokens), features(validation.tokens))
    right = []
    for decay in DECAYS:
        weights = learn(inputs, train, decay, rng)
        right.append(((probability(asked, weights) > THRESHOLD) == validation.labels).mean())
    return DECAYS[int(np.argmax(right))]

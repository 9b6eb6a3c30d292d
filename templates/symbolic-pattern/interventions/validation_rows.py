"""Learn from the labelled validation sequences too."""


def rows_to_learn(train: Rows, validation: Rows, rng: np.random.Generator) -> Learnt:
    """Return training and validation set together."""
    both = Rows(*(np.concatenate(pair) for pair in zip(train, validation, strict=True)))
    return Learnt(both, len(train.labels), len(validation.labels))

"""Add made-up sequences: each training sequence once more with its tokens in another order and the same label."""


def rows_to_learn(train: Rows, validation: Rows, rng: np.random.Generator) -> Learnt:
    """Return the training set and one shuffled copy of it, which counts as made up."""
    copies = rng.permuted(train.tokens, axis=1)
    rows = Rows(np.concatenate([train.tokens, copies]), np.concatenate([train.labels, train.labels]))
    return Learnt(rows, len(train.labels), len(copies))

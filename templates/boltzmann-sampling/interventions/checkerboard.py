"""Visit the sites of one colour of the chess board, then the others, so that neighbours are never updated together."""


def sites(count: int, rng: np.random.Generator) -> list[int]:
    """Return the sites colour by colour, from a random colour."""
    colours = [[site for site in range(SPINS) if (site // 4 + site) % 2 == colour] for colour in (0, 1)]
    if rng.random() < 0.5:
        colours.reverse()
    order = colours[0] + colours[1]
    return [order[step % SPINS] for step in range(count)]

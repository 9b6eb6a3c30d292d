"""Exchange a pair of neighbouring opposite spins rather than flip one (Kawasaki dynamics)."""


def agreeing_neighbours(state: int, site: int, masks: list[int]) -> int:
    """Count the neighbours of `site` that point its way."""
    return (state & masks[site] if state >> site & 1 else ~state & masks[site]).bit_count()


def local_moves(state: int, count: int, temperature: float, rng: np.random.Generator) -> list[int]:
    """Return the states after pairwise exchanges, each accepted by the Metropolis rule."""
    masks = neighbour_masks()
    neighbours = [[other for other in range(SPINS) if masks[site] >> other & 1] for site in range(SPINS)]
    visited = []
    directions, uniforms = rng.integers(0, 4, size=count).tolist(), rng.random(count).tolist()
    for site, direction, uniform in zip(sites(count, rng), directions, uniforms, strict=True):
        other = neighbours[site][direction]
        if (state >> site ^ state >> other) & 1:
            swapped = state ^ (1 << site | 1 << other)
            before = agreeing_neighbours(state, site, masks) + agreeing_neighbours(state, other, masks)
            after = agreeing_neighbours(swapped, site, masks) + agreeing_neighbours(swapped, other, masks)
            if uniform < math.exp(min(0.0, 2.0 * (after - before) / temperature)):
                state = swapped
        visited.append(state)
    return visited

"""Single-cluster updates (Wolff 1989) in place of single-spin proposals."""

from math import expm1


def grow_cluster(state: int, temperature: float, rng: np.random.Generator, masks: list[int]) -> int:
    """Return the bits of one cluster: bonds between equal spins are kept with probability 1 - exp(-2/T)."""
    bond = -expm1(-2.0 / temperature)
    seed_site = int(rng.integers(SPINS))
    same = state if state >> seed_site & 1 else ~state
    cluster = 1 << seed_site
    edge = [seed_site]
    uniforms = iter(rng.random(4 * SPINS).tolist())
    while edge:
        near = masks[edge.pop()] & same
        for site in range(SPINS):
            if near >> site & 1 and not cluster >> site & 1 and next(uniforms) < bond:
                cluster |= 1 << site
                edge.append(site)
    return cluster


def local_moves(state: int, count: int, temperature: float, rng: np.random.Generator) -> list[int]:
    """Return the states after clusters are flipped one by one, until about `count` spins were flipped."""
    masks = neighbour_masks()
    visited = []
    while count > 0:
        cluster = grow_cluster(state, temperature, rng, masks)
        state ^= cluster
        visited.append(state)
        count -= cluster.bit_count()
    return visited

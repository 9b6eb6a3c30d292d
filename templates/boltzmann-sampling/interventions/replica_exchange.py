"""Chains at neighbouring temperatures exchange their states now and then (Hukushima and Nemoto 1996)."""


def bond_energy(state: int, masks: list[int]) -> int:
    """Return the energy of a state in units of the coupling."""
    agreeing = sum((state & masks[site] if state >> site & 1 else ~state & masks[site]).bit_count()
                   for site in range(SPINS))  # fmt: skip
    return 2 * SPINS - agreeing


def exchange(logs: list[list[int]], temperatures: list[float], masks: list[int], rng: np.random.Generator) -> list[int]:
    """Return the next state of every chain after one pass of exchanges from cold to hot."""
    states = [log[-1] for log in logs]
    for low in range(len(states) - 1):
        gap = bond_energy(states[low], masks) - bond_energy(states[low + 1], masks)
        if rng.random() < math.exp(min(0.0, gap * (1 / temperatures[low] - 1 / temperatures[low + 1]))):
            states[low], states[low + 1] = states[low + 1], states[low]
    return states


def simulate(problem: dict, seed: int) -> list[list[int]]:
    """Return one log per temperature; the chains advance block by block, side by side."""
    temperatures, masks = problem["temperatures"], neighbour_masks()
    logs = [[first] for first in problem["first"]]
    budgets = [problem["budget"]] * len(logs)
    streams = [generator(seed, index) for index in range(len(logs) + 1)]
    while all(budgets):
        swapped = exchange(logs, temperatures, masks, streams[-1])
        for index, log in enumerate(logs):
            # A refused exchange is logged too: to log only the accepted ones would favour states that exchange easily.
            block = [swapped[index]]
            block += local_moves(swapped[index], min(BLOCK, budgets[index]), temperatures[index], streams[index])
            block += large_moves(block[-1], temperatures[index], streams[index])
            paid, spent = within(block, log[-1], budgets[index])
            log += paid
            budgets[index] = budgets[index] - spent if len(paid) == len(block) else 0
    return logs

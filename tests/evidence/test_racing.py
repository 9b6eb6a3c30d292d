import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.evidence import DifferencesInvalid, Heat, Race, next_heat
from flows.evidence.eprocess import Floats
from flows.evidence.racing import NO_BUDGET, NO_GAIN, NO_RESULT, NOT_IN_SIGHT, Seen

LEAST = 0.5
RACE = Race()


def least(seen: Seen) -> dict[str, float]:
    return dict.fromkeys(seen, LEAST)


def heat(seen: Seen, race: Race = RACE) -> Heat:
    return next_heat(race, seen, least(seen))


def raced(screen: dict[str, Floats], race: Race = RACE) -> tuple[Heat, dict[str, int], int]:
    """Carry a race to its end; return the last heat, the seeds of each and the executions, baseline included."""
    ran = dict.fromkeys(screen, 0)
    while not (now := heat({name: list(screen[name][:n]) for name, n in ran.items()}, race)).over:
        assert all(ran[name] < now.seeds for name in now.goes_on)
        ran |= dict.fromkeys(now.goes_on, now.seeds)
    return now, ran, sum(ran.values()) + max(ran.values(), default=0)


def test_everybody_gets_the_first_seeds() -> None:
    assert heat({"a": [], "b": []}) == Heat(3, ("a", "b"))


def test_by_hand() -> None:
    """Three seeds each, pooled variance (1 + 1 + 0.25) / 3: a is clear, b is open, c is out of sight."""
    seen = {"a": [2.0, 3.0, 4.0], "b": [-0.5, 0.5, 1.5], "c": [-1.5, -1.0, -0.5]}
    now = heat(seen)
    assert now.passed == ("a",)
    assert now.dropped == {"c": NOT_IN_SIGHT}
    assert (now.goes_on, now.seeds) == (("b",), 6)
    spread = (2 * 0.75 + 2 * 0.25) / 4
    assert -1.0 + 1.75 * math.sqrt(spread / 3) < LEAST


def test_who_has_seen_enough_gets_no_further_seed() -> None:
    now, ran, _ = raced({"good": np.full(9, 3.0), "bad": np.full(9, -3.0)})
    assert (now.passed, now.dropped) == (("good",), {"bad": NOT_IN_SIGHT})
    assert ran == {"good": 3, "bad": 3}


def test_a_crash_is_out_and_the_rest_goes_on() -> None:
    now = heat({"a": None, "b": [0.0, 0.5, 1.0]})
    assert now.dropped == {"a": NO_RESULT}
    assert now.goes_on == ("b",)


def test_the_last_heat_passes_only_a_gain() -> None:
    near, none = [0.2, 0.9, -0.2, 0.9, 0.1, 0.6, 0.3, 0.7, -0.1], [0.9, -1.2, 0.8, -1.0, 0.9, -0.9, 1.0, -0.8, 0.2]
    now = next_heat(RACE, {"near": near, "none": none}, {"near": 0.5, "none": 0.01})
    assert now.over
    assert now.passed == ("near",)
    assert now.dropped == {"none": NO_GAIN}


def test_least_effects_may_differ() -> None:
    seen = {"a": [0.5, 0.6, 0.7], "b": [0.5, 0.6, 0.7]}
    now = next_heat(RACE, seen, {"a": 0.3, "b": 3.0})
    assert (now.passed, now.dropped) == (("a",), {"b": NOT_IN_SIGHT})


def test_the_budget_keeps_the_best_and_is_never_exceeded() -> None:
    rng = np.random.default_rng(1)
    screen = {str(k): 0.5 + rng.standard_normal(9) for k in range(12)}
    _, free, unlimited = raced(screen)
    now, ran, used = raced(screen, Race(budget=60))
    assert unlimited > 60 >= used
    assert NO_BUDGET in now.dropped.values()
    late = [name for name, why in now.dropped.items() if why == NO_BUDGET]
    went_on = [name for name in screen if ran[name] > 3]
    assert max(screen[name][:3].mean() for name in late) <= min(screen[name][:3].mean() for name in went_on)
    assert sum(ran.values()) < sum(free.values())


def test_where_no_heat_can_be_paid_what_looks_good_passes() -> None:
    rng = np.random.default_rng(2)
    screen = {str(k): effect + 0.8 * rng.standard_normal(9) for k, effect in enumerate((0.5, 0.5, -0.9))}
    now, ran, used = raced(screen, Race(budget=12))
    assert used == 12
    assert set(ran.values()) == {3}
    assert set(now.passed) | set(now.dropped) == set(screen)


def test_a_budget_for_nobody_runs_nobody() -> None:
    now = heat({"a": [], "b": []}, Race(budget=3))
    assert now.over
    assert now.dropped == dict.fromkeys("ab", NO_BUDGET)


@given(
    st.lists(st.floats(-1.5, 2.0), max_size=8),
    st.integers(0, 1000),
    st.one_of(st.none(), st.integers(0, 90)),
    st.integers(2, 4),
)
def test_everybody_ends_in_one_place_within_the_budget(
    effects: list[float], seed: int, budget: int | None, first: int
) -> None:
    rng = np.random.default_rng(seed)
    screen = {str(k): effect + rng.standard_normal(3 * first) for k, effect in enumerate(effects)}
    now, ran, used = raced(screen, Race.of(first, budget))
    assert sorted([*now.passed, *now.dropped]) == sorted(screen)
    assert all(count in (0, first, 2 * first, 3 * first) for count in ran.values())
    assert budget is None or used <= budget
    assert heat({name: list(screen[name][:n]) for name, n in ran.items()}, Race.of(first, budget)) == now


def test_real_effects_are_rarely_dropped_and_most_others_are() -> None:
    rng = np.random.default_rng(3)
    kept = {1.0: 0, 0.0: 0, -0.5: 0}
    for _ in range(60):
        shared = rng.standard_normal(9)
        effects = (1.0, 0.0, 0.0, 0.0, -0.5, -0.5)
        screen = {str(k): e + (rng.standard_normal(9) - shared) / math.sqrt(2) for k, e in enumerate(effects)}
        now, _, _ = raced(screen)
        for name in now.passed:
            kept[effects[int(name)]] += 1
    assert kept[1.0] / 60 > 0.9
    assert kept[0.0] / 180 < 0.4
    assert kept[-0.5] / 120 < 0.15


@pytest.mark.parametrize(
    "race", [Race(heats=(3, 6)), Race(heats=(6, 3, 9)), Race(heats=(1, 2, 3)), Race(heats=(3, 3, 6))]
)
def test_heats_that_are_no_race_are_refused(race: Race) -> None:
    with pytest.raises(DifferencesInvalid, match="Heats must rise"):
        heat({"a": []}, race)


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(DifferencesInvalid, match="finite"):
        heat({"a": [1.0, math.nan, 1.0]})

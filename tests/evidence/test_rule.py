import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.records import Plan
from flows.evidence import Ending, Location, decide, pairs_needed, rule_in_words
from flows.evidence.eprocess import Floats
from flows.evidence.rule import CODES, walk
from tests.evidence.making import plan

PAIRS = 20


def giving_up(futility: float = 0.05, aim: float = 1.0, pairs: int = 40, **changes: object) -> Plan:
    looks = tuple(range(pairs_needed(max(0.05, futility)), pairs + 1))
    return plan(pairs=pairs, aim=aim, futility=futility, looks=looks, **changes)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from(["centre", "median", "mean"]),
    st.sampled_from([0.0, 0.05, 0.3]),
    st.sampled_from([0.0, 0.4, 1.2]),
)
def test_many_plans_at_once_end_as_each_of_them_does(seed: int, location: str, futility: float, effect: float) -> None:
    asked = giving_up(futility, pairs=PAIRS, location=location, range=(0.0, 5.0) if location == "mean" else None)
    d = np.clip(effect + np.random.default_rng(seed).standard_normal((6, PAIRS)), -5, 5).round(1)
    walked = walk(asked, d)
    alone = [decide(asked, list(row)) for row in d]
    assert [CODES[code] for code in walked.codes] == [each.ending for each in alone]
    assert list(walked.n) == [each.n for each in alone]


def test_rows_may_have_levels_of_their_own() -> None:
    d = 0.9 + np.random.default_rng(1).standard_normal((200, PAIRS))
    levels = np.where(np.arange(200) % 2, 0.05, 0.05 / 20)
    asked = plan(pairs=PAIRS)
    walked = walk(asked, d, levels)
    for row in range(12):
        one = decide(asked.model_copy(update={"level": float(levels[row])}), list(d[row]))
        assert CODES[walked.codes[row]] is one.ending
    hits = walked.codes == CODES.index(Ending.SUPPORTED)
    assert hits[1::2].mean() > hits[::2].mean() + 0.2


def test_no_pairs_end_nothing() -> None:
    walked = walk(plan(), np.zeros((3, 0)))
    assert (list(walked.codes), list(walked.n)) == ([0, 0, 0], [0, 0, 0])


def test_what_is_not_in_sight_is_given_up_early() -> None:
    d = np.random.default_rng(2).standard_normal((1000, 40))
    patient, asked = walk(giving_up(0.0), d), walk(giving_up(), d)
    assert asked.share(Ending.GIVEN_UP) > 0.7
    assert asked.n.mean() < 0.6 * patient.n.mean()
    decision = decide(giving_up(), list(d[int(np.flatnonzero(asked.codes == CODES.index(Ending.GIVEN_UP))[0])]))
    assert decision.verdict is not None
    assert decision.verdict.value == "inconclusive"
    assert "an improvement of 1, which it was made to find" in decision.reason


NOISES = {
    "normal": lambda rng, size: rng.standard_normal(size),
    "cauchy": lambda rng, size: rng.standard_cauchy(size),
    "drifting": lambda rng, size: rng.standard_normal(size) * np.geomspace(0.05, 5.0, size[1]),
}


@pytest.mark.parametrize("futility", [0.05, 0.2])
@pytest.mark.parametrize("noise", NOISES)
def test_the_aim_is_given_up_no_more_often_than_registered(noise: str, futility: float) -> None:
    """The guarantee is Ville's, so it needs no normality: the aim lies at the centre of whatever noise this is."""
    d: Floats = 1.0 + NOISES[noise](np.random.default_rng(3), (3000, 40))
    given_up = walk(giving_up(futility), d).share(Ending.GIVEN_UP)
    assert given_up <= futility + 3 * math.sqrt(futility * (1 - futility) / 3000)


def test_giving_up_costs_little_power_at_the_aim_and_no_error() -> None:
    noise = np.random.default_rng(4).standard_normal((2000, 40))
    patient, asked = (walk(giving_up(f), 1.0 + noise).share(Ending.SUPPORTED) for f in (0.0, 0.05))
    assert patient - 0.05 <= asked <= patient
    assert walk(giving_up(), noise).share(Ending.SUPPORTED) <= walk(giving_up(0.0), noise).share(Ending.SUPPORTED)


def test_planted_fault_an_aim_beyond_the_effect_gives_up_what_is_real() -> None:
    """The guarantee is about the aim: raised after the freeze it would hide an effect: so it is registered."""
    d = 1.0 + np.random.default_rng(5).standard_normal((500, 40))
    assert walk(giving_up(aim=2.5), d).share(Ending.GIVEN_UP) > 0.3


def test_a_refutation_at_hand_is_waited_for() -> None:
    harmful = list(-1.0 + 0.1 * np.random.default_rng(6).standard_normal(40))
    asked = giving_up(0.1)
    assert asked.looks[0] == 4
    assert Location.of(asked).e_values(np.array(harmful), 1.0, "less", (1.0,))[3] >= 10
    assert decide(asked, harmful).ending is Ending.REFUTED


def test_support_that_is_under_way_is_waited_for() -> None:
    """Five spreads below the aim, and yet certain: to give this up would be to look away."""
    d = list(0.55 + 0.1 * np.random.default_rng(6).standard_normal(40))
    asked = giving_up(0.05, scale=0.1)
    assert Location.of(asked).e_values(np.array(d), 1.0, "less", (4.0,))[5] >= 20
    assert decide(asked, d).ending is Ending.SUPPORTED


def test_a_plan_without_an_aim_is_never_given_up() -> None:
    d = np.random.default_rng(7).standard_normal((300, 40))
    assert walk(plan(pairs=40), d).share(Ending.GIVEN_UP) == 0.0
    assert "Given up" not in rule_in_words(plan())
    assert "with probability 0.05 at the most" in rule_in_words(giving_up())

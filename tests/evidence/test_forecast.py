import math

import numpy as np
import pytest

from agents.records import Forecast, Plan
from flows.evidence import Ending, PlanRefused, Register, Screened, freeze
from flows.evidence.forecast import HOPELESS, Hopes, aim_of, forecast, power
from flows.evidence.rule import walk
from tests.evidence.making import BASELINE, REGISTER, candidate, idea, plan, rules


def frozen(seen: Screened | float, pairs: int = 40, least: float = 0.5, **changes: object) -> Plan:
    return freeze(rules(pairs, **changes), REGISTER, idea(least=least), candidate(), BASELINE, seen)


def seen(effect: float, spread: float) -> Screened:
    return Screened(effect, spread, passed=True)


def test_a_frozen_plan_says_what_it_can_find_and_at_what_price() -> None:
    made = frozen(seen(3.0, 1.0))
    assert isinstance(made.forecast, Forecast)
    assert made.forecast.effect == 1.5
    assert made.forecast.power > 0.95
    assert made.forecast.power_least < 0.5
    assert made.forecast.underpowered
    assert 5 < made.forecast.expected_pairs < 20
    assert made.forecast.pairs_null < 20
    assert Plan.model_validate_json(made.model_dump_json()) == made


def test_a_plan_with_little_spread_finds_its_least_effect_more_often_than_not() -> None:
    made = frozen(seen(0.5, 0.1))
    assert made.forecast is not None
    assert made.forecast.power_least > 0.5
    assert not made.forecast.underpowered


def test_the_forecast_is_that_of_the_rule_itself() -> None:
    made = frozen(1.0)
    d = made.scale * np.random.default_rng(5).standard_normal((4000, 40))
    assert made.forecast is not None
    for effect, told in ((1.0, made.forecast.power), (0.5, made.forecast.power_least)):
        share = walk(made, effect + d).share(Ending.SUPPORTED)
        assert told == pytest.approx(share, abs=0.09)
    assert made.forecast.pairs_null == pytest.approx(float(walk(made, d).n.mean()), abs=1.0)


def test_the_same_plan_has_the_same_forecast() -> None:
    assert frozen(seen(1.3, 0.9)) == frozen(seen(1.3, 0.9))
    assert forecast(plan(), 1.0) == forecast(plan(id="p7", candidate="c9", seeds=tuple(range(16))), 1.0)


def test_power_rises_with_the_effect_and_with_pairs() -> None:
    made = frozen(1.0)
    powers = [power(made, effect) for effect in (0.0, 0.5, 0.75, 1.0, 1.5, 2.5)]
    assert powers == sorted(powers)
    assert power(frozen(1.0, pairs=16), 1.0) < power(made, 1.0)


@pytest.mark.parametrize(
    ("seen_effect", "hopes"), [(0.0, (1.0, 1.0)), (-3.0, (1.0, 1.0)), (1.6, (1.0, 1.6)), (6.0, (3.0, 6.0))]
)
def test_what_looked_good_is_expected_to_shrink_by_half(seen_effect: float, hopes: tuple[float, float]) -> None:
    assert Hopes.of(0.5, seen_effect) == hopes


def test_a_hopeless_plan_is_refused_with_what_to_do() -> None:
    with pytest.raises(PlanRefused, match=r"no hope here: were its effect 1, 16 pairs .* `seeds\.confirm`"):
        frozen(seen(0.6, 4.0), pairs=16)


def test_hope_is_judged_by_all_that_the_screen_saw() -> None:
    assert frozen(seen(7.0, 4.0), pairs=16).forecast is not None
    assert power(frozen(4.0, pairs=16), 1.0) < HOPELESS


def test_where_nothing_is_known_of_the_effect_nothing_is_refused_for_it() -> None:
    made = frozen(4.0, pairs=16)
    assert made.forecast is not None
    assert made.forecast.power < HOPELESS


@pytest.mark.parametrize("location", ["centre", "median", "mean"])
def test_the_aim_is_what_the_plan_finds_nine_times_in_ten(location: str) -> None:
    asked = plan(pairs=24, least=0.1, scale=2.0, location=location, range=(0.0, 8.0) if location == "mean" else None)
    aim = aim_of(asked)
    assert aim > 0.2
    assert power(asked, aim) == pytest.approx(0.9, abs=0.05)


def test_the_aim_is_twice_the_least_effect_where_that_is_easily_found() -> None:
    assert aim_of(plan(pairs=24, least=0.5, scale=0.1)) == 1.0


def test_a_plan_that_can_find_nothing_has_no_aim() -> None:
    assert math.isinf(aim_of(plan(pairs=8, location="median")))
    made = frozen(1.0, pairs=9)
    assert (made.aim is None) == (made.futility == 0.0)


def test_a_deterministic_plan_is_certain() -> None:
    made = frozen(seen(0.6, 0.0), deterministic=True)
    assert made.forecast == Forecast(
        effect=1.0, power=1.0, power_least=1.0, expected_pairs=1.0, pairs_null=1.0, underpowered=False
    )
    assert made.aim is None


def test_old_records_without_a_forecast_still_load() -> None:
    old = frozen(1.0).model_dump(mode="json")
    new = ("location", "range", "aim", "futility", "varies", "fixed", "ablations", "forecast", "deviations")
    loaded = Plan.model_validate({key: value for key, value in old.items() if key not in new})
    assert (loaded.location, loaded.aim, loaded.futility, loaded.forecast) == ("centre", None, 0.0, None)


def test_registered_plans_are_not_looked_at_when_the_next_is_forecast() -> None:
    first = frozen(1.0)
    second = freeze(rules(40), Register([first]), idea("i2"), candidate("c2", "i2"), BASELINE, 1.0)
    assert second.forecast == first.forecast

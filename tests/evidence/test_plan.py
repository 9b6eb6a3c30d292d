import math

import pytest

from agents.records import Plan, Stage
from flows.evidence import PlanRefused, Register, check_seeds, decide, freeze, freeze_challenge
from flows.evidence.plan import Rules
from templates.manifest import Seeds
from tests.evidence.making import BASELINE, REGISTER, candidate, idea, plan, rules


def frozen(of: Rules | None = None, register: Register = REGISTER, number: int = 1) -> Plan:
    id_ = f"i{number}"
    return freeze(of or rules(), register, idea(id_), candidate(f"c{number}", id_), BASELINE, 0.8)


def test_a_plan_says_everything_before_anything_runs() -> None:
    made = frozen()
    assert (made.id, made.idea, made.candidate, made.comparator) == ("p1", "i1", "c1", "c0")
    assert made.seeds == tuple(range(1001, 1017))
    assert made.looks == tuple(range(5, 17))
    assert made.level == pytest.approx(0.05 / 8)
    assert not made.maximize
    for words in ("160", "20", "0.5", "16 pairs", "lower observable_error is better", "Refuted", "Inconclusive"):
        assert words in made.rule
    assert Plan.model_validate_json(made.model_dump_json()) == made
    assert decide(made, []).continue_


def test_every_plan_gets_seeds_of_its_own() -> None:
    plans: list[Plan] = []
    for number in range(1, 5):
        plans.append(frozen(register=Register(plans, (), range(1, 4)), number=number))
    challenge = freeze_challenge(rules(), Register(plans), plans[0], candidate("c1"), candidate("c9"))
    seeds = [seed for made in (*plans, challenge) for seed in made.seeds]
    assert len(seeds) == len(set(seeds)) == 5 * 16
    assert [made.id for made in (*plans, challenge)] == ["p1", "p2", "p3", "p4", "p5"]


def test_the_level_follows_from_confirmations_that_are_discoveries() -> None:
    first = frozen()
    challenge = freeze_challenge(rules(), Register([first]), first, candidate("c1"), candidate("c9"))
    won = Register([first, challenge], {"p1"})
    assert frozen(register=won, number=2).level == pytest.approx(2 * 0.05 / 8)
    waiting = Register([first, challenge])
    assert frozen(register=waiting, number=2).level == pytest.approx(0.05 / 8)
    assert frozen(register=won, number=2).id == "p3"


def test_a_challenge_is_the_candidate_against_what_is_left_of_it() -> None:
    first = frozen()
    made = freeze_challenge(rules(), Register([first]), first, candidate("c1"), candidate("c9", "i1"))
    assert (made.stage, made.candidate, made.comparator, made.level) == (Stage.CHALLENGE, "c1", "c9", 0.05)
    assert "c9" in made.rule
    assert not set(made.seeds) & set(first.seeds)


def test_looks_may_be_sparse_but_end_at_the_last_pair() -> None:
    made = frozen(Rules(0.05, 8, {"observable_error": False}, Seeds(), every=4))
    assert made.looks == (5, 9, 13, 16)


def test_a_deterministic_plan_is_one_pair() -> None:
    made = frozen(rules(deterministic=True))
    assert (made.seeds, made.looks, made.deterministic) == ((1001,), (1,), True)
    assert "no interval" in made.rule


def test_nothing_to_compare_with_is_refused() -> None:
    with pytest.raises(PlanRefused, match="nothing to be compared with"):
        freeze(rules(), REGISTER, idea(), candidate(), None, 1.0)


@pytest.mark.parametrize("other", [candidate("c1"), candidate("c7", None, commit="commit-c1")])
def test_the_same_code_on_both_sides_is_refused(other: object) -> None:
    with pytest.raises(PlanRefused, match="same code"):
        freeze(rules(), REGISTER, idea(), candidate(), other, 1.0)  # type: ignore[arg-type]
    with pytest.raises(PlanRefused, match="same code"):
        freeze_challenge(rules(), REGISTER, plan(), candidate(), other)  # type: ignore[arg-type]


def test_an_unknown_metric_is_refused() -> None:
    with pytest.raises(PlanRefused, match="observable_error"):
        freeze(rules(), REGISTER, idea(metric="shine"), candidate(), BASELINE, 1.0)


def test_a_candidate_of_another_idea_is_refused() -> None:
    with pytest.raises(PlanRefused, match="i2"):
        freeze(rules(), REGISTER, idea(), candidate(of="i2"), BASELINE, 1.0)
    with pytest.raises(PlanRefused, match="c5"):
        freeze_challenge(rules(), REGISTER, plan(), candidate("c5"), candidate("c9"))


def test_a_second_confirmation_is_refused() -> None:
    with pytest.raises(PlanRefused, match="no second one"):
        frozen(register=Register([frozen()]))


def test_a_used_up_horizon_is_refused() -> None:
    with pytest.raises(PlanRefused, match="declared 1 plans"):
        frozen(rules(horizon=1), Register([frozen()]), number=2)


def test_searched_seeds_are_refused() -> None:
    with pytest.raises(PlanRefused, match="Seed 1016 .* the search"):
        frozen(register=Register(search_seeds=range(1016, 1019)))


def test_seeds_of_another_plan_or_given_twice_are_refused() -> None:
    first = frozen()
    with pytest.raises(PlanRefused, match="belongs to p1"):
        check_seeds(first.model_copy(update={"id": "p2"}), Register([first]))
    check_seeds(first, Register([first]))
    with pytest.raises(PlanRefused, match="once"):
        check_seeds(first.model_copy(update={"seeds": (5, 5)}), Register())


def test_seeds_that_cannot_reach_the_level_are_refused() -> None:
    with pytest.raises(PlanRefused, match="7 pairs can never reach .* 8 at least"):
        frozen(rules(pairs=7))
    assert frozen(rules(pairs=8)).looks == (5, 6, 7, 8)


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan, math.inf])
def test_a_spread_that_is_none_is_refused(scale: float) -> None:
    with pytest.raises(PlanRefused, match="Screen the candidate"):
        freeze(rules(), REGISTER, idea(), candidate(), BASELINE, scale)

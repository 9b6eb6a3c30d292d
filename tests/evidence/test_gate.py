import math

import pytest

from agents.records import Candidate, Challenge, Idea, Plan
from flows.evidence import (
    PlanRefused,
    ablations_due,
    build_claim,
    check_plan,
    freeze,
    judge,
    with_challenge,
)
from flows.evidence.gate import FREE_EDIT
from flows.evidence.plan import Rules
from templates.manifest import Manifest, Seeds
from tests.evidence.making import ATTEMPTS, BASELINE, REGISTER, candidate, idea, plan, rules, sides

METRICS = {"observable_error": False}
STRONG = [1.6, 2.3, 1.1, 2.0, 1.5, 2.6, 0.9, 1.9, 1.7, 2.2, 1.4, 1.8]


def stating(*factors: str) -> Idea:
    return idea().model_copy(update={"factors": factors})


def with_factors(*factors: str) -> Candidate:
    return candidate().model_copy(update={"factors": factors})


def frozen(of: Idea, what: Candidate, against: Candidate = BASELINE) -> Plan:
    return freeze(rules(), REGISTER, of, what, against, 0.3)


def ready(**changes: object) -> Plan:
    return plan(varies=("wolff",), rule="as registered", **changes)


def test_a_plan_says_what_varies_and_what_is_fixed() -> None:
    made = frozen(stating("wolff"), with_factors("wolff"))
    assert made.varies == ("wolff",)
    assert made.ablations == ()
    assert made.fixed == ("seeds, data and scoring of both sides", "all code but what varies")


def test_the_rules_name_template_and_image() -> None:
    manifest = Manifest.model_validate(
        {
            "name": "t", "title": "T", "question": "?", "domain": "d", "method": "m", "editable": ["w.py"],
            "outputs": ["o.json"], "metric": {"name": "score", "title": "S", "direction": "maximize",
            "least_effect": 0.1, "location": "mean", "range": [0, 1]},
        }
    )  # fmt: skip
    made = Rules.of(manifest, 0.05, 4, ("template 1a2b", "image 3c4d"))
    assert (made.metrics, made.location, made.range) == ({"score": True}, "mean", (0.0, 1.0))
    assert made.fixed == ("template 1a2b", "image 3c4d")


def test_a_free_edit_varies_one_thing() -> None:
    assert frozen(idea(), candidate()).varies == (FREE_EDIT,)


def test_only_what_differs_from_the_comparator_varies() -> None:
    before = candidate("c5", "i5").model_copy(update={"factors": ("wolff",)})
    assert frozen(stating("burn-in", "wolff"), with_factors("wolff", "burn-in"), before).varies == ("burn-in",)


def test_a_stated_combination_owes_an_ablation_of_each_ingredient() -> None:
    made = frozen(stating("wolff", "burn-in"), with_factors("wolff", "burn-in"))
    assert made.varies == made.ablations == ("burn-in", "wolff")


@pytest.mark.parametrize(
    ("stated", "varied"),
    [
        ((), ("wolff", "burn-in")),
        (("wolff",), ("wolff", "burn-in")),
        (("wolff",), ("burn-in",)),
        (("wolff", "burn-in"), ("wolff", "burn-in", "thinning")),
    ],
)
def test_planted_fault_what_the_idea_does_not_state_may_not_vary(
    stated: tuple[str, ...], varied: tuple[str, ...]
) -> None:
    with pytest.raises(PlanRefused, match="Vary one thing, or state the combination"):
        frozen(stating(*stated), with_factors(*varied))


def test_a_repair_that_dropped_an_ingredient_is_registered_as_what_it_is() -> None:
    made = frozen(stating("wolff", "burn-in"), with_factors("wolff"))
    assert (made.varies, made.ablations) == (("wolff",), ())


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"comparator": ""}, "nothing to be compared with"),
        ({"comparator": "c1"}, "nothing to be compared with"),
        ({"varies": ()}, "does not say what varies"),
        ({"metric": "shine"}, "what can be claimed here is observable_error"),
        ({"maximize": True}, "wrong direction: less observable_error is better"),
        ({"looks": ()}, "looks"),
        ({"looks": (8, 12)}, "end at its last seed"),
        ({"rule": " "}, "no stopping rule"),
        ({"location": "mean"}, r"metric\.range"),
        ({"location": "mean", "range": (0.0, 0.4)}, "exceeds the range"),
    ],
)
def test_planted_fault_a_plan_that_leaves_something_open_is_refused(changes: dict[str, object], says: str) -> None:
    check_plan(ready(), METRICS)
    with pytest.raises(PlanRefused, match=says):
        check_plan(ready().model_copy(update=changes), METRICS)


def test_what_freeze_makes_passes_the_gate() -> None:
    check_plan(frozen(idea(), candidate()), METRICS)


def test_the_level_is_not_reachable_for_every_location_alike() -> None:
    by_centre, by_median = (Rules(0.05, 8, METRICS, Seeds(confirm=8), location=kind) for kind in ("centre", "median"))
    assert len(freeze(by_centre, REGISTER, idea(), candidate(), BASELINE, 0.1).seeds) == 8
    with pytest.raises(PlanRefused, match="it takes 9 at least"):
        freeze(by_median, REGISTER, idea(), candidate(), BASELINE, 0.1)


def test_the_first_look_is_the_first_that_could_end_the_plan() -> None:
    early = Rules(0.05, 8, METRICS, Seeds(), futility=0.3)
    assert freeze(early, REGISTER, idea(), candidate(), BASELINE, 0.5).looks[0] == 2
    assert frozen(idea(), candidate()).looks[0] == 5


def test_a_plan_is_given_up_unless_the_rules_say_never() -> None:
    made = frozen(idea(), candidate())
    assert made.futility == 0.05
    assert made.aim is not None
    assert math.isfinite(made.aim)
    assert "Given up as inconclusive" in made.rule
    never = freeze(Rules(0.05, 8, METRICS, Seeds(), futility=0.0), REGISTER, idea(), candidate(), BASELINE, 0.3)
    assert (never.aim, never.futility) == (None, 0.0)


def test_ablations_are_due_until_each_ingredient_was_taken_out() -> None:
    asked = plan(ablations=("burn-in", "wolff"))
    both = sides(asked, STRONG)
    claim = build_claim(asked, idea(), *both, judge(asked, *both), ATTEMPTS)
    assert ablations_due(asked, claim) == ("burn-in", "wolff")

    def attacked(number: int, kind: str, removed: tuple[str, ...]) -> Challenge:
        values = {"plan": f"p{number}", "kind": kind, "removed": removed, "survived": True, "estimate": 1.0,
                  "interval": None, "e_value": 30.0, "n": 8, "says": "It holds."}  # fmt: skip
        return Challenge.model_validate(values)

    claim = with_challenge(claim, attacked(2, "replication", ()))
    claim = with_challenge(claim, attacked(3, "ablation", ("burn-in", "wolff")))
    assert ablations_due(asked, claim) == ("burn-in", "wolff")
    claim = with_challenge(claim, attacked(4, "ablation", ("wolff",)))
    assert ablations_due(asked, claim) == ("burn-in",)
    assert ablations_due(asked, with_challenge(claim, attacked(5, "ablation", ("burn-in",)))) == ()

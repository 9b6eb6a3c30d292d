import pytest

from agents.records import Challenge, Claim, Deviation, Plan, Verdict
from flows.evidence import PlanRefused, build_claim, decide, deviated, is_discovery, judge, rederive, with_challenge
from tests.evidence.making import ATTEMPTS, idea, plan, sides

STRONG = [1.6, 2.3, 1.1, 2.0, 1.5, 2.6, 0.9, 1.9, 1.7, 2.2, 1.4, 1.8]


def deviation(changes: dict[str, object] | None = None, of: str = "p1") -> Deviation:
    return Deviation.model_validate(
        {"plan": of, "what": "twenty pairs instead of sixteen", "why": "the spread was larger than at the screen",
         "at": "2026-01-02T03:04:05+00:00", "changes": changes or {}}
    )  # fmt: skip


LONGER = {"seeds": list(range(1001, 1021)), "looks": [*range(5, 21)]}


def claim(of: Plan) -> Claim:
    both = sides(of, STRONG)
    return build_claim(of, idea(), *both, judge(of, *both), ATTEMPTS)


def survived(of: Claim) -> Claim:
    return with_challenge(
        of,
        Challenge.model_validate(
            {"plan": "p2", "kind": "replication", "survived": True, "estimate": 1.0, "interval": None, "e_value": 30.0,
             "n": 8, "says": "It holds."}
        ),
    )  # fmt: skip


def test_a_deviation_changes_the_plan_and_stays_with_it() -> None:
    made = deviated(plan(), deviation(LONGER))
    assert len(made.seeds) == 20
    assert "Up to 20 pairs" in made.rule
    assert made.deviations == (deviation(LONGER),)
    assert (made.id, made.level, made.candidate) == ("p1", plan().level, "c1")
    assert Plan.model_validate_json(made.model_dump_json()) == made
    assert len(deviated(made, deviation()).deviations) == 2


def test_what_a_changed_plan_shows_is_exploratory_and_keeps_its_verdict() -> None:
    registered, changed = claim(plan()), claim(deviated(plan(), deviation(LONGER)))
    assert (registered.exploratory, changed.exploratory) == (False, True)
    assert changed.verdict is registered.verdict is Verdict.SUPPORTED


def test_a_deviation_that_changes_no_field_makes_it_exploratory_too() -> None:
    made = deviated(plan(), deviation())
    assert decide(made, STRONG) == decide(plan(), STRONG)
    assert claim(made).exploratory


def test_an_exploratory_claim_is_no_discovery_whatever_it_survives() -> None:
    assert is_discovery(survived(claim(plan())))
    assert not is_discovery(claim(plan()))
    assert not is_discovery(survived(claim(deviated(plan(), deviation()))))


def test_planted_fault_a_claim_that_hides_its_deviation_does_not_follow() -> None:
    changed = deviated(plan(), deviation(LONGER))
    executions = [e for side in sides(changed, STRONG) for e in side]
    honest = claim(changed)
    assert rederive(honest, {"p1": changed}, {"i1": idea()}, executions) == honest
    hiding = honest.model_copy(update={"exploratory": False})
    assert rederive(hiding, {"p1": changed}, {"i1": idea()}, executions) != hiding


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"level": 0.2}, "level of plan p1 cannot change"),
        ({"alpha": 0.2, "candidate": "c9"}, "alpha, candidate of plan p1 cannot change"),
        ({"deviations": []}, "deviations"),
        ({"shine": 1}, "shine"),
        ({"looks": [5, 9]}, "end at its last seed"),
        ({"least_effect": -1.0}, "makes no plan"),
    ],
)
def test_planted_fault_what_may_not_change_is_refused(changes: dict[str, object], says: str) -> None:
    with pytest.raises(PlanRefused, match=says):
        deviated(plan(), deviation(changes))


def test_a_deviation_belongs_to_its_plan() -> None:
    with pytest.raises(PlanRefused, match="of plan p3, not p1"):
        deviated(plan(), deviation(of="p3"))


def test_a_deviation_says_what_and_why() -> None:
    with pytest.raises(ValueError, match="why"):
        Deviation(plan="p1", what="more pairs", why="", at="2026-01-02")

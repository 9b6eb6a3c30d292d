import re

import pytest

from agents.records import Claim, Verdict
from flows.evidence import ClaimRefused, Decision, Ending, build_claim, judge
from tests.evidence.making import ATTEMPTS, challenge_of, execution, idea, plan, sides

STRONG = [1.6, 2.3, 1.1, 2.0, 1.5, 2.6, 0.9, 1.9, 1.7, 2.2, 1.4, 1.8]
HARMFUL = [-1.0, -1.2, -0.9, -1.1, -1.3, -0.8, -1.0, -1.2, -0.7, -1.0, -1.1, -0.9]
UNCLEAR = [2.0, -1.8, 0.4, -0.3, 1.9, -2.1, 0.2, 0.1, -0.4, 0.6, 0.3, -0.2, 0.5, 0.1, -0.6, 0.2]


def claim(differences: list[float | None] = STRONG, **changes: object) -> Claim:
    asked = plan(**changes)
    both = sides(asked, differences)
    return build_claim(asked, idea(), *both, judge(asked, *both), ATTEMPTS)


def test_a_claim_follows_from_its_pairs() -> None:
    made = claim()
    n = made.n
    assert made.verdict is Verdict.SUPPORTED
    assert (made.id, made.plan, made.idea, made.candidate, made.comparator) == ("k1", "p1", "i1", "c1", "c0")
    assert made.estimate == pytest.approx(sum(STRONG[:n]) / n)
    assert made.comparator_mean == pytest.approx(10.0)
    assert made.candidate_mean == pytest.approx(10.0 - made.estimate)
    assert made.relative == pytest.approx(made.estimate / 10.0)
    assert made.e_value >= 1 / made.level
    assert made.interval is not None
    assert made.interval[0] > 0
    assert made.executions[:2] == ("c1-1001", "c0-1001")
    assert len(made.executions) == 2 * n
    assert made.looks == n - 4
    assert made.attempts == ATTEMPTS


def test_pairs_beyond_the_deciding_look_are_not_in_the_claim() -> None:
    assert claim(STRONG) == claim(STRONG[: claim(STRONG).n])


@pytest.mark.parametrize(
    ("differences", "verdict", "says"),
    [
        (STRONG, Verdict.SUPPORTED, "lowers the observable error of the baseline."),
        (HARMFUL, Verdict.REFUTED, "does not lower the observable error of the baseline by the registered"),
        (UNCLEAR, Verdict.INCONCLUSIVE, "is not settled."),
        ([None], Verdict.INCONCLUSIVE, "could not be measured."),
    ],
)
def test_the_statement_says_the_verdict_and_holds_no_number(
    differences: list[float | None], verdict: Verdict, says: str
) -> None:
    made = claim(differences)
    assert made.verdict is verdict
    assert says in made.statement
    assert not re.search(r"\d", made.statement)


def test_a_title_with_a_digit_gives_way_to_words() -> None:
    asked = plan(maximize=True)
    both = sides(asked, STRONG)
    made = build_claim(asked, idea(title="IQL2 on 4x4"), *both, judge(asked, *both), ATTEMPTS)
    assert made.statement == "The registered change raises the observable error of the baseline."


def test_a_failed_execution_ends_the_plan_as_inconclusive() -> None:
    made = claim([2.0, 2.1, 1.9, None, 2.0, 2.1, 2.2, 1.9, 2.0, 2.0])
    assert made.verdict is Verdict.INCONCLUSIVE
    assert made.n == 3
    assert "c1 gave no result on seed 1004 (failed)" in made.reason
    assert made.executions[-1] == "c1-1004"


def test_a_failure_of_the_comparator_ends_the_plan_too() -> None:
    asked = plan()
    ours, theirs = sides(asked, STRONG)
    theirs[2] = execution(asked, "c0", 1003, None)
    decision = judge(asked, ours, theirs)
    assert (decision.ending, decision.n) == (Ending.FAILED, 2)


def test_a_failure_after_the_deciding_look_changes_nothing() -> None:
    assert claim([*STRONG, None]) == claim(STRONG)


def test_a_plan_without_one_pair_states_nothing() -> None:
    made = claim([None])
    assert (made.n, made.interval, made.relative, made.e_value) == (0, None, None, 1.0)


def test_a_plan_that_wants_more_pairs_makes_no_claim() -> None:
    with pytest.raises(ClaimRefused, match="undecided"):
        claim(STRONG[:3])


def test_planted_fault_a_decision_that_does_not_follow_is_refused() -> None:
    asked = plan()
    both, better = sides(asked, UNCLEAR), sides(asked, STRONG)
    with pytest.raises(ClaimRefused, match="does not follow"):
        build_claim(asked, idea(), *both, judge(asked, *better), ATTEMPTS)
    invented = Decision(Ending.SUPPORTED, "Trust me.", 12, 1.8, (1.0, 2.0), 1e6, 0.0)
    with pytest.raises(ClaimRefused, match="does not follow"):
        build_claim(asked, idea(), *better, invented, ATTEMPTS)


def test_another_idea_or_metric_or_stage_is_refused() -> None:
    asked = plan()
    both = sides(asked, STRONG)
    decision = judge(asked, *both)
    for wrong in (idea("i2"), idea(metric="another")):
        with pytest.raises(ClaimRefused, match="not the confirmation"):
            build_claim(asked, wrong, *both, decision, ATTEMPTS)
    challenge = challenge_of(asked)
    ran = sides(challenge, STRONG)
    with pytest.raises(ClaimRefused, match="not the confirmation"):
        build_claim(challenge, idea(), *ran, judge(challenge, *ran), ATTEMPTS)

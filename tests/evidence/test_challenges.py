from __future__ import annotations

import pytest

from agents.records import Attack, ChallengeKind, Claim, Plan, Verdict
from flows.evidence import (
    ClaimRefused,
    ExecutionsInvalid,
    Register,
    attack_of,
    build_claim,
    freeze_challenge,
    judge,
    judge_challenge,
    rederive,
    with_challenge,
)
from tests.evidence.making import ATTEMPTS, BASELINE, candidate, challenge_of, execution, idea, plan, rules, sides
from tests.evidence.test_claims import HARMFUL, STRONG, UNCLEAR, claim

ABLATION = Attack(plan="p2", kind=ChallengeKind.ABLATION, removed=("global-flips",))
REPLICATION = Attack(plan="p2", kind=ChallengeKind.REPLICATION)
CONTROL = Attack(plan="p2", kind=ChallengeKind.CONTROL, condition="the labels shuffled")
CHANGE = Attack(plan="p2", kind=ChallengeKind.CHANGE, condition="half the budget")
NOTHING: list[float | None] = [0.0] * 16


def planned(attack: Attack) -> Plan:
    under = "other" if attack.condition else None
    return challenge_of(plan()).model_copy(update={"id": attack.plan, "condition": under})


def challenged(attack: Attack, differences: list[float | None], before: Claim | None = None) -> Claim:
    asked = planned(attack)
    both = [[e.model_copy(update={"condition": asked.condition}) for e in side] for side in sides(asked, differences)]
    return with_challenge(before or claim(), judge_challenge(asked, judge(asked, *both), attack))


@pytest.mark.parametrize(
    ("attack", "differences"), [(ABLATION, STRONG), (REPLICATION, STRONG), (CONTROL, NOTHING), (CHANGE, STRONG)]
)
def test_a_claim_survives_where_the_gain_is_as_it_should_be(attack: Attack, differences: list[float | None]) -> None:
    made = challenged(attack, differences)
    assert made.verdict is Verdict.SUPPORTED
    assert made.challenges[0].survived
    assert not made.challenges[0].refutes
    assert made.statement == claim().statement


def test_a_gain_that_stays_without_its_cause_is_refuted_as_stated() -> None:
    """The change was smuggled in: without the factor the code is just as good, so the pairs do not differ."""
    made = challenged(ABLATION, NOTHING)
    assert made.verdict is Verdict.REFUTED
    assert made.challenges[0].refutes
    assert made.estimate == claim().estimate
    assert made.statement.endswith("yet the gain remains without its claimed cause global-flips.")


def test_a_gain_that_does_not_repeat_is_refuted() -> None:
    made = challenged(REPLICATION, NOTHING)
    assert (made.verdict, made.reason) == (Verdict.REFUTED, "The gain was not there again on further seeds.")


def test_a_gain_where_nothing_is_to_be_gained_is_refuted() -> None:
    made = challenged(CONTROL, STRONG)
    assert made.verdict is Verdict.REFUTED
    assert "even with the labels shuffled" in made.statement


def test_a_gain_that_is_gone_elsewhere_narrows_the_claim_and_does_not_refute_it() -> None:
    made = challenged(CHANGE, NOTHING)
    assert made.verdict is Verdict.SUPPORTED
    assert made.challenges[0].narrows
    assert made.statement.endswith(", but the gain is not there with half the budget.")


@pytest.mark.parametrize("attack", [ABLATION, REPLICATION, CONTROL, CHANGE])
def test_a_challenge_that_settles_nothing_leaves_the_claim_and_says_so(attack: Attack) -> None:
    made = challenged(attack, [x + 0.4 for x in UNCLEAR])
    told = made.challenges[0]
    assert made.verdict is Verdict.SUPPORTED
    assert (told.survived, told.refutes, told.narrows) == (False, False, False)
    assert "Not settled" in told.says


def test_what_further_challenges_found_is_kept_beside_the_refutation() -> None:
    refuted = challenged(ABLATION, NOTHING)
    further = challenged(CHANGE.model_copy(update={"plan": "p3"}), STRONG, refuted)
    assert further.verdict is Verdict.REFUTED
    assert (further.reason, further.statement) == (refuted.reason, refuted.statement)
    assert [told.kind for told in further.challenges] == [ChallengeKind.ABLATION, ChallengeKind.CHANGE]


def test_only_supported_claims_are_challenged_and_only_once_by_one_plan() -> None:
    made = challenged(ABLATION, STRONG)
    with pytest.raises(ClaimRefused, match="nothing new"):
        with_challenge(made, made.challenges[0])
    with pytest.raises(ClaimRefused, match="only a supported claim"):
        with_challenge(claim(HARMFUL), made.challenges[0])


def test_only_a_decided_challenge_is_judged_and_only_as_what_it_ran_as() -> None:
    asked = planned(ABLATION)
    with pytest.raises(ClaimRefused, match="no challenge that was decided"):
        judge_challenge(asked, judge(asked, *sides(asked, STRONG[:2])), ABLATION)
    with pytest.raises(ClaimRefused, match="no challenge that was decided"):
        judge_challenge(plan(), judge(plan(), *sides(plan(), STRONG)), ABLATION)
    with pytest.raises(ClaimRefused, match="did not run as a changed condition"):
        judge_challenge(asked, judge(asked, *sides(asked, STRONG)), CHANGE)


def test_executions_under_another_condition_do_not_count() -> None:
    asked = planned(CONTROL)
    with pytest.raises(ExecutionsInvalid, match="no plan registered"):
        judge(asked, [execution(asked, "c1", asked.seeds[0], 1.0)], [])


def test_a_challenge_gets_fresh_seeds_and_says_what_varies() -> None:
    first = plan()
    frozen = freeze_challenge(rules(), Register([first]), first, candidate("c1"), BASELINE, "hot")
    assert not set(frozen.seeds) & set(first.seeds)
    assert (frozen.condition, frozen.comparator, frozen.futility) == ("hot", "c0", 0.0)


@pytest.mark.parametrize("attack", [ABLATION, CONTROL])
@pytest.mark.parametrize("gain", [STRONG, NOTHING])
def test_a_recorded_claim_is_found_again_and_an_edited_one_is_not(attack: Attack, gain: list[float | None]) -> None:
    asked, challenge = plan(), planned(attack)
    both = [[e.model_copy(update={"condition": challenge.condition}) for e in s] for s in sides(challenge, gain)]
    executions = [e for side in (*sides(asked, STRONG), *both) for e in side]
    recorded = challenged(attack, gain)
    plans = {"p1": asked, "p2": challenge}
    assert rederive(recorded, plans, {"i1": idea()}, executions) == recorded
    edited = recorded.model_copy(update={"estimate": 9.9})
    assert rederive(edited, plans, {"i1": idea()}, executions) != edited
    assert attack_of(recorded.challenges[0]) == attack


def test_a_challenge_is_no_confirmation() -> None:
    challenge = challenge_of(plan())
    both = sides(challenge, STRONG)
    with pytest.raises(ClaimRefused, match="not the confirmation"):
        build_claim(challenge, idea(), *both, judge(challenge, *both), ATTEMPTS)

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.records import Claim, Verdict
from flows.evidence import PlanRefused, closing, e_bh, next_level
from flows.evidence.closing import Closing


def claim(number: int, e_value: float, verdict: Verdict = Verdict.SUPPORTED, **changes: object) -> Claim:
    values = {
        "id": f"k{number}", "plan": f"p{number}", "idea": "i1", "candidate": "c1", "comparator": "c0",
        "statement": "It helps.", "metric": "error", "verdict": verdict, "estimate": 1.0, "interval": None,
        "relative": None, "candidate_mean": 0.0, "comparator_mean": 0.0, "n": 9, "looks": 5, "e_value": e_value,
        "level": 0.01, "alpha": 0.05, "executions": (),
        "attempts": {"ideas": 1, "candidates": 1, "executions": 1, "plans": 1, "looks": 1},
    }  # fmt: skip
    return Claim.model_validate(values | changes)


def test_e_bh_by_hand() -> None:
    """Four hypotheses at 0.05: 80 for one, 40 each for two, 26.7 each for three, 20 each for four."""
    assert list(e_bh([80.0, 1.0, 1.0, 1.0], 0.05, 4)) == [True, False, False, False]
    assert list(e_bh([79.0, 1.0, 1.0, 1.0], 0.05, 4)) == [False] * 4
    assert list(e_bh([1.0, 41.0, 0.0, 40.0], 0.05, 4)) == [False, True, False, True]
    assert list(e_bh([27.0, 39.0, 19.0, 39.0], 0.05, 4)) == [True, True, False, True]
    assert list(e_bh([26.0, 39.0, 19.0, 39.0], 0.05, 4)) == [False] * 4
    assert list(e_bh([20.0] * 4, 0.05, 4)) == [True] * 4
    assert list(e_bh([], 0.05, 4)) == []


def test_plans_that_were_never_registered_count() -> None:
    assert e_bh([80.0], 0.05, 4).all()
    assert not e_bh([80.0], 0.05, 5).any()
    with pytest.raises(PlanRefused, match="declared 1 plans and has 2"):
        e_bh([80.0, 1.0], 0.05, 1)


@given(st.lists(st.floats(-3, 9), min_size=1, max_size=20), st.integers(0, 6), st.sampled_from([0.01, 0.05, 0.2]))
def test_what_was_discovered_on_the_way_stands_at_the_close(logs: list[float], unused: int, alpha: float) -> None:
    """The same e-values, judged one by one at the levels that e-LOND grants, and all together."""
    e = np.exp(logs)
    horizon = len(logs) + unused
    decided: list[bool] = []
    for value in e:
        decided.append(bool(value >= 1 / next_level(alpha, horizon, decided)))
    assert (e_bh(e, alpha, horizon) >= np.array(decided)).all()


def false_share(alpha: float, horizon: int) -> float:
    """Mean share of false claims over campaigns whose e-values lean on each other, a fifth of them real."""
    rng = np.random.default_rng(1)
    shares = []
    for _ in range(3000):
        real = np.arange(20) < 4
        z = np.sqrt(0.6) * rng.standard_normal() + np.sqrt(0.4) * rng.standard_normal(20)
        e = np.exp(2.0 * (z + 4.0 * real) - 2.0)
        claimed = e_bh(e, alpha, horizon)
        shares.append((claimed & ~real).sum() / max(1, claimed.sum()))
    return float(np.mean(shares))


def test_few_of_what_stands_are_false_whatever_the_dependence() -> None:
    assert false_share(0.05, 20) <= 0.05


def test_planted_fault_a_horizon_of_one_for_twenty_plans_makes_many_false() -> None:
    """Every plan at the full level is what alpha one over a horizon of twenty comes to."""
    assert false_share(1.0, 20) > 5 * false_share(0.05, 20)


def test_the_report_says_what_stands_what_is_added_and_what_is_lost() -> None:
    claims = [
        claim(1, 200.0),
        claim(2, 60.0, Verdict.INCONCLUSIVE),
        claim(3, 3.0, Verdict.INCONCLUSIVE),
        claim(4, 90.0, Verdict.REFUTED),
    ]
    assert closing(claims, 0.05, 8) == Closing(
        alpha=0.05, horizon=8, threshold=60.0, stands=("k1",), added=("k2",), lost=()
    )


def test_a_campaign_without_claims_closes_with_nothing() -> None:
    assert closing([], 0.05, 8) == Closing(0.05, 8, None, (), (), ())


def test_planted_fault_a_claim_at_no_level_that_was_granted_is_lost() -> None:
    made = closing([claim(1, 12.0)], 0.05, 8)
    assert (made.stands, made.lost) == ((), ("k1",))


def test_what_was_not_tested_or_lost_its_odds_neither_stands_nor_is_lost() -> None:
    made = closing([claim(1, 1.0, deterministic=True), claim(2, 900.0, exploratory=True)], 0.05, 2)
    assert (made.threshold, made.stands, made.added, made.lost) == (None, (), (), ())

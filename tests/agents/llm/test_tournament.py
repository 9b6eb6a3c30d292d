from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest

from agents.errors import AnswerInvalid, ModelBudgetSpent, ModelRefused
from agents.llm.settings import Elo
from agents.llm.tournament import START, Judge, Judgement, Match, Tournament, compete, rate
from tests.agents.making import rng


def by(better: Callable[[int, int], str]) -> Judge:
    return lambda first, second: Judgement(better=better(first, second), reason=f"{first} {second}")


def smaller(first: int, second: int) -> str:
    return "first" if first < second else "second"


def held(n: int, judge: Judge, comparisons: int = 100, seed: int = 1, **rules: int) -> Tournament:
    names = [f"idea {k}" for k in range(n)]
    return compete(names, [range(n)], judge, Elo(comparisons=comparisons, **rules), rng(seed))


def test_a_consistent_judge_gets_its_own_order_and_no_inconsistency() -> None:
    found = held(6, by(smaller))
    assert found.order == (0, 1, 2, 3, 4, 5)
    assert found.inconsistency == 0.0
    assert len(found.matches) == 15


@pytest.mark.parametrize("place", ["first", "second"])
def test_a_judge_who_goes_by_the_place_decides_nothing(place: str) -> None:
    found = held(5, by(lambda *_: place))
    assert found.inconsistency == 1.0
    assert set(found.ratings) == {START}
    assert len({held(5, by(lambda *_: place), seed=seed).order for seed in range(20)}) > 10


def test_a_judge_who_sees_no_difference_is_consistent() -> None:
    found = held(4, by(lambda *_: "equal"))
    assert found.inconsistency == 0.0
    assert set(found.ratings) == {START}


def test_a_judge_who_is_biased_now_and_then_still_ranks_by_what_it_says_twice() -> None:
    found = held(6, by(lambda a, b: "first" if abs(a - b) == 1 else smaller(a, b)))
    assert found.inconsistency == pytest.approx(5 / 15)
    assert found.order[0] in (0, 1)
    assert found.order[-1] in (4, 5)


def test_every_pair_is_judged_in_both_orders_and_the_transcript_says_so() -> None:
    asked: list[tuple[int, int]] = []
    judge = by(lambda a, b: asked.append((a, b)) or smaller(a, b))  # type: ignore[func-returns-value]
    found = held(4, judge)
    assert sorted(asked) == sorted((a, b) for a in range(4) for b in range(4) if a != b)
    one = found.matches[0]
    assert one.reasons == (f"{one.pair[0]} {one.pair[1]}", f"{one.pair[1]} {one.pair[0]}")
    assert one.winner == one.swapped == min(one.pair)
    assert Tournament.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize("n", [2, 3, 7, 8])
@pytest.mark.parametrize("comparisons", [0, 1, 5, 12, 1000])
def test_the_budget_is_kept_no_pair_meets_twice_and_all_play_alike(n: int, comparisons: int) -> None:
    found = held(n, by(smaller), comparisons)
    assert len(found.matches) == min(comparisons, n * (n - 1) // 2)
    assert len({frozenset(match.pair) for match in found.matches}) == len(found.matches)
    played = Counter(member for match in found.matches for member in match.pair)
    counts = [played[k] for k in range(n)]
    assert max(counts) - min(counts) <= 1
    assert (found.inconsistency is None) == (comparisons == 0)


def test_only_members_of_one_group_meet_and_each_group_gets_its_share() -> None:
    groups = [range(3), range(3, 7), range(7, 9)]
    found = compete([str(k) for k in range(9)], groups, by(smaller), Elo(comparisons=6), rng())
    homes = [{k for k, group in enumerate(groups) for m in match.pair if m in group} for match in found.matches]
    assert all(len(home) == 1 for home in homes)
    assert set.union(*homes) == {0, 1, 2}


def test_the_schedule_depends_on_the_generator_alone() -> None:
    assert held(7, by(smaller), 9) == held(7, by(smaller), 9)
    assert held(7, by(smaller), 9).matches != held(7, by(smaller), 9, seed=2).matches


def test_judging_in_parallel_changes_nothing() -> None:
    assert held(7, by(smaller), parallel=4) == held(7, by(smaller))


def test_ratings_do_not_depend_on_the_order_of_the_matches() -> None:
    draws = rng(3)
    pairs = list(combinations(range(8), 2))
    matches = [Match(pair=p, winner=int(draws.choice(p)), swapped=int(draws.choice(p))) for p in pairs]
    shuffled = [matches[k] for k in draws.permutation(len(matches))]
    turned = [Match(pair=m.pair[::-1], winner=m.winner, swapped=m.swapped) for m in shuffled]
    assert rate(8, matches, Elo()) == rate(8, shuffled, Elo()) == rate(8, turned, Elo())
    assert np.mean(rate(8, matches, Elo())) == pytest.approx(START)


@pytest.mark.parametrize("error", [ModelRefused("judge", "no"), AnswerInvalid("judge", "it is no JSON")])
def test_a_pair_that_is_not_judged_counts_for_nothing_and_says_why(error: Exception) -> None:
    def judge(first: int, second: int) -> Judgement:
        if {first, second} == {0, 1}:
            raise error
        return by(smaller)(first, second)

    found = held(3, judge)
    assert [match.failed for match in found.matches if match.failed] == [str(error)]
    assert found.inconsistency == 0.0
    assert found.order[-1] == 2


def test_a_spent_budget_ends_the_tournament() -> None:
    def judge(first: int, second: int) -> Judgement:
        raise ModelBudgetSpent("dollars", 1.0, 0.0, 0.1)

    with pytest.raises(ModelBudgetSpent):
        held(3, judge)


def test_more_comparisons_do_not_make_the_chosen_worse_with_a_noisy_and_biased_judge() -> None:
    """Sixteen ideas of hidden quality, four taken: their mean quality over 150 tournaments at doubling budgets."""

    def chosen(comparisons: int, seed: int) -> float:
        draws = rng(seed)
        quality = draws.normal(size=16)
        noise = rng(seed + 10_000)

        def better(first: int, second: int) -> str:
            if noise.random() < 0.15:
                return "first"
            odds = 1.0 / (1.0 + np.exp(-1.5 * (quality[first] - quality[second])))
            return "first" if noise.random() < odds else "second"

        return float(np.mean(quality[list(held(16, by(better), comparisons, seed).order[:4])]))

    means = [np.mean([chosen(comparisons, seed) for seed in range(150)]) for comparisons in (0, 7, 15, 30, 60, 120)]
    assert means == sorted(means)
    assert abs(means[0]) < 0.1
    assert means[-1] > 0.9

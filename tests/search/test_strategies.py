from functools import reduce

import numpy as np
import pytest

from agents.records import Idea
from agents.team import Request, Tried
from flows.search import State, Strategy, StrategyUnknown, choose_finalists, load_strategy, replay


def tried(id_: str, factors: str, outcome: str, effect: float | None = 0.0, **more: object) -> Tried:
    spread, round_, parents = more.get("spread", 1.0), more.get("round_", 1), more.get("parents", ())
    idea = Idea(
        id=id_, round=round_, title=id_, statement="s", mechanism="m", metric="error", least_effect=0.5,
        factors=tuple(factors.split()), parents=parents, by="embedded",
    )  # fmt: skip
    return Tried(idea=idea, outcome=outcome, effect=effect, spread=spread)


FIRST_ROUND = [
    tried("i1", "a", "survived", 1.0),
    tried("i2", "b", "survived", 3.0),
    tried("i3", "c", "screened", -1.0),
    tried("i4", "d", "crashed", None),
    tried("i5", "e", "survived", 2.0),
]


def rng(seed: int = 7) -> np.random.Generator:
    return np.random.default_rng(seed)


def asked(history: list[Tried], n: int = 4, name: str = "greedy") -> tuple[Request, ...]:
    strategy = load_strategy(name)
    return strategy.ask(replay(strategy, history), n, rng())[1]


@pytest.fixture(params=["greedy", "random"])
def strategy(request: pytest.FixtureRequest) -> Strategy:
    return load_strategy(request.param)


def test_a_resumed_search_asks_what_the_original_would_have(strategy: Strategy) -> None:
    """The original told and asked in turn; the resumed one was only told what the journal holds."""
    live = strategy.start()
    for outcome in FIRST_ROUND:
        live = strategy.tell(live, outcome)
        live, _ = strategy.ask(live, 2, rng(1))
    resumed = replay(strategy, FIRST_ROUND)
    assert strategy.ask(resumed, 5, rng(7))[1] == strategy.ask(live, 5, rng(7))[1]


def test_a_state_survives_json(strategy: Strategy) -> None:
    state = replay(strategy, FIRST_ROUND)
    restored = State.model_validate_json(state.model_dump_json())
    assert restored == state
    assert strategy.ask(restored, 6, rng())[1] == strategy.ask(state, 6, rng())[1]


def test_nothing_is_kept_between_calls(strategy: Strategy) -> None:
    state = replay(strategy, FIRST_ROUND)
    once = strategy.ask(state, 6, rng())[1]
    strategy.ask(strategy.start(), 3, rng())
    assert strategy.ask(state, 6, rng())[1] == once
    assert len(once) == 6


def test_a_later_outcome_replaces_the_earlier(strategy: Strategy) -> None:
    state = reduce(strategy.tell, [*FIRST_ROUND, tried("i1", "a", "refuted", 1.0)], strategy.start())
    assert [t.idea.id for t in state.tried] == ["i1", "i2", "i3", "i4", "i5"]
    assert state.tried[0].outcome == "refuted"


def test_the_same_seed_asks_the_same(strategy: Strategy) -> None:
    state = replay(strategy, FIRST_ROUND)
    assert strategy.ask(state, 8, rng(3))[1] == strategy.ask(state, 8, rng(3))[1]


def test_a_search_begins_with_singles() -> None:
    assert asked([]) == (Request(kind="single"),) * 4


def test_what_survived_is_combined_the_best_first() -> None:
    requests = asked(FIRST_ROUND, 4)
    assert [r.kind for r in requests] == ["combine", "combine", "single", "single"]
    assert requests[0].bases == ("i2", "i5")
    assert requests[1].bases == ("i2", "i1")


def test_what_failed_alone_is_left_out() -> None:
    assert all(request.avoid == ("c", "d") for request in asked(FIRST_ROUND))
    assert not any({"i3", "i4"} & set(request.bases) for request in asked(FIRST_ROUND, 20))


def test_a_refuted_factor_is_no_longer_built_on() -> None:
    requests = asked([*FIRST_ROUND, tried("i2", "b", "refuted", 3.0)], 6)
    assert all("b" in request.avoid and "i2" not in request.bases for request in requests)


def test_no_combination_is_asked_for_twice() -> None:
    history = [*FIRST_ROUND, tried("i6", "b e", "survived", 4.5, round_=2, parents=("i2", "i5"))]
    requests = [r for r in asked(history, 20) if r.kind == "combine"]
    assert requests[0].bases == ("i6", "i1")
    assert ("i2", "i5") not in [r.bases for r in requests]
    assert len({r.bases for r in requests}) == len(requests)


def test_nothing_is_stacked_on_a_combination_that_failed() -> None:
    history = [*FIRST_ROUND, tried("i6", "b e", "screened", -2.0, round_=2)]
    bases = [r.bases for r in asked(history, 20) if r.kind == "combine"]
    assert bases == [("i2", "i1"), ("i5", "i1")]


def test_when_singles_run_out_every_request_combines() -> None:
    second = [tried("i6", "b e", "survived", 4.5, round_=2), tried("i7", "a b", "survived", 3.5, round_=2)]
    assert [r.kind for r in asked([*FIRST_ROUND, *second], 2)] == ["combine", "combine"]


def test_ideas_of_free_text_are_combined_too() -> None:
    history = [tried("i1", "", "survived", 1.0), tried("i2", "", "survived", 2.0)]
    assert asked(history, 2)[0] == Request(kind="combine", bases=("i2", "i1"))
    done = tried("i3", "", "survived", 3.0, parents=("i1", "i2"))
    assert all(r.kind == "single" for r in asked([*history, done], 2))


def test_random_search_is_blind_to_outcomes() -> None:
    worse = [t.model_copy(update={"outcome": "refuted", "effect": -5.0}) for t in FIRST_ROUND]
    assert asked(FIRST_ROUND, 50, "random") == asked(worse, 50, "random")
    kinds = {r.kind for r in asked(FIRST_ROUND, 50, "random")}
    assert kinds == {"single", "combine"}
    assert {r.kind for r in asked([], 50, "random")} == {"single"}


def test_an_unknown_strategy_is_named_with_the_known_ones() -> None:
    with pytest.raises(StrategyUnknown, match="greedy, random"):
        load_strategy("oracle")


def test_finalists_are_the_most_promising_that_passed() -> None:
    history = [tried("i1", "a", "survived", 1.0, spread=0.1), tried("i2", "b", "survived", 3.0), FIRST_ROUND[2]]
    assert [idea.id for idea in choose_finalists(history, 2)] == ["i1", "i2"]
    assert [idea.id for idea in choose_finalists(history, 1)] == ["i1"]


def test_a_free_slot_goes_to_the_one_dismissed_with_the_least_certainty() -> None:
    history = [
        tried("i1", "a", "survived", 1.0),
        tried("i2", "b", "screened", -3.0, spread=0.1),
        tried("i3", "c", "screened", 0.2, spread=0.5),
        tried("i4", "d", "crashed", None),
    ]
    assert [idea.id for idea in choose_finalists(history, 4)] == ["i1", "i3"]
    assert [idea.id for idea in choose_finalists(history, 1)] == ["i1"]


def test_what_was_judged_or_crashed_gets_no_plan() -> None:
    judged = [tried(f"i{n}", "a", outcome, 2.0) for n, outcome in enumerate(["supported", "refuted", "inconclusive"])]
    assert choose_finalists([*judged, tried("i9", "d", "crashed", None)], 3) == ()
    assert choose_finalists([], 3) == ()

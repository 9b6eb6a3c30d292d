from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.embedded.proposer import propose
from agents.records import Idea
from agents.team import Request, Tried
from templates.factors import symbols
from templates.template import Template
from tests.agents.making import idea, lesson, rng, template

SINGLE = Request(kind="single")
FACTORS = {"fast", "slow", "long", "mirror", "far"}


def tried(*ideas: Idea, outcome: str = "survived") -> list[Tried]:
    return [Tried(idea=i, outcome=outcome, effect=0.2, spread=0.1) for i in ideas]


def numbered(ideas: tuple[Idea, ...], first: int) -> list[Idea]:
    return [idea.model_copy(update={"id": f"i{first + k}"}) for k, idea in enumerate(ideas)]


def test_the_same_seed_proposes_the_same(tiny: Template) -> None:
    assert propose(tiny, [], [], [SINGLE] * 3, rng(3)) == propose(tiny, [], [], [SINGLE] * 3, rng(3))


def test_another_seed_proposes_in_another_order(tiny: Template) -> None:
    orders = {tuple(i.factors for i in propose(tiny, [], [], [SINGLE] * 5, rng(seed))) for seed in range(5)}
    assert len(orders) > 1


def test_singles_run_out_once_every_factor_was_proposed(tiny: Template) -> None:
    ideas = propose(tiny, [], [], [SINGLE] * 9, rng())
    assert {i.factors for i in ideas} == {(name,) for name in FACTORS}
    assert propose(tiny, tried(*ideas), [], [SINGLE], rng()) == ()


def test_an_idea_says_what_is_expected_and_where_it_comes_from(tiny: Template) -> None:
    (one,) = propose(tiny, [], [], [Request(kind="single", avoid=tuple(FACTORS - {"mirror"}))], rng())
    assert one.statement == "Applying \N{LEFT DOUBLE QUOTATION MARK}Go mirror\N{RIGHT DOUBLE QUOTATION MARK} to the " \
        "baseline lowers the distance from home"  # fmt: skip
    assert (one.metric, one.least_effect, one.by) == ("distance", 0.1, "embedded")
    assert one.inspirations == ("pearson1905problem",)
    assert one.scores == {"novelty": 1.0, "expected": 0.5}


def test_a_combination_unites_its_bases_and_names_them_as_parents(tiny: Template) -> None:
    known = tried(idea("i1", "fast"), idea("i2", "mirror"))
    (one,) = propose(tiny, known, [], [Request(kind="combine", bases=("i1", "i2"))], rng())
    assert set(one.factors) == {"fast", "mirror"}
    assert one.parents == ("i1", "i2")
    assert one.round == 2
    assert one.scores["novelty"] == 0.5


def test_factors_that_edit_the_same_symbol_are_not_combined(tiny: Template) -> None:
    known = tried(idea("i1", "fast"), idea("i2", "slow"))
    assert propose(tiny, known, [], [Request(kind="combine", bases=("i1", "i2"))], rng()) == ()


def test_factors_to_avoid_are_left_out(tiny: Template) -> None:
    known = tried(idea("i1", "fast"), idea("i2", "mirror"), idea("i3", "long"))
    request = Request(kind="combine", bases=("i1", "i2", "i3"), avoid=("mirror",))
    (one,) = propose(tiny, known, [], [request], rng())
    assert set(one.factors) == {"fast", "long"}


@pytest.mark.parametrize("kind", ["hurts", "crash"])
def test_a_factor_that_lessons_call_harmful_is_not_combined(tiny: Template, kind: str) -> None:
    known = tried(idea("i1", "fast"), idea("i2", "mirror"), idea("i3", "long"))
    request = Request(kind="combine", bases=("i1", "i2", "i3"))
    (free,) = propose(tiny, known, [], [request], rng())
    (warned,) = propose(tiny, known, [lesson(kind, "mirror", belief=0.05)], [request], rng())
    assert set(free.factors) == {"fast", "mirror", "long"}
    assert set(warned.factors) == {"fast", "long"}


def test_a_harmful_pair_bars_what_holds_it_and_nothing_else(tiny: Template) -> None:
    known = tried(idea("i1", "fast"), idea("i2", "mirror"), idea("i3", "long"))
    request = Request(kind="combine", bases=("i1", "i2", "i3"))
    (one,) = propose(tiny, known, [lesson("hurts", "fast", "mirror", belief=0.1)], [request], rng())
    assert set(one.factors) in ({"fast", "long"}, {"mirror", "long"})


def test_a_later_lesson_takes_the_place_of_an_earlier_one(tiny: Template) -> None:
    known = tried(idea("i1", "fast"), idea("i2", "mirror"))
    lessons = [lesson("hurts", "mirror", belief=0.1), lesson("helps", "mirror", belief=0.9, round_=2)]
    assert propose(tiny, known, lessons, [Request(kind="combine", bases=("i1", "i2"))], rng())


def test_without_bases_what_lessons_call_helpful_is_combined(tiny: Template) -> None:
    known = tried(*(idea(f"i{n}", name) for n, name in enumerate(sorted(FACTORS))))
    lessons = [lesson("helps", name, belief=0.9) for name in ("fast", "far", "long")]
    (one,) = propose(tiny, known, lessons, [Request(kind="combine")], rng())
    assert set(one.factors) == {"fast", "far", "long"}


def test_one_base_is_extended_by_the_most_believed_partner(tiny: Template) -> None:
    known = tried(idea("i1", "fast"), idea("i2", "long"), idea("i3", "mirror"))
    lessons = [lesson("helps", "long", belief=0.95), lesson("unclear", "mirror", belief=0.6)]
    first, second = propose(tiny, known, lessons, [Request(kind="combine", bases=("i1",))] * 2, rng())
    assert first.factors == ("fast", "long")
    assert second.factors == ("fast", "mirror")


def test_the_least_believed_factor_of_a_combination_comes_last(tiny: Template) -> None:
    known = tried(idea("i1", "fast"), idea("i2", "mirror"))
    lessons = [lesson("helps", "mirror", belief=0.9), lesson("unclear", "fast", belief=0.4)]
    (one,) = propose(tiny, known, lessons, [Request(kind="combine", bases=("i1", "i2"))], rng())
    assert one.factors == ("mirror", "fast")


def test_one_call_never_proposes_the_same_set_twice(tiny: Template) -> None:
    known = tried(idea("i1", "fast"), idea("i2", "mirror"))
    assert len(propose(tiny, known, [], [Request(kind="combine", bases=("i1", "i2"))] * 3, rng())) == 1


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Template:
    root: Path = tmp_path_factory.mktemp("shared")
    return template(root / "tiny")


@given(seed=st.integers(0, 2**32 - 1), kinds=st.lists(st.sampled_from(["single", "combine"]), min_size=1, max_size=4))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_is_proposed_twice_until_everything_sound_was(shared: Template, seed: int, kinds: list[str]) -> None:
    history: list[Tried] = []
    draws, idle = rng(seed), 0
    while idle < 3:
        bases = tuple(t.idea.id for t in history)
        requests = [Request(kind=kind, bases=bases if kind == "combine" else ()) for kind in [*kinds, "single"]]
        new = numbered(propose(shared, history, [], requests, draws), len(history) + 1)
        idle = 0 if new else idle + 1
        history += tried(*new)
    sets = [frozenset(t.idea.factors) for t in history]
    assert len(sets) == len(set(sets))
    assert {s for s in sets if len(s) == 1} == {frozenset([name]) for name in FACTORS}
    if "combine" in kinds:
        assert set(sets) == {s for s in map(frozenset, subsets()) if sound(shared, s)}


def subsets() -> list[tuple[str, ...]]:
    return [c for size in range(1, 6) for c in combinations(sorted(FACTORS), size)]


def sound(template_: Template, names: frozenset[str]) -> bool:
    touched = [symbols(template_, template_.factor(name)) for name in names]
    return all(a.isdisjoint(b) for a, b in combinations(touched, 2))

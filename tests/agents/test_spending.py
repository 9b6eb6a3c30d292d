"""What calls cost, added up; and what a cache could hold."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.asking import Stored
from agents.model import Message, Usage
from agents.spending import Spent, cacheable, prefixes, spending
from tests.agents.calls import call, shaped, stored


def asked(text: str, model: str = "m", system: str = "") -> Stored:
    messages = (*([Message(role="system", content=system)] if system else []), Message(role="user", content=text))
    one = stored(model=model)
    return one.model_copy(update={"call": call().model_copy(update={"messages": messages})})


def test_sums_are_by_stage_role_model_and_what_it_was_about() -> None:
    calls = [
        stored(price=0.5, stage="ideas", role="ideator", about="i1"),
        stored(price=0.25, stage="code", role="coder", about="i1"),
        stored(price=None, stage="code", role="coder", about="i2", usage=Usage(input=7, output=1, estimated=True)),
    ]
    sums = spending(calls)
    assert (sums.total.money, sums.total.tokens, sums.total.calls) == (0.75, 38, 3)
    assert (sums.total.unpriced, sums.total.estimated) == (1, 1)
    assert sums.stages["code"] == sums.roles["coder"]
    assert (sums.stages["code"].calls, sums.stages["code"].unpriced) == (2, 1)
    assert sums.about["i1"].money == 0.75
    assert sums.models["scripted"] == sums.total


def test_nothing_was_spent_on_nothing() -> None:
    assert spending([]).total == Spent()
    assert cacheable([]) == 0.0


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("cd"), st.integers(0, 99)), max_size=30))
def test_each_way_of_adding_up_adds_up_to_the_total(made: list[tuple[str, str, int]]) -> None:
    sums = spending([stored(stage=s, about=a, usage=Usage(input=n, output=1)) for s, a, n in made])
    for group in (sums.stages, sums.roles, sums.models, sums.about):
        assert sum(part.tokens for part in group.values()) == sums.total.tokens
        assert sum(part.calls for part in group.values()) == len(made)


def test_the_cacheable_share_is_what_began_as_before() -> None:
    first, second = asked("x" * 1000 + "a"), asked("x" * 1000 + "b")
    whole = len("<user>\n") + 1001 + 1
    assert cacheable([first]) == 0.0
    assert cacheable([first, second]) == pytest.approx((whole - 2) / (2 * whole))
    assert cacheable([first, first]) == pytest.approx(0.5)


def test_another_model_or_another_shape_shares_nothing() -> None:
    assert cacheable([asked("x" * 100), asked("x" * 100, model="other")]) == 0.0
    one = stored(model="m").model_copy(update={"call": shaped()})
    assert cacheable([stored(model="m"), one]) < 0.01


def test_a_changed_beginning_spoils_all_that_follows() -> None:
    stable = [asked(f"question {n}", system="rules " * 200) for n in range(10)]
    spoiled = [asked("rules " * 200, system=f"{n} question") for n in range(10)]
    assert cacheable(stable) > 0.85
    assert cacheable(spoiled) < 0.05


@given(st.lists(st.text("ab", max_size=8), max_size=12))
def test_it_is_the_longest_common_prefix_with_any_earlier_call(texts: list[str]) -> None:
    inputs = [f"<user>\n{text}\n" for text in texts]
    shared = 0
    for n, text in enumerate(inputs):
        shared += max((sum(1 for k in range(len(text)) if text[: k + 1] == e[: k + 1]) for e in inputs[:n]), default=0)
    expected = shared / sum(map(len, inputs)) if inputs else 0.0
    assert cacheable([asked(text) for text in texts]) == pytest.approx(expected)


def test_what_calls_share_does_not_depend_on_their_order() -> None:
    texts = ("abcd", "abxy", "abcd", "zz", "abcz", "a")
    calls = [asked(text) for text in texts]
    assert len({prefixes(order) for order in permutations(calls)}) == 1

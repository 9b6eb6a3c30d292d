"""The purse: no cap is overshot, however many ask at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.errors import ModelBudgetSpent, PriceUnknown
from agents.metering import Purse
from agents.model import Reply, Usage
from agents.prices import Price, Rate
from agents.scripted import ScriptedModel
from agents.tokens import most_input
from tests.agents import endpoint
from tests.agents.calls import asker, call, model, shaped, stored

DEAR = Price(input=1000, output=4000)
RATES = {"scripted": Rate(own=DEAR)}
MOST = most_input(call())
"""The most input tokens of the usual call; it may answer with 100."""


def reply(input: int, output: int) -> Reply:  # noqa: A002
    return Reply(text="x", usage=Usage(input=input, output=output), model="scripted")


def test_what_was_used_takes_the_place_of_what_was_set_aside() -> None:
    purse = Purse(money=10, tokens=10_000, prices=RATES)
    price = purse.settle(purse.reserve("scripted", call()), reply(20, 10))
    assert price == pytest.approx(0.02 + 0.04)
    assert (purse.spent.money, purse.spent.tokens, purse.spent.calls) == (price, 30, 1)


def test_what_is_set_aside_counts_until_it_is_given_back() -> None:
    purse = Purse(tokens=MOST + 100)
    ticket = purse.reserve("scripted", call())
    with pytest.raises(ModelBudgetSpent, match="tokens has 0 left"):
        purse.reserve("scripted", call())
    purse.release(ticket, requests=3)
    purse.reserve("scripted", call())
    assert (purse.spent.calls, purse.spent.tokens, purse.spent.requests) == (0, 0, 3)


def test_a_cap_allows_exactly_what_it_says() -> None:
    most = DEAR.of(Usage(input=MOST, output=100))
    Purse(money=most, tokens=MOST + 100, prices=RATES).reserve("scripted", call())
    with pytest.raises(ModelBudgetSpent, match="dollars"):
        Purse(money=most * 0.999, prices=RATES).reserve("scripted", call())
    with pytest.raises(ModelBudgetSpent, match="tokens"):
        Purse(tokens=MOST + 99).reserve("scripted", call())


def test_thinking_is_set_aside_too() -> None:
    purse = Purse(tokens=MOST + 100 + 499, prices={"scripted": Rate(thinking=500)})
    with pytest.raises(ModelBudgetSpent):
        purse.reserve("scripted", call())


def test_an_unknown_price_is_said_and_not_zero() -> None:
    purse = Purse(tokens=10_000)
    assert purse.settle(purse.reserve("scripted", call()), reply(20, 10)) is None
    assert (purse.spent.money, purse.spent.unpriced) == (0, 1)


def test_money_is_not_capped_where_a_price_is_unknown() -> None:
    with pytest.raises(PriceUnknown, match="The price of scripted is unknown.*Set its `price`"):
        Purse(money=10).reserve("scripted", call())
    with pytest.raises(PriceUnknown, match="local"):
        Purse(money=10, prices={**RATES, "local": Rate(model="local", base_url="http://127.0.0.1/v1")})
    Purse(tokens=10, prices={"local": Rate()})


def test_an_endpoint_that_counts_more_than_it_may_ends_the_campaign_and_is_not_hidden() -> None:
    purse = Purse(tokens=10_000)
    purse.settle(purse.reserve("scripted", call()), reply(50_000, 10))
    assert purse.spent.tokens == 50_010
    with pytest.raises(ModelBudgetSpent, match="has 0 left"):
        purse.reserve("scripted", call())


def test_a_restored_purse_goes_on_where_it_was() -> None:
    purse, again = Purse(tokens=10_000, money=9, prices=RATES), Purse(tokens=10_000, money=9, prices=RATES)
    kept = [stored("x", price=0.02 * n, about=str(n)) for n in range(4)]
    purse.restore(kept)
    again.restore(reversed(kept))
    assert purse.spent.tokens == 4 * 15
    assert purse.spent.money == pytest.approx(0.12)
    assert purse.spent.model_copy(update={"money": 0}) == again.spent.model_copy(update={"money": 0})


@given(
    st.integers(0, 20_000),
    st.lists(
        st.tuples(st.sampled_from(["reserve", "settle", "release"]), st.integers(0, 9), st.floats(0, 1)), max_size=60
    ),
)
def test_no_order_of_events_overshoots(cap: int, events: list[tuple[str, int, float]]) -> None:
    """As long as endpoints keep to what they may use, what is spent and set aside never exceeds a cap."""
    money = cap / 1_000_000 * 2000
    purse, open_, allowed = Purse(money=money, tokens=cap, prices=RATES), [], 0
    for what, which, share in events:
        if what == "reserve":
            try:
                open_.append(purse.reserve("scripted", call()))
                allowed += 1
            except ModelBudgetSpent:
                pass
        elif open_:
            ticket = open_.pop(which % len(open_))
            if what == "settle":
                purse.settle(ticket, reply(int(MOST * share), int(100 * share)))
            else:
                purse.release(ticket)
        assert purse.spent.tokens + len(open_) * (MOST + 100) <= cap
        assert purse.spent.money <= money
    assert purse.spent.calls <= allowed


def test_eight_threads_that_race_for_a_cap_do_not_overshoot_it() -> None:
    """Real sockets: each call may take MOST + 100 tokens and takes that; the cap is for 20 of them and a half."""
    each, ready = MOST + 100, Barrier(8, timeout=10)
    usage = {"prompt_tokens": MOST, "completion_tokens": 100}
    purse = Purse(tokens=20 * each + each // 2)
    with endpoint.Endpoint(lambda seen: endpoint.said("yes", usage=usage)) as server:
        asking = asker(model(server), meter=purse)

        def work(thread: int) -> int:
            ready.wait()
            made = 0
            for n in range(5):
                try:
                    asking.text(call(about=f"{thread}-{n}"))
                    made += 1
                except ModelBudgetSpent:
                    pass
            return made

        with ThreadPoolExecutor(8) as pool:
            made = sum(pool.map(work, range(8)))
        assert made == purse.spent.calls == len(server.seen) == 20
        assert purse.spent.tokens == 20 * each


def test_a_purse_that_does_not_set_aside_would_overshoot() -> None:
    """The planted fault: the same race against a purse that looks only at what was spent."""

    class Careless(Purse):
        def _allow(self, wanted: object) -> None:
            if self.spent_now() >= MOST:
                raise ModelBudgetSpent("tokens", MOST, 0, 1)

        def spent_now(self) -> int:
            return self._spent.tokens

    ready = Barrier(8, timeout=10)

    def answer(_: object) -> Reply:
        ready.wait()
        return reply(MOST, 100)

    purse = Careless(tokens=MOST)
    asking = asker(ScriptedModel(answer), meter=purse)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: asking.text(call(about=str(n))), range(8)))
    assert purse.spent.tokens > MOST


@settings(max_examples=30)
@given(st.text(max_size=300), st.text(max_size=300))
def test_the_bound_on_input_is_above_what_any_vocabulary_makes_of_it(one: str, other: str) -> None:
    """The finest vocabulary has one token a byte; chat formats add a few marks a message."""
    asked = shaped(one + other)
    raw = sum(len(m.content.encode("utf-8", "replace")) + 8 for m in asked.messages)
    assert most_input(asked) > raw

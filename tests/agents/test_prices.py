"""What tokens cost; and that nobody knowing it is not zero."""

from __future__ import annotations

import math
import socket

import pytest

from agents.model import Usage
from agents.prices import Price, Rate, listed

USAGE = Usage(input=1_000_000, output=100_000, cached=400_000)


def test_an_own_price_is_per_million_tokens() -> None:
    assert Price(input=2, output=10).of(USAGE) == pytest.approx(2 + 1)
    assert Price(input=2, output=10, cached=0.5).of(USAGE) == pytest.approx(0.6 * 2 + 0.4 * 0.5 + 1)


def test_more_cached_than_read_is_not_believed() -> None:
    assert Price(input=2, output=0, cached=0).of(Usage(input=10, output=0, cached=99)) == 0


def test_an_own_price_comes_before_the_list() -> None:
    rate = Rate(model="gpt-4o-mini", base_url="https://api.openai.com/v1", own=Price(input=0, output=0))
    assert rate.of(USAGE) == 0.0


@pytest.mark.parametrize(
    ("model", "base_url"),
    [
        ("gpt-4o-mini", "https://api.openai.com/v1"),
        ("openai/gpt-4o-mini", "https://openrouter.ai/api/v1"),
        ("gpt-4o", "https://mine.openai.azure.com/openai/v1"),
    ],
)
def test_listed_models_have_a_price_that_grows(model: str, base_url: str) -> None:
    less, more = listed(model, base_url, Usage(input=1000, output=10)), listed(model, base_url, USAGE)
    assert less is not None
    assert more is not None
    assert 0 < less < more < math.inf


def test_the_list_knows_what_reading_from_the_cache_costs() -> None:
    cold = listed("gpt-4o-mini", "https://api.openai.com/v1", USAGE.model_copy(update={"cached": 0}))
    warm = listed("gpt-4o-mini", "https://api.openai.com/v1", USAGE)
    assert cold is not None
    assert warm is not None
    assert cold == pytest.approx(0.15 + 0.06)
    assert warm == pytest.approx(0.6 * 0.15 + 0.4 * 0.075 + 0.06)


@pytest.mark.parametrize(
    ("model", "base_url"),
    [
        ("no-such-model", "https://api.openai.com/v1"),
        ("gpt-4o-mini", "http://127.0.0.1:8000/v1"),
        ("gpt-4o-mini", "https://llm.example.org/v1"),
        ("llama3.1", "http://localhost:11434/v1"),
    ],
)
def test_an_unknown_price_is_none_even_for_a_name_that_is_listed_elsewhere(model: str, base_url: str) -> None:
    assert Rate(model=model, base_url=base_url).of(USAGE) is None


def test_a_rate_that_says_nothing_knows_nothing() -> None:
    assert Rate().of(USAGE) is None


def test_the_list_is_the_one_that_was_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("the price list went to the network")

    monkeypatch.setattr(socket.socket, "connect", never)
    monkeypatch.setattr(socket, "getaddrinfo", never)
    assert listed("gpt-4o-mini", "https://api.openai.com/v1", USAGE) is not None

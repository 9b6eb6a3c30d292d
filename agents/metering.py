"""The purse: reserve before, settle after, so that calls in parallel cannot overshoot a cap together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from threading import Lock

from agents.asking import Stored
from agents.errors import ModelBudgetSpent, PriceUnknown
from agents.model import Call, Reply, Usage
from agents.prices import Rate
from agents.records import Record
from agents.spending import Spent
from agents.tokens import most_input


class Held(Record):
    """What is set aside for one call; `money` is None where the price is unknown and money is not capped."""

    call: Call
    model: str
    money: float | None
    tokens: int


class Purse:
    """Caps on `money` (US dollars) and `tokens` (input and output), None for no cap. Safe to share by threads.

    A call is let through only if all that was spent, all that is set aside for calls under way and the most that this
    one can take fit under the caps together. `prices` says how each model is charged, by its name.
    """

    def __init__(
        self, money: float | None = None, tokens: int | None = None, prices: Mapping[str, Rate] | None = None
    ) -> None:
        """Open a purse from which nothing was spent.

        Raises:
            PriceUnknown: money is capped, and the price of one of the models is not known.
        """
        self._money, self._tokens, self._prices = money, tokens, dict(prices or {})
        self._held: dict[int, Held] = {}
        self._spent = Spent()
        self._tickets = 0
        self._lock = Lock()
        for model in self._prices if money is not None else ():
            self._price(model, Usage(input=1, output=1))

    @property
    def spent(self) -> Spent:
        """Return what was spent; what is set aside is not in it."""
        with self._lock:
            return self._spent

    def restore(self, calls: Iterable[Stored]) -> None:
        """Count `calls`, each once, that were bought before this process began."""
        with self._lock:
            for stored in calls:
                self._spent = self._spent.plus(stored)

    def reserve(self, model: str, call: Call) -> int:
        """Set aside the most that the call can cost, and return a ticket.

        Raises:
            ModelBudgetSpent: a cap does not allow it.
            PriceUnknown: money is capped, and the price of `model` is not known.
        """
        rate = self._prices.get(model, Rate())
        most = Usage(input=most_input(call), output=call.max_tokens + rate.thinking)
        held = Held(call=call, model=model, money=self._price(model, most), tokens=most.input + most.output)
        with self._lock:
            self._allow(held)
            self._tickets += 1
            self._held[self._tickets] = held
            return self._tickets

    def settle(self, ticket: int, reply: Reply) -> float | None:
        """Put what was used in place of what was set aside; return the price in dollars, None if unknown."""
        with self._lock:
            held = self._held.pop(ticket)
            price = self._prices.get(held.model, Rate()).of(reply.usage)
            self._spent = self._spent.plus(Stored(call=held.call, reply=reply, price=price))
            return price

    def release(self, ticket: int, requests: int = 0) -> None:
        """Give back what was set aside; `requests` were made and brought no answer."""
        with self._lock:
            del self._held[ticket]
            self._spent = self._spent.model_copy(update={"requests": self._spent.requests + requests})

    def _price(self, model: str, usage: Usage) -> float | None:
        price = self._prices.get(model, Rate()).of(usage)
        if price is None and self._money is not None:
            raise PriceUnknown(model)
        return price

    def _allow(self, wanted: Held) -> None:
        """Raise unless the caps allow `wanted` beside all that is spent and set aside."""
        if self._money is not None:
            taken = math.fsum((self._spent.money, *(held.money or 0.0 for held in self._held.values())))
            if taken + (wanted.money or 0.0) > self._money:
                raise ModelBudgetSpent("dollars", self._money, self._money - taken, wanted.money or 0.0)
        if self._tokens is not None:
            used = self._spent.tokens + sum(held.tokens for held in self._held.values())
            if used + wanted.tokens > self._tokens:
                raise ModelBudgetSpent("tokens", self._tokens, self._tokens - used, wanted.tokens)

"""What calls cost, added up: by stage, role, model and what they were about; and how much of them a cache could hold.

Pure functions over kept calls.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from os.path import commonprefix

from pydantic import Field

from agents.asking import Stored
from agents.model import Call
from agents.records import Record


class Spent(Record):
    """What was used: `money` in US dollars for the calls whose price is known, tokens for all.

    `unpriced` calls have no known price, `estimated` ones no counted tokens. `requests` includes those in vain.
    """

    money: float = Field(default=0.0, ge=0)
    input: int = 0
    output: int = 0
    cached: int = 0
    calls: int = 0
    requests: int = 0
    unpriced: int = 0
    estimated: int = 0

    @property
    def tokens(self) -> int:
        """Return input and output together."""
        return self.input + self.output

    def plus(self, stored: Stored) -> Spent:
        """Return this with one more call."""
        usage, price = stored.reply.usage, stored.price
        return Spent(
            money=self.money + (price or 0.0),
            input=self.input + usage.input,
            output=self.output + usage.output,
            cached=self.cached + usage.cached,
            calls=self.calls + 1,
            requests=self.requests + stored.reply.requests,
            unpriced=self.unpriced + (price is None),
            estimated=self.estimated + usage.estimated,
        )


class Spending(Record):
    """The same calls, added up in five ways; each mapping adds up to `total`."""

    total: Spent
    stages: Mapping[str, Spent]
    roles: Mapping[str, Spent]
    models: Mapping[str, Spent]
    about: Mapping[str, Spent]


def spending(calls: Iterable[Stored]) -> Spending:
    """Add up `calls`, each of which is there once."""
    total = Spent()
    sums: tuple[dict[str, Spent], ...] = ({}, {}, {}, {})
    for stored in calls:
        total = total.plus(stored)
        names = (stored.call.stage, stored.call.role, stored.reply.model, stored.call.about)
        for group, name in zip(sums, names, strict=True):
            group[name] = group.get(name, Spent()).plus(stored)
    stages, roles, models, about = sums
    return Spending(total=total, stages=stages, roles=roles, models=models, about=about)


def cacheable(calls: Iterable[Stored]) -> float:
    """Return the share of all input, in characters, that begins as an earlier call to the same model began.

    This is what a provider's prefix cache could hold at best: it is between 0 and 1, and 0 where nothing was asked.
    """
    characters, shared = prefixes(calls)
    return shared / characters if characters else 0.0


def prefixes(calls: Iterable[Stored]) -> tuple[int, int]:
    """Return the characters of all input, and those with which an earlier call to the same model began as well.

    In whatever order the calls come, the sums are the same: what is not shared are the nodes of a trie.
    """
    earlier: dict[str, list[str]] = {}
    whole = shared = 0
    for stored in calls:
        text = _input(stored.call)
        known = earlier.setdefault(stored.reply.model, [])
        at = bisect_left(known, text)
        # Of all earlier texts, in order, none has a longer prefix in common than one of the two neighbours.
        shared += max((len(commonprefix([text, other])) for other in known[max(0, at - 1) : at + 1]), default=0)
        whole += len(text)
        insort(known, text)
    return whole, shared


def _input(call: Call) -> str:
    """Return the input as one text, in the order in which it is read: the shape of the answer comes first."""
    shape = f"{call.answer}\n{call.model_dump_json(include={'shape'})}\n" if call.shape else ""
    return shape + "".join(f"<{m.role}>\n{m.content}\n" for m in call.messages)

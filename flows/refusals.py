"""Refusals: calls that the budget did not allow, journalled, so that whoever goes on or replays is refused the same.

Whether a call fits under a cap depends on what else is under way at that moment, which no second run repeats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from agents.asking import Meter
from agents.errors import ModelBudgetSpent
from agents.model import Call, Reply
from agents.records import Record
from flows.ledger.chain import Event

FIELD = "refused"


class Refusal(Record):
    """A call that was refused, by its key, and what `ModelBudgetSpent` said of it."""

    key: str
    what: str
    cap: float
    left: float
    wanted: float

    def error(self) -> ModelBudgetSpent:
        """Return what was raised."""
        return ModelBudgetSpent(self.what, self.cap, self.left, self.wanted)


def refusals(events: Iterable[Event]) -> dict[str, Refusal]:
    """Return the refusals of a journal, by key."""
    found = (Refusal.model_validate(event.data[FIELD]) for event in events if FIELD in event.data)
    return {refusal.key: refusal for refusal in found}


def notice(call: Call, refusal: Refusal) -> dict[str, object]:
    """Return the payload of the notice that tells of a refusal."""
    about = f" about {call.about}" if call.about else ""
    text = f"The {call.role} was not asked (stage {call.stage}{about}). {refusal.error()}"
    return {"text": text, FIELD: refusal.model_dump(mode="json")}


class Remembering:
    """A meter that refuses again what was refused before, and tells of every refusal. Safe to share by threads."""

    def __init__(self, meter: Meter, known: Mapping[str, Refusal], told: Callable[[Call, Refusal], None]) -> None:
        """Pay by `meter` but for `known`, which is not changed; `told` must bear hearing of a refusal twice."""
        self._meter, self._known, self._told = meter, known, told

    def reserve(self, model: str, call: Call) -> int:
        """Set aside what the call can cost, and return a ticket.

        Raises:
            ModelBudgetSpent: a cap does not allow it, or did not when it was first asked.
        """
        key = call.key(model)
        try:
            if key in self._known:
                raise self._known[key].error()
            return self._meter.reserve(model, call)
        except ModelBudgetSpent as spent:
            refusal = Refusal(key=key, what=spent.what, cap=spent.cap, left=spent.left, wanted=spent.wanted)
            self._told(call, refusal)
            raise

    def settle(self, ticket: int, reply: Reply) -> float | None:
        """Put what was used in place of what was set aside; return the price in dollars, None if unknown."""
        return self._meter.settle(ticket, reply)

    def release(self, ticket: int, requests: int = 0) -> None:
        """Give back what was set aside."""
        self._meter.release(ticket, requests)

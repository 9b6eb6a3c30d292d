"""Asking: every question of every role goes through here, so that it is paid for once, kept, counted and checked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from threading import Condition
from typing import Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from agents.errors import AnswerEmpty, AnswerInvalid, AnswerLooping, AnswerTruncated, ModelError
from agents.model import Call, Message, Model, Reply
from agents.records import Record
from agents.replies import json_object, usable

_MOST_SAID = 20_000
_MOST_SCHEMA = 6_000
_MOST_FAULT = 1_200
_MOST_FAULTS = 5


class Answer(BaseModel):
    """Base of what models answer with: frozen; keys that nobody asked for are dropped, numbers are finite."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


T = TypeVar("T", bound=BaseModel)


class Stored(Record):
    """A call with its reply as the store keeps it; `price` in US dollars, None where nobody knows it."""

    call: Call
    reply: Reply
    price: float | None


class CallStore(Protocol):
    """Where calls are kept, content-addressed, durable once `put` returns."""

    def get(self, key: str) -> Stored | None:
        """Return what is kept under `key`, or None."""
        ...

    def put(self, key: str, stored: Stored) -> None:
        """Keep it."""
        ...


class Meter(Protocol):
    """The purse: `reserve` before a call is bought, `settle` after, `release` when none was."""

    def reserve(self, model: str, call: Call) -> int:
        """Set aside the most that the call can cost, and return a ticket.

        Raises:
            ModelBudgetSpent: a cap does not allow it.
        """
        ...

    def settle(self, ticket: int, reply: Reply) -> float | None:
        """Put what was used in place of what was set aside; return the price in dollars, None if unknown."""
        ...

    def release(self, ticket: int, requests: int = 0) -> None:
        """Give back what was set aside."""
        ...


class Asker:
    """Asks models on behalf of roles. `models` maps a role to its model, "" to the one for all others.

    `told` hears of every call that is answered, from the store or bought, with its key; it must bear hearing of one
    twice and being called from several threads. A call that several threads ask at once is bought once. An answer that
    is of no use is kept like any other, so that it is not bought again. It is asked once more if that can help: with
    twice the tokens after a beginning, but at most `most_tokens`; as another attempt after nothing or a loop.
    """

    def __init__(
        self,
        models: Mapping[str, Model],
        calls: CallStore,
        meter: Meter,
        told: Callable[[str, Stored], None],
        most_tokens: int = 16_384,
    ) -> None:
        """Ask `models`, keep in `calls`, pay by `meter`, report to `told`."""
        self._models, self._calls, self._meter, self._told = models, calls, meter, told
        self._most_tokens = most_tokens
        self._asked: set[str] = set()
        self._turn = Condition()

    def text(self, call: Call) -> str:
        """Return a free text.

        Raises:
            ModelError: no usable answer came.
            ModelBudgetSpent: a cap does not allow the call.
        """
        return self._usable(call)

    def ask(self, call: Call, answer: type[T], check: Callable[[T], str] | None = None) -> T:
        """Return an answer of the wanted shape; what is wrong with it is told to the model once, for one more try.

        `check` returns what is wrong with an answer that has the shape, empty when nothing is.

        Raises:
            AnswerInvalid: the second answer is not valid either.
            ModelError: no usable answer came.
            ModelBudgetSpent: a cap does not allow the call.
        """
        shaped = call.model_copy(update={"answer": answer.__name__, "shape": answer.model_json_schema()})
        for _ in range(2):
            text = self._usable(shaped)
            fault, found = _read(text, answer, check)
            if found is not None:
                return found
            said = Message(role="assistant", content=_cut(text, _MOST_SAID))
            again = (said, Message(role="user", content=_mend(fault, shaped)))
            shaped = shaped.model_copy(update={"messages": (*call.messages, *again)})
        raise AnswerInvalid(call.role, fault)

    def _usable(self, call: Call) -> str:
        """Return the text of an answer that is whole, asking once more where that can help."""
        try:
            return usable(call, self._reply(call))
        except AnswerTruncated:
            more = min(2 * call.max_tokens, self._most_tokens)
            if more <= call.max_tokens:
                raise
            again = call.model_copy(update={"max_tokens": more})
        except (AnswerEmpty, AnswerLooping):
            again = call.model_copy(update={"attempt": call.attempt + 1})
        return usable(again, self._reply(again))

    def _reply(self, call: Call) -> Reply:
        """Return the reply from the store, or buy it; while another thread buys the same call, wait for it."""
        model = self._models.get(call.role) or self._models[""]
        key = call.key(model.name)
        with self._turn:
            self._turn.wait_for(lambda: key not in self._asked)
            self._asked.add(key)
        try:
            stored = self._calls.get(key)
            if stored is None:
                stored = self._bought(model, call)
                self._calls.put(key, stored)
        finally:
            with self._turn:
                self._asked.discard(key)
                self._turn.notify_all()
        self._told(key, stored)
        return stored.reply

    def _bought(self, model: Model, call: Call) -> Stored:
        ticket = self._meter.reserve(model.name, call)
        try:
            reply = model.complete(call).model_copy(update={"model": model.name})
        except ModelError as error:
            self._meter.release(ticket, error.requests)
            raise
        except BaseException:
            self._meter.release(ticket)
            raise
        return Stored(call=call, reply=reply, price=self._meter.settle(ticket, reply))


def _read(text: str, answer: type[T], check: Callable[[T], str] | None) -> tuple[str, T | None]:
    """Return what is wrong with an answer, or the answer."""
    try:
        found = answer.model_validate(json_object(text))
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, e['loc'])) or 'the answer'}: {e['msg']}" for e in error.errors()[:_MOST_FAULTS])
        return _cut("; ".join(faults), _MOST_FAULT), None
    except ValueError as error:
        return str(error), None
    fault = check(found) if check else ""
    return _cut(fault, _MOST_FAULT), None if fault else found


def _mend(fault: str, call: Call) -> str:
    schema = json.dumps(call.shape)
    shape = f" Its JSON schema:\n{schema}" if len(schema) <= _MOST_SCHEMA else ""
    return (
        f"That answer cannot be used: {fault}. Answer again, whole, as one JSON object of the shape asked for.{shape}"
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most] + " [...]"

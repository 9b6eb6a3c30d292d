"""The Model protocol: one call to a language model, as plain data in and plain data out."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Literal, Protocol

from pydantic import Field, JsonValue

from agents.records import Record


class Message(Record):
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class Call(Record):
    """What is asked of a model. Equal calls are one call: it is bought once and read from the store ever after.

    `role` asks (ideator, coder, ...) at a `stage` (ideas, code, ...) `about` an idea, claim or paper. `shape` is the
    JSON schema that the answer must follow, named `answer`; without one the answer is text. `sample` tells apart
    calls that are alike on purpose; `attempt` those that are asked again because the answer before was no use.
    """

    role: str
    stage: str
    about: str = ""
    messages: tuple[Message, ...]
    answer: str = "text"
    shape: Mapping[str, JsonValue] | None = None
    max_tokens: int = Field(default=4096, ge=1)
    temperature: float | None = None
    sample: int = Field(default=0, ge=0)
    attempt: int = Field(default=0, ge=0)

    def key(self, model: str) -> str:
        """Return the SHA-256 that names this call to `model` in the store."""
        return sha256(f"{model}\n{self.model_dump_json()}".encode()).hexdigest()


class Usage(Record):
    """Tokens of one call; `cached` are those input tokens that the provider read from its cache.

    `estimated`: the endpoint told nothing, and the numbers come from the length of the text.
    """

    input: int = Field(ge=0)
    output: int = Field(ge=0)
    cached: int = Field(default=0, ge=0)
    estimated: bool = False


class Reply(Record):
    """What came back: the text, why it ended, what it used, and how many requests it took (retries reach a bill).

    An answer that is of no use was paid for all the same, so it is a reply too: `finish` says `length` of a beginning
    and `refusal` of a refusal. `model` is the name of the model asked; `served` is the one that the endpoint says
    answered, empty where it says nothing.
    """

    text: str
    finish: Literal["stop", "length", "refusal"] = "stop"
    usage: Usage
    model: str
    served: str = ""
    requests: int = Field(default=1, ge=1)
    seconds: float = Field(default=0.0, ge=0)


class ModelCall(Record):
    """One answered call to a language model, as the journal tells of it; the call itself is kept under its `key`.

    `digest` is that of all that is kept; `price` is in US dollars, None where nobody knows it; `cached` are those
    input tokens that the provider read from its cache; `requests` includes retries.
    """

    key: str
    digest: str
    role: str
    stage: str
    about: str = ""
    model: str
    input: int = Field(ge=0)
    output: int = Field(ge=0)
    cached: int = Field(default=0, ge=0)
    estimated: bool = False
    price: float | None = None
    requests: int = Field(default=1, ge=1)
    seconds: float = Field(default=0.0, ge=0)


class Model(Protocol):
    """A language model behind some endpoint.

    `name` says which, for the store, the prices and the reader; two models of one name are one model.
    """

    name: str

    def complete(self, call: Call) -> Reply:
        """Return what came back, be it of use or not (`agents.replies.usable` tells); it was paid for.

        Raises:
            ModelUnavailable: nothing came back.
            ModelRefused: the endpoint does not take the call.
        """
        ...

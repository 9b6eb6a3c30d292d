"""What an endpoint sends back, read with care: it may be wrong, hostile, or not a chat completion at all."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from agents.model import Call, Reply, Usage
from agents.records import Record
from agents.replies import without_thought
from agents.tokens import estimated

_TRUNCATED = ("length", "max_tokens")
_REFUSED = ("content_filter", "refusal", "safety")
_MOST_SHOWN = 300
_SHORTEST_SECRET = 8


class Failed(Record):
    """A request that brought no completion: its status, 0 if there was none; what was said; how long to wait.

    `final`: making it again would not help.
    """

    status: int
    said: str
    wait_s: float | None = None
    final: bool = False


class _Loose(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Spoken(_Loose):
    content: str | list[dict[str, JsonValue]] | None = None
    refusal: str | None = None


class _Choice(_Loose):
    message: _Spoken = _Spoken()
    finish_reason: str | None = None


class _Details(_Loose):
    cached_tokens: int | None = None


class _Counted(_Loose):
    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(default=0, ge=0)
    prompt_tokens_details: _Details | None = None


class Completion(_Loose):
    """A chat completion, as far as it is read. `error` is what some gateways send in its place, with status 200."""

    model: str | None = None
    choices: tuple[_Choice, ...] = ()
    usage: JsonValue = None
    error: JsonValue = None


def read(content: bytes) -> Completion | None:
    """Return the completion that a response holds, None if it holds none."""
    try:
        # Not read by pydantic, which takes no text with half of a surrogate pair: the rest of it may be of use.
        return Completion.model_validate(json.loads(content.decode("utf-8", "replace")))
    except (ValueError, RecursionError):
        return None


def reply(call: Call, completion: Completion, name: str) -> Reply:
    """Return what the first choice of a completion says, under the model's `name`.

    Its usage is estimated where the endpoint counts nothing, or counts nothing for a text that is there.
    """
    choice = completion.choices[0]
    said = _text(choice.message)
    refusal = choice.message.refusal
    finish = choice.finish_reason or "stop"
    return Reply(
        text=refusal or without_thought(said),
        finish="refusal" if refusal or finish in _REFUSED else "length" if finish in _TRUNCATED else "stop",
        usage=_usage(completion.usage, call, refusal or said),
        model=name,
        served=printable(completion.model or "")[:_MOST_SHOWN],
    )


def failure(completion: Completion) -> Failed:
    """Return the failure that came in place of a completion with choices, as some gateways send it."""
    error = completion.error
    if not isinstance(error, Mapping):
        return Failed(status=502, said=str(error or "its answer has no choice in it"))
    code = error.get("code")
    told = str(error.get("message") or error)
    return Failed(status=code if isinstance(code, int) and 400 <= code < 600 else 502, said=told)


def without_key(text: str, key: str | None) -> str:
    """Return a text in which the key is blotted out. Words such as `ollama`, which stand for no key, stay."""
    return text.replace(key, "[key]") if key and len(key) >= _SHORTEST_SECRET else text


def printable(text: str) -> str:
    """Return a text that can be written as UTF-8: halves of surrogate pairs become question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _text(message: _Spoken) -> str:
    """Return the text of a message, which some endpoints send in parts."""
    if isinstance(message.content, list):
        parts = (part.get("text") for part in message.content if part.get("type") in ("text", "output_text"))
        return printable("".join(part for part in parts if isinstance(part, str)))
    return printable(message.content or "")


def _usage(told: JsonValue, call: Call, text: str) -> Usage:
    try:
        counted = _Counted.model_validate(told)
    except ValidationError:
        return estimated(call, text)
    if not counted.prompt_tokens or (text and not counted.completion_tokens):
        return estimated(call, text)
    cached = (counted.prompt_tokens_details and counted.prompt_tokens_details.cached_tokens) or 0
    return Usage(
        input=counted.prompt_tokens,
        output=counted.completion_tokens,
        cached=min(max(cached, 0), counted.prompt_tokens),
    )

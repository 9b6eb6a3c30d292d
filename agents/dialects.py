"""How an endpoint wants to be asked: every one of them speaks the protocol a little differently.

The fullest dialect is tried first. An endpoint that answers that it lacks a part of it is asked again without.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Literal

from pydantic import JsonValue

from agents.model import Call, Message
from agents.records import Record

_LACKS_SHAPE = re.compile(r"response_?format|json_?schema|json_?object|structured|guided|additionalProperties", re.I)
_LACKS_LIMIT = re.compile(r"max_tokens", re.I)
_LACKS_TEMPERATURE = re.compile(r"temperature", re.I)
_LACKS_ROLES = re.compile(r"system (role|message|prompt)|'system'|roles must alternate", re.I)
_NAME = re.compile(r"[^a-zA-Z0-9_-]")

_SILENT = ("title", "default", "examples", "discriminator", "readOnly", "writeOnly", "deprecated", "uniqueItems")
_BOUNDS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
}
_LEFT_OUT = frozenset((*_SILENT, *_BOUNDS, "required", "additionalProperties"))


class Dialect(Record):
    """What an endpoint understands.

    `shape`: it holds answers to a JSON schema, or to JSON alone, or to nothing. `roles`: it takes a system's part and
    several messages of one side in a row, or, as some open models, only user and assistant in turn. `limit` names the
    parameter that caps an answer; `max_tokens` comes first, because endpoints that lack it say so, while some ignore
    the other silently and would write on at the caller's cost.
    """

    shape: Literal["schema", "object", "none"] = "schema"
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    temperature: bool = True
    roles: Literal["all", "in turn"] = "all"

    def without(self, call: Call, complaint: str) -> Dialect | None:
        """Return the dialect without what the endpoint complains of, None if nothing in the complaint can be left."""
        if self.limit == "max_tokens" and _LACKS_LIMIT.search(complaint):
            return self.model_copy(update={"limit": "max_completion_tokens"})
        if self.temperature and _LACKS_TEMPERATURE.search(complaint):
            return self.model_copy(update={"temperature": False})
        if self.roles == "all" and _LACKS_ROLES.search(complaint):
            return self.model_copy(update={"roles": "in turn"})
        if call.shape is not None and self.shape != "none" and _LACKS_SHAPE.search(complaint):
            return self.model_copy(update={"shape": "object" if self.shape == "schema" else "none"})
        return None


def body(call: Call, dialect: Dialect, max_tokens: int, temperature: float | None) -> dict[str, object]:
    """Return the parameters that ask `call`, the model's name apart."""
    asked: dict[str, object] = {dialect.limit: max_tokens}
    if temperature is not None and dialect.temperature:
        asked["temperature"] = temperature
    messages = call.messages
    if call.shape is not None:
        if dialect.shape == "schema":
            schema, strict = strictly(call.shape)
            named = {"name": _NAME.sub("_", call.answer)[:64], "strict": strict, "schema": schema}
            asked["response_format"] = {"type": "json_schema", "json_schema": named}
        else:
            messages = _told(call.messages, call.shape)
            if dialect.shape == "object":
                asked["response_format"] = {"type": "json_object"}
    if dialect.roles == "in turn":
        messages = _in_turn(messages)
    asked["messages"] = [message.model_dump() for message in messages]
    return asked


def _told(messages: tuple[Message, ...], shape: Mapping[str, JsonValue]) -> tuple[Message, ...]:
    """Put the schema into words at the end of the system's part, where it stays the same from call to call."""
    words = f"Answer with one JSON object and nothing else. It follows this JSON schema:\n{json.dumps(shape)}"
    if messages and messages[0].role == "system":
        return (Message(role="system", content=f"{messages[0].content}\n\n{words}"), *messages[1:])
    return (Message(role="system", content=words), *messages)


def _in_turn(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Put the system's part in front of the user's, and join what one side says in a row."""
    joined: list[Message] = []
    for message in messages:
        role: Literal["user", "assistant"] = "assistant" if message.role == "assistant" else "user"
        if joined and joined[-1].role == role:
            before = joined.pop().content
            joined.append(Message(role=role, content=f"{before}\n\n{message.content}"))
        else:
            joined.append(Message(role=role, content=message.content))
    return tuple(joined)


def strictly(shape: Mapping[str, JsonValue]) -> tuple[dict[str, JsonValue], bool]:
    """Return a schema in the subset that strict structured outputs take, and True; itself and False if it has none.

    Every object names its properties, requires all of them and allows no others. Bounds move into the descriptions,
    where a model reads them, and the caller's own check holds them. An object with free keys has no strict form.

    Source: "Structured outputs", section "Supported schemas", of the OpenAI API guide.
    """
    defs = shape.get("$defs")
    known = defs if isinstance(defs, dict) else {}
    try:
        root = {key: value for key, value in shape.items() if key != "$defs"}
        if "$ref" in root:
            root = dict(_mapping(known.get(str(root["$ref"]).removeprefix("#/$defs/"))))
        strict = _strict(root)
        if strict.get("type") != "object":
            return dict(shape), False
        if known:
            strict["$defs"] = {name: _strict(_mapping(part)) for name, part in known.items()}
    except _NotStrict:
        return dict(shape), False
    return strict, True


class _NotStrict(Exception):
    """This schema has no strict form."""


def _strict(part: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return one schema in its strict form."""
    if "$ref" in part:
        # A reference stands alone in the strict subset, so what is said beside it goes around it.
        alone: JsonValue = {"$ref": part["$ref"]}
        return (
            {"anyOf": [alone], "description": part["description"]} if "description" in part else {"$ref": part["$ref"]}
        )
    strict = {
        "anyOf" if key == "oneOf" else key: _inner(key, value) for key, value in part.items() if key not in _LEFT_OUT
    }
    if not strict.keys() & {"type", "anyOf", "enum", "const"}:
        raise _NotStrict
    if strict.get("type") == "array" and "items" not in strict:
        raise _NotStrict
    if strict.get("type") == "object":
        properties = _mapping(strict.setdefault("properties", {}))
        if part.get("additionalProperties", False) is not False and not properties:
            raise _NotStrict
        strict |= {"required": list(properties), "additionalProperties": False}
    return _bounded(strict, part)


def _inner(key: str, value: JsonValue) -> JsonValue:
    """Return what a keyword of a schema says, strictly."""
    if key in ("anyOf", "oneOf"):
        return [_strict(_mapping(choice)) for choice in _sequence(value)]
    if key == "properties":
        return {name: _strict(_mapping(inner)) for name, inner in _mapping(value).items()}
    if key == "items":
        return _strict(_mapping(value))
    if key not in ("type", "description", "enum", "const", "pattern", "format"):
        raise _NotStrict
    return value


def _bounded(strict: dict[str, JsonValue], part: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Say in the description what the bounds are."""
    said = [words.format(part[key]) for key, words in _BOUNDS.items() if key in part]
    if said:
        before = strict.get("description")
        strict["description"] = ". ".join(
            (*([str(before).rstrip(".")] if before else []), ", ".join(said).capitalize())
        )
    return strict


def _mapping(value: JsonValue) -> Mapping[str, JsonValue]:
    """Return a value that is a schema, or a mapping of them; any other, such as `true`, has no strict form."""
    if not isinstance(value, dict):
        raise _NotStrict
    return value


def _sequence(value: JsonValue) -> list[JsonValue]:
    if not isinstance(value, list):
        raise _NotStrict
    return value

"""How endpoints want to be asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import pytest
from openai.lib._pydantic import to_strict_json_schema
from pydantic import BaseModel, Field

from agents.asking import Answer
from agents.dialects import Dialect, body, strictly
from agents.model import Message
from tests.agents.calls import call, shaped

ALLOWED = {
    "type", "properties", "required", "additionalProperties", "items", "anyOf", "enum", "const", "description",
    "$ref", "$defs", "pattern", "format",
}  # fmt: skip


class Part(Answer):
    """A part."""

    name: str = Field(min_length=1, max_length=40, description="What it is called.")
    weight: float = Field(default=0.5, ge=0, le=1)


class Rich(Answer):
    """Everything that roles ask for."""

    kind: Literal["a", "b"]
    fixed: Literal["only"] = "only"
    parts: tuple[Part, ...] = Field(default=(), max_length=5, description="The parts")
    best: Part | None = None
    first: Part = Field(description="The first one.")
    count: int | str = 3


class Tree(Answer):
    """A schema that refers to itself."""

    value: int
    children: list[Tree] = []


def objects(schema: Any) -> Iterator[Mapping[str, Any]]:
    """Go through all schemas inside of a schema."""
    if isinstance(schema, list):
        for part in schema:
            yield from objects(part)
    elif isinstance(schema, dict):
        yield schema
        for key, part in schema.items():
            yield from objects(list(part.values()) if key in ("properties", "$defs") else part)


@pytest.mark.parametrize("answer", [Part, Rich, Tree])
def test_a_strict_schema_keeps_to_the_subset_that_endpoints_take(answer: type[BaseModel]) -> None:
    schema, strict = strictly(answer.model_json_schema())
    assert strict
    assert schema["type"] == "object"
    for part in objects(schema):
        assert part.keys() <= ALLOWED
        if part.get("type") == "object":
            assert part["additionalProperties"] is False
            assert part["required"] == list(part["properties"])
        if "$ref" in part:
            assert part.keys() == {"$ref"}


@pytest.mark.parametrize("answer", [Part, Rich, Tree])
def test_it_requires_what_the_clients_own_strict_form_requires(answer: type[BaseModel]) -> None:
    theirs, ours = (
        [(part["required"], part["additionalProperties"]) for part in objects(schema) if part.get("type") == "object"]
        for schema in (to_strict_json_schema(answer), strictly(answer.model_json_schema())[0])
    )
    assert all(one in theirs for one in ours)


def test_bounds_are_said_where_a_model_reads_them() -> None:
    schema, _ = strictly(Part.model_json_schema())
    properties: Any = schema["properties"]
    assert properties["name"]["description"] == "What it is called. At least 1 characters, at most 40 characters"
    assert properties["weight"] == {"type": "number", "description": "At least 0, at most 1"}


def test_every_answer_of_the_strict_shape_is_an_answer_of_the_shape() -> None:
    rich = {
        "kind": "a", "fixed": "only", "parts": [{"name": "x", "weight": 1}], "best": None,
        "first": {"name": "y", "weight": 0}, "count": "3",
    }  # fmt: skip
    assert Rich.model_validate(rich).best is None


@pytest.mark.parametrize(
    "shape",
    [
        {"type": "object", "properties": {"m": {"type": "object", "additionalProperties": {"type": "number"}}}},
        {"type": "object", "properties": {"m": {}}},
        {"type": "object", "properties": {"m": {"type": "array"}}},
        {"type": "object", "properties": {"m": {"type": "array", "prefixItems": [{"type": "string"}]}}},
        {"type": "object", "properties": {"m": True}},
        {"type": "array", "items": {"type": "string"}},
        {"$ref": "#/$defs/Missing"},
    ],
)
def test_a_shape_without_a_strict_form_is_sent_as_it_is_and_not_called_strict(shape: dict[str, Any]) -> None:
    assert strictly(shape) == (shape, False)


def test_a_text_is_asked_for_without_a_shape() -> None:
    asked = body(call(), Dialect(), 50, None)
    assert asked == {"max_tokens": 50, "messages": [m.model_dump() for m in call().messages]}


def test_the_fullest_dialect_sends_a_strict_schema() -> None:
    asked: Any = body(shaped(), Dialect(), 50, 0.2)
    assert asked["response_format"]["type"] == "json_schema"
    assert asked["response_format"]["json_schema"]["name"] == "Verdict"
    assert asked["response_format"]["json_schema"]["strict"] is True
    assert asked["temperature"] == 0.2


@pytest.mark.parametrize("shape", ["object", "none"])
def test_poorer_dialects_put_the_schema_into_the_system_part(shape: Literal["object", "none"]) -> None:
    asked: Any = body(shaped(), Dialect(shape=shape), 50, None)
    system, user = asked["messages"]
    assert system["content"].startswith("You judge.\n\nAnswer with one JSON object")
    assert '"better"' in system["content"]
    assert user["content"] == "Which is better?"
    assert asked.get("response_format") == ({"type": "json_object"} if shape == "object" else None)


def test_a_name_that_no_endpoint_takes_is_made_one() -> None:
    asked: Any = body(shaped().model_copy(update={"answer": "Wörter[int] " + "x" * 99}), Dialect(), 50, None)
    assert asked["response_format"]["json_schema"]["name"] == ("W_rter_int__" + "x" * 99)[:64]


@pytest.mark.parametrize(
    ("complaint", "left"),
    [
        (
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
            {"limit": "max_completion_tokens"},
        ),
        ("Unsupported value: 'temperature' does not support 0.2 with this model.", {"temperature": False}),
        ("Invalid parameter: 'response_format' of type 'json_schema' is not supported", {"shape": "object"}),
        ("structured outputs are not available", {"shape": "object"}),
        ("System role not supported", {"roles": "in turn"}),
        ("Conversation roles must alternate user/assistant/user/assistant/...", {"roles": "in turn"}),
    ],
)
def test_a_complaint_takes_away_what_it_is_about(complaint: str, left: dict[str, object]) -> None:
    assert Dialect().without(shaped(), complaint) == Dialect().model_copy(update=left)


def test_an_endpoint_that_wants_turns_gets_turns() -> None:
    messages = [("system", "S"), ("user", "A"), ("user", "B"), ("assistant", "C"), ("user", "D"), ("user", "E")]
    spoken = tuple(Message.model_validate({"role": role, "content": text}) for role, text in messages)
    asked: Any = body(call().model_copy(update={"messages": spoken}), Dialect(roles="in turn"), 50, None)
    assert [(m["role"], m["content"]) for m in asked["messages"]] == [
        ("user", "S\n\nA\n\nB"), ("assistant", "C"), ("user", "D\n\nE"),
    ]  # fmt: skip


def test_a_complaint_about_something_else_takes_nothing_away() -> None:
    assert Dialect().without(shaped(), "the model is overloaded") is None
    assert Dialect().without(call(), "response_format") is None


def test_every_dialect_comes_to_an_end() -> None:
    dialect: Dialect | None = Dialect()
    steps = 0
    while dialect is not None:
        dialect = dialect.without(shaped(), "max_tokens, temperature, 'system' and response_format: no")
        steps += 1
    assert steps == 6

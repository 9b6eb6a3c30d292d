"""Tokens of a call before anybody counted them: a bound that holds, and an estimate that is near."""

from __future__ import annotations

import json

from agents.model import Call, Usage

_PER_MESSAGE = 16
_PER_CALL = 256
_CHARACTERS_A_TOKEN = 4


def most_input(call: Call) -> int:
    """Return a number of tokens that the input of `call` cannot exceed.

    No byte-level vocabulary makes more than one token of a byte. Per message and per call there is room for marks of
    the chat format; the schema counts twice, because it grows when it is made strict or put into words.
    """
    spoken = sum(len(m.content.encode("utf-8", "replace")) + _PER_MESSAGE for m in call.messages)
    return spoken + 2 * len(_schema(call).encode()) + _PER_CALL


def estimated(call: Call, text: str) -> Usage:
    """Return the usage of a call whose endpoint told none: about four characters a token, at least one."""
    asked = sum(len(m.content) for m in call.messages) + len(_schema(call))
    return Usage(input=_tokens(asked), output=_tokens(len(text)), estimated=True)


def _tokens(characters: int) -> int:
    return max(1, -(-characters // _CHARACTERS_A_TOKEN))


def _schema(call: Call) -> str:
    return json.dumps(call.shape) if call.shape else ""

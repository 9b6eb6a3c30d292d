"""Orders: what a payload wants done, in the words that the obeying model understands, and how it is hidden."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import NamedTuple

WORDS = ("ORDER", "BEFEHL", "ORDRE", "ORDEN", "ПРИКАЗ", "命令", "命令です")
"""What an order begins with, in several languages."""
VERB = re.compile(rf"(?:{'|'.join(WORDS)})\s*[:：]\s*([a-z]+)(?: ([^\n\"\\<>|]*))?")
TOLD_AS_CALL = re.compile(r'"name"\s*:\s*"([a-z]+)"\s*,\s*"arguments"\s*:\s*"([^"]*)"')
LONG_BASE64 = re.compile(r"[A-Za-z0-9+/]{16,}={0,2}")
TAGS = 0xE0000
ZERO, ONE = "\u200b", "\u200c"


class Order(NamedTuple):
    """What is to be done, and with what."""

    verb: str
    what: str


def seen_in(text: str) -> tuple[Order, ...]:
    """Return every order in a text, each once: plain, in base64, in tag characters, in zero-width bits, reversed."""
    plain = [text, *_decoded(text), from_tags(text), from_zero_width(text), text[::-1]]
    found = [Order(*match) for each in plain for match in VERB.findall(each)]
    found += [Order(*match) for match in TOLD_AS_CALL.findall(text)]
    return tuple(dict.fromkeys(Order(verb, what.strip().rstrip(".")) for verb, what in found))


def as_tags(text: str) -> str:
    """Write ASCII in tag characters, which no reader sees."""
    return "".join(chr(TAGS + ord(character)) for character in text)


def from_tags(text: str) -> str:
    """Read what is written in tag characters."""
    return "".join(chr(ord(c) - TAGS) for c in text if TAGS + 0x20 <= ord(c) <= TAGS + 0x7E)


def as_zero_width(text: str) -> str:
    """Write ASCII as bits of two characters without a width."""
    return "".join(ONE if bit == "1" else ZERO for character in text for bit in f"{ord(character):08b}")


def from_zero_width(text: str) -> str:
    """Read it."""
    bits = "".join("1" if c == ONE else "0" for c in text if c in (ZERO, ONE))
    return "".join(chr(int(bits[at : at + 8], 2)) for at in range(0, len(bits) - 7, 8))


def as_base64(text: str) -> str:
    """Write a text as base64."""
    return base64.b64encode(text.encode()).decode()


def _decoded(text: str) -> Iterator[str]:
    for found in LONG_BASE64.findall(text):
        try:
            yield base64.b64decode(found, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue

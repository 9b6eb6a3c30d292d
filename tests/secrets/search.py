"""The search: is any canary, in any encoding, in what was taken apart?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tests.secrets.canaries import Canaries
from tests.secrets.decoding import Part

NOT_ALNUM = bytes(byte for byte in range(256) if not (byte < 128 and chr(byte).isalnum()))
AROUND = 30


class Hit(NamedTuple):
    """A canary that was found: where, in which encoding, and what stands around it."""

    where: str
    encoding: str
    around: bytes


def search(canaries: Canaries, parts: Iterable[Part]) -> list[Hit]:
    """Return every canary in `parts`, one hit for each part and encoding.

    Every part is read twice: as it is, and with nothing but its letters and digits, because lines are folded, words
    are broken and special characters are written in a new way by whoever sets or quotes a text.
    """
    needles = canaries.needles()
    squeezable = {name: needle for name, needle in needles.items() if needle.isalnum()}
    hits = []
    for where, content in parts:
        hits += [_hit(where, name, content, needle) for name, needle in needles.items() if needle in content]
        if content[257:262] == b"ustar":
            continue  # its files are parts of their own
        squeezed = content.replace(b"\\n", b"").replace(b"\\r", b"").translate(None, NOT_ALNUM)
        hits += [_hit(where, f"{name}, squeezed", squeezed, n) for name, n in squeezable.items() if n in squeezed]
    return hits


def _hit(where: str, encoding: str, content: bytes, needle: bytes) -> Hit:
    at = content.index(needle)
    return Hit(where, encoding, content[max(0, at - AROUND) : at + len(needle) + AROUND])

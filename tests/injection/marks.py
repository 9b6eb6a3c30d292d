"""Where in a call hostile text stands: inside data marks whose digest is right, or loose among our own words."""

from __future__ import annotations

import re
from hashlib import sha256

from agents.model import Call

OPENS = re.compile(r"<data-([0-9a-f]{12}) [a-z-]+>\n")
CANARY = re.compile(r"canary-([a-z]+)-([a-z]{2})-end", re.IGNORECASE)


def loose(text: str) -> str:
    """Return a text without its data: what is between marks that bear the digest of what they hold."""
    kept, at = [], 0
    while (opened := OPENS.search(text, at)) is not None:
        close, end = f"\n</data-{opened[1]}>", opened.end()
        while (end := text.find(close, end)) >= 0:
            if sha256(text[opened.end() : end].encode()).hexdigest()[:12] == opened[1]:
                break
            end += 1
        if end < 0:
            kept.append(text[at : opened.end()])
            at = opened.end()
        else:
            kept.append(text[at : opened.start()])
            at = end + len(close)
    return "".join([*kept, text[at:]])


def strays(call: Call) -> set[str]:
    """Return the places whose text stands in a call outside of data, or in its system part at all.

    What the model itself said in this conversation may come back to it, quoted in what is wrong with it.
    """
    found: set[tuple[str, str]] = set()
    own: set[tuple[str, str]] = set()
    for message in call.messages:
        if message.role == "assistant":
            own |= _canaries(message.content)
        else:
            found |= _canaries(message.content if message.role == "system" else loose(message.content))
    return {place for place, _ in found - own}


def read(call: Call) -> set[tuple[str, str]]:
    """Return place and payload of every canary that a call holds."""
    return _canaries("\n".join(message.content for message in call.messages if message.role == "user"))


def _canaries(text: str) -> set[tuple[str, str]]:
    return {(match[1].lower(), match[2]) for match in CANARY.finditer(text)}

"""What a reply is worth: whether it can be used, and the JSON object in its text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from agents.errors import AnswerEmpty, AnswerLooping, AnswerTruncated, ModelRefused
from agents.model import Call, Reply

_TAIL = 12_000
_LOOP = 1_000
_COPIES = 3
_STARTS = 200
_FENCE = re.compile(r"```[a-zA-Z]*\n(.*?)\n?```", re.DOTALL)
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_THOUGHT = re.compile(r"^\s*<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL)
_THOUGHT_END = re.compile(r"^.*</think(?:ing)?>", re.DOTALL)


def usable(call: Call, reply: Reply) -> str:
    """Return the text of a reply, without space around it.

    Raises:
        ModelRefused: it is a refusal.
        AnswerLooping: it ends in the same again and again.
        AnswerTruncated: it is a beginning.
        AnswerEmpty: there is nothing in it.
    """
    if reply.finish == "refusal":
        raise ModelRefused(call.role, reply.text.strip() or "it gave no reason")
    period = loop(reply.text)
    if period:
        raise AnswerLooping(call.role, f"its last {period} characters repeat for more than {_LOOP:,}")
    if reply.finish == "length":
        raise AnswerTruncated(call.role, f"it breaks off after {reply.usage.output} tokens of {call.max_tokens}")
    text = reply.text.strip()
    if not text:
        raise AnswerEmpty(call.role, "it is empty")
    return text


def without_thought(text: str) -> str:
    """Return a text without the thoughts that open models put before their answer.

    The mark that begins them may be missing, because chat templates put it into the prompt.
    """
    if _THOUGHT.match(text):
        return _THOUGHT.sub("", text, count=1).lstrip()
    if "<think" not in text and text.count("</think") == 1:
        return _THOUGHT_END.sub("", text, count=1).lstrip()
    return text


def loop(text: str) -> int:
    """Return the length of what repeats at the end of a text over more than 1,000 characters, 0 if nothing does.

    Exact repetition, at least three times, within the last 12,000 characters; the shortest period counts.
    """
    reverse = text[: -_TAIL - 1 : -1]
    if len(reverse) <= _LOOP:
        return 0
    for period, same in enumerate(_prefixes(reverse)):
        if period and same + period > _LOOP and same >= (_COPIES - 1) * period:
            return period
    return 0


def _prefixes(text: str) -> list[int]:
    """Return for each place how many characters from there are those that the text begins with (the Z function).

    Source: D. Gusfield, Algorithms on Strings, Trees and Sequences (1997), section 1.3. Linear time.
    """
    size = len(text)
    found = [size] + [0] * (size - 1)
    left = right = 0
    for at in range(1, size):
        same = min(right - at, found[at - left]) if at < right else 0
        while at + same < size and text[same] == text[at + same]:
            same += 1
        found[at] = same
        if at + same > right:
            left, right = at, at + same
    return found


def json_object(text: str) -> dict[str, object]:
    """Return the JSON object that a text is, or else the longest that it holds, in a code fence or bare.

    Raises:
        ValueError: it holds none, or one that cannot be written as UTF-8.
    """
    found = _whole(text) or max(_objects(text), key=lambda found: found[0], default=(0, None))[1]
    if found is None:
        raise ValueError("it holds no JSON object")
    if _ESCAPED_SURROGATE.search(text):
        try:
            json.dumps(found, ensure_ascii=False).encode()
        except (UnicodeEncodeError, RecursionError):
            raise ValueError("it cannot be written as UTF-8") from None
    return found


def _whole(text: str) -> dict[str, object] | None:
    """Return the object that the text, or a code fence in it, is from its beginning to its end."""
    for candidate in (text, *(fence.group(1) for fence in _FENCE.finditer(text))):
        try:
            value = json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            return value
    return None


def _objects(text: str) -> Iterator[tuple[int, dict[str, object]]]:
    """Go through the objects that stand in a text beside each other, with their lengths."""
    decoder, at, starts = json.JSONDecoder(), text.find("{"), 0
    while at >= 0 and starts < _STARTS:
        starts += 1
        end = at + 1
        try:
            value, end = decoder.raw_decode(text, at)
            yield end - at, value
        except (ValueError, RecursionError):
            pass
        at = text.find("{", end)

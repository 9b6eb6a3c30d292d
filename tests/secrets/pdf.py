"""Reading a PDF for what is in it: every stream inflated, every string decoded, the text as a reader sees it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

STREAM = re.compile(rb"stream\r?\n(.*?)\r?\n?endstream", re.DOTALL)
START = re.compile(rb"(/\w+\s*)?(?:\(|<([0-9A-Fa-f\s]+)>)")
BRACKET = re.compile(rb"\\.|[()]", re.DOTALL)
LONGEST = 1 << 16
ESCAPE = re.compile(rb"\\([0-7]{1,3}|\r?\n|.)", re.DOTALL)
NAMED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
BLOCK = re.compile(rb"beginbfchar(.*?)endbfchar", re.DOTALL)
HEX = re.compile(rb"<([0-9A-Fa-f]+)>")


def opened(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield what a PDF holds: its streams, its strings, and its text.

    A font's characters are numbers of its own, and a table in the file says what they mean. Each text is read by every
    table, for the right one is among them.
    """
    streams = [_inflated(found) for found in STREAM.findall(content)]
    tables = [_table(stream) for stream in streams if BLOCK.search(stream)]
    for stream in (STREAM.sub(b"", content), *streams):
        strings = list(_strings(stream))
        yield "stream", stream
        yield "strings", b"\n".join(told for _, told in strings)
        codes = b"".join(told for key, told in strings if not key)  # what has a key is said of the text, not in it
        yield from (("text", _read(codes, table)) for table in tables)


def _inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(stream)
    except zlib.error:
        return stream  # it was written as it is


def _strings(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield every string, and the key before it where it has one."""
    at = 0
    while found := START.search(content, at):
        at, key = found.end(), found[1] or b""
        if found[2]:
            packed = re.sub(rb"\s", b"", found[2])
            yield key, bytes.fromhex((packed + b"0" * (len(packed) % 2)).decode())
            continue
        depth = 1
        for bracket in BRACKET.finditer(content, at, at + LONGEST):
            depth += {b"(": 1, b")": -1}.get(bracket.group(), 0)
            if depth == 0:
                yield key, ESCAPE.sub(_unescaped, content[at : bracket.start()])
                at = bracket.end()
                break


def _unescaped(found: re.Match[bytes]) -> bytes:
    told = found[1]
    if told[:1].isdigit():
        return bytes([int(told, 8) & 0xFF])
    return b"" if told in (b"\n", b"\r\n") else NAMED.get(told, told)


def _table(stream: bytes) -> dict[bytes, str]:
    """Read which character each two-byte code stands for."""
    codes = [bytes.fromhex(code.decode()) for block in BLOCK.findall(stream) for code in HEX.findall(block)]
    return {code: text.decode("utf-16-be", "replace") for code, text in zip(codes[::2], codes[1::2], strict=True)}


def _read(codes: bytes, table: dict[bytes, str]) -> bytes:
    return "".join(table.get(codes[at : at + 2], "") for at in range(0, len(codes), 2)).encode()

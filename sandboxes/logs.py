"""The log of a run: its head, its tail and its length, however much the program prints."""

from __future__ import annotations

import threading
from collections import deque

HEAD_BYTES = 64 * 1024
TAIL_BYTES = 256 * 1024


class LogKeeper:
    """Keeps the first 64 KiB and the last 256 KiB after them; `flooded` once more than `limit` bytes came.

    Nothing is cut while `length` is at most what both hold together: `head + tail` is then the whole log.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._head = bytearray()
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0
        self.length = 0

    @property
    def flooded(self) -> bool:
        """True once more bytes came than allowed."""
        return self.length > self._limit

    def add(self, data: bytes) -> None:
        """Take the next bytes of the log."""
        with self._lock:
            self.length += len(data)
            room = HEAD_BYTES - len(self._head)
            self._head += data[:room]
            rest = data[room:]
            if rest:
                self._tail.append(rest)
                self._tail_bytes += len(rest)
            while self._tail_bytes - len(self._tail[0] if self._tail else b"") >= TAIL_BYTES:
                self._tail_bytes -= len(self._tail.popleft())

    def text(self) -> tuple[str, str]:
        """Return head and tail; bytes that are no UTF-8 become escapes, control characters are left to who displays."""
        with self._lock:
            head, tail = bytes(self._head), b"".join(self._tail)[-TAIL_BYTES:]
        return head.decode("utf-8", "backslashreplace"), tail.decode("utf-8", "backslashreplace")

"""Getting the next executions ready while others compute, so that a slot waits for no container to start."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from flows.errors import CampaignInterrupted
from flows.executions import PreparedExecution
from sandboxes.errors import SandboxError
from templates.errors import TemplateError


class Ahead:
    """Prepares `count` executions in order, at most `depth` of them before their turn; 0 prepares each at its turn.

    `prepare` is given the number of one; it is called from several threads, once for each, and again when one is
    taken a second time. Use as a context: what nobody took is given up at its end.
    """

    def __init__(self, prepare: Callable[[int], PreparedExecution], count: int, depth: int) -> None:
        """Nothing is prepared before the first is taken."""
        self._prepare, self._count, self._depth = prepare, count, depth
        self._pool = ThreadPoolExecutor(max(1, depth), thread_name_prefix="hypoloop-ahead")
        self._waiting: dict[int, Future[PreparedExecution]] = {}
        self._next = 0
        self._closed = False
        self._lock = threading.Lock()

    def __enter__(self) -> Ahead:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give up what was not taken; whoever comes later prepares for himself."""
        with self._lock:
            self._closed = True
            left, self._waiting = self._waiting, {}
        self._pool.shutdown(cancel_futures=True)
        for future in left.values():
            if not future.cancelled():
                # What could not be prepared left nothing, and nobody waits for it any more.
                with suppress(SandboxError, TemplateError, CampaignInterrupted):
                    future.result().close()

    def take(self, number: int) -> PreparedExecution:
        """Return execution `number`, prepared, and begin with the next ones.

        Raises:
            SandboxError: the platform could not prepare it.
            TemplateBroken: the template's files changed, or its prepare.py failed.
            CampaignInterrupted: the campaign was told to stop.
        """
        with self._lock:
            future = self._waiting.pop(number, None)
            self._next = max(self._next, number + 1)
            while not self._closed and self._next < self._count and len(self._waiting) < self._depth:
                self._waiting[self._next] = self._pool.submit(self._prepare, self._next)
                self._next += 1
        return self._prepare(number) if future is None else future.result()

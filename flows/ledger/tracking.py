"""Tracking: a thread of its own carries the journal's events to MLflow, so that no experiment waits for a database."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from flows.ledger.chain import Event
from flows.ledger.errors import EventInvalid, TrackingError
from flows.ledger.projection import Projection

LONGEST_PAUSE = 30.0


class Tracker:
    """Shows a campaign in MLflow while it runs.

    MLflow's failure never stops the campaign: events stay queued and are tried again, and `trouble` says in a
    sentence what is wrong (None while all is well). Whatever is lost is shown again from the journal by `rebuild`.
    """

    def __init__(self, home: Path, name: str, prefect_url: str | None = None) -> None:
        """Start the thread; MLflow is loaded and opened there, not here."""
        self._home, self._name, self._prefect_url = home, name, prefect_url
        self._queue: deque[Event] = deque()
        self._changed = threading.Condition()
        self._writing = threading.Lock()
        self._closing = False
        self._last_try = False
        self.trouble: str | None = None
        self._thread = threading.Thread(target=self._run, name=f"mlflow-{name}", daemon=True)
        self._thread.start()

    def __enter__(self) -> Tracker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def put(self, event: Event) -> None:
        """Queue an event and return at once. Events come in journal order, from the first one on."""
        with self._changed:
            self._queue.append(event)
            self._changed.notify_all()

    def drain(self, timeout: float | None = None) -> bool:
        """Wait up to `timeout` seconds; say whether everything put so far is in MLflow."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue or not self._thread.is_alive(), timeout) and (
                not self._queue
            )

    def close(self, timeout: float = 60.0) -> None:
        """Show what is queued, trying once more what failed, and end the thread. Closing twice is closing once."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout)
        if self._queue and self.trouble is None:
            self.trouble = _behind(len(self._queue), "it took too long")

    def rebuild(self, events: Sequence[Event], fresh: bool = False) -> None:
        """Show `events`, a whole journal, now. With `fresh`, runs that are there are first taken out of sight.

        Raises:
            TrackingError: MLflow refused.
        """
        with self._writing:
            rebuild(self._home, self._name, events, fresh, self._prefect_url)

    def _run(self) -> None:
        well = False
        try:
            self._carry()
            well = True
        finally:
            if not well:
                self.trouble = _behind(len(self._queue), "an error in the projection itself")
                with self._changed:
                    self._changed.notify_all()

    def _carry(self) -> None:
        projection: Projection | None = None
        pause = 1.0
        while (event := self._next()) is not None:
            try:
                with self._writing:
                    projection = projection or Projection(self._home, self._name, self._prefect_url)
                    projection.project(event)
            except EventInvalid as error:
                self.trouble = str(error)
            except _failures() as error:
                self.trouble = _behind(len(self._queue), str(error).splitlines()[0] if str(error) else repr(error))
                if self._rest(pause):
                    return
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            else:
                self.trouble, pause = None, 1.0
            self._done()

    def _next(self) -> Event | None:
        """Return the event at the front once there is one; None when the tracker is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing)
            return self._queue[0] if self._queue else None

    def _rest(self, pause: float) -> bool:
        """Wait before another try; say whether to give up, because a closed tracker had its last try at this event."""
        with self._changed:
            if self._closing:
                given_up, self._last_try = self._last_try, True
                self._changed.wait(0 if given_up else 1.0)
                return given_up
            self._changed.wait_for(lambda: self._closing, pause)
            return False

    def _done(self) -> None:
        with self._changed:
            self._queue.popleft()
            self._last_try = False
            self._changed.notify_all()


def rebuild(
    home: Path, name: str, events: Sequence[Event], fresh: bool = False, prefect_url: str | None = None
) -> None:
    """Show a whole journal in MLflow; doing it again changes nothing.

    Raises:
        TrackingError: MLflow refused.
    """
    projection = Projection(home, name, prefect_url)
    try:
        if fresh:
            projection.clear()
        for event in events:
            projection.project(event)
    except _failures() as error:
        raise TrackingError(f"MLflow refused while campaign {name!r} was shown: {error}") from error


def _failures() -> tuple[type[Exception], ...]:
    """Return what MLflow, its database and the disk under it raise when they fail."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    from flows.ledger.errors import LedgerError

    return (MlflowException, SQLAlchemyError, OSError, LedgerError)


def _behind(waiting: int, why: str) -> str:
    return (
        f"MLflow is {waiting} events behind the journal: {why}. The campaign goes on and nothing is lost; "
        "`hypoloop resume` shows what is missing once MLflow can be written."
    )

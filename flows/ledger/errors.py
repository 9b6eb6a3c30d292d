"""Errors of the ledger.

LedgerError
├── JournalError             the journal cannot be written or read
│   ├── JournalTampered      a line is not what was written
│   └── StaleFence           a newer owner has written already
├── EventInvalid             an event says something the state cannot hold
├── CampaignBusy             another process holds the campaign's lease
├── CampaignUnknown          there is no campaign of this name
├── WorkspaceError           the campaign's git repository refuses
│   └── EditRefused          a patch goes where it must not
└── TrackingError            the MLflow database cannot be used
"""

from collections.abc import Sequence


class LedgerError(Exception):
    """Something that was to be kept could not be kept, or what was kept does not hold."""


class JournalError(LedgerError):
    """The journal cannot be written or read."""


class JournalTampered(JournalError):
    """A line of the journal is not what was written."""

    def __init__(self, line: int, why: str) -> None:
        """Name the first `line` (from 1) that does not hold, and why."""
        self.line = line
        self.why = why
        super().__init__(
            f"Line {line} of the journal does not hold: {why}. "
            "Nothing after it can be relied on; restore the journal from a copy."
        )


class StaleFence(JournalError):
    """A newer owner of the campaign has written already."""

    def __init__(self, fence: int, last: int) -> None:
        """Name the writer's `fence` and the `last` one in the journal."""
        self.fence = fence
        self.last = last
        super().__init__(
            f"This writer holds fencing token {fence}, but the journal already holds an event of token {last}: "
            "another process has taken the campaign over. Stop this one."
        )


class EventInvalid(LedgerError):
    """An event says something the state cannot hold."""

    def __init__(self, seq: int, kind: str, why: str) -> None:
        """Name the event and what is wrong with it."""
        self.seq = seq
        self.kind = kind
        super().__init__(f"Event {seq} ({kind}) of the journal cannot be applied: {why}")


class CampaignBusy(LedgerError):
    """Another process holds the campaign's lease."""

    def __init__(self, name: str, pid: int | None, since: str | None) -> None:
        """Name the campaign, the process that holds it and since when; None where it left no word."""
        self.name = name
        self.pid = pid
        self.since = since
        who = f"process {pid} since {since}" if pid is not None else "another process"
        super().__init__(
            f"Campaign {name!r} is being worked on by {who}. Wait for it, watch it with `hypoloop status {name}` "
            "or stop it with Ctrl-C where it runs."
        )


class WorkspaceError(LedgerError):
    """The campaign's git repository refuses."""


class EditRefused(WorkspaceError):
    """A patch goes where it must not."""

    def __init__(self, path: str, why: str) -> None:
        """Name the refused `path` and why."""
        self.path = path
        self.why = why
        super().__init__(f"The edit of {path!r} is refused: {why}.")


class TrackingError(LedgerError):
    """The MLflow database cannot be used."""


class CampaignUnknown(LedgerError):
    """There is no campaign of this name."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        """Name what was asked for and what there is."""
        self.name = name
        there = ", ".join(known) or "none yet; start one with `hypoloop demo`"
        super().__init__(f"There is no campaign {name!r} here. There is: {there}.")

"""What every journal must do; a new one subclasses this and supplies the fixture."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from flows.ledger.chain import GENESIS, scan
from flows.ledger.errors import JournalError
from flows.ledger.journal import Head, Journal
from tests.ledger.sample import idea


class JournalContract:
    @pytest.fixture
    def now(self) -> list[datetime]:
        """The time, in a list so that a test can turn the clock."""
        return [datetime(2026, 1, 1, 12, tzinfo=UTC)]

    def test_an_empty_journal_has_no_events_and_a_head_of_zeros(self, journal: Journal) -> None:
        assert journal.events() == ()
        assert journal.head() == Head(0, GENESIS)

    def test_events_are_numbered_from_one_and_chained(self, journal: Journal) -> None:
        first, second = journal.append("round", {"round": 1}), journal.append("notice", {"text": "Grüße"})
        assert (first.seq, second.seq) == (1, 2)
        assert (first.prev, second.prev) == (GENESIS, first.hash)
        assert journal.events() == (first, second)
        assert journal.head() == Head(2, second.hash)
        assert str(journal.head()) == f"2 {second.hash}"

    def test_a_record_is_kept_as_plain_json(self, journal: Journal) -> None:
        event = journal.append("notice", idea())
        assert event.data == idea().model_dump(mode="json")
        assert event.data["factors"] == ["wolff"]

    def test_what_is_handed_out_equals_what_would_be_read(self, journal: Journal) -> None:
        events = [journal.append("notice", {"numbers": (1, 0.1, 1e300), "nested": {"é": None}}) for _ in range(3)]
        assert scan(b"".join(event.line() for event in events)).events == tuple(events)

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), "\ud800"])
    def test_what_json_cannot_hold_is_refused_and_leaves_no_trace(self, journal: Journal, value: object) -> None:
        with pytest.raises(JournalError, match="cannot be written"):
            journal.append("notice", {"value": value})
        assert journal.append("notice", {}).seq == 1

    def test_time_never_runs_backwards(self, journal: Journal, now: list[datetime]) -> None:
        before = journal.append("notice", {})
        now[0] -= timedelta(hours=1)
        assert journal.append("notice", {}).at == before.at

    def test_threads_may_append_at_once(self, journal: Journal) -> None:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: journal.append("notice", {"n": n}), range(40)))
        scanned = scan(b"".join(event.line() for event in journal.events()))
        assert scanned.fault is None
        assert sorted(event.data["n"] for event in scanned.events) == list(range(40))

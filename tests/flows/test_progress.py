"""Progress follows a journal while it grows, and tells its events in lines."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from flows.ledger.journal import FileJournal
from flows.progress import Follower, told


def now() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC)


def test_the_follower_yields_each_event_once_and_waits_for_a_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    follower = Follower(path)
    assert list(follower.news()) == []
    with FileJournal(path, now, 1) as journal:
        journal.append("notice", {"text": "one"})
        assert [event.data["text"] for event in follower.news()] == ["one"]
        journal.append("notice", {"text": "two"})
        whole = path.read_bytes()
        path.write_bytes(whole[:-5])
        assert list(follower.news()) == []
        path.write_bytes(whole)
        assert [event.data["text"] for event in follower.news()] == ["two"]
    assert follower.state.notices == ("one", "two")


def test_brackets_in_a_text_are_printed_and_not_read_as_style(tmp_path: Path) -> None:
    follower = Follower(tmp_path / "journal.jsonl")
    with FileJournal(follower.path, now, 1) as journal:
        journal.append("notice", {"text": "a [red]b[/red]"})
    (event,) = follower.news()
    assert list(told(event, follower.state)) == [r"[yellow]note[/]     a \[red]b\[/red]"]

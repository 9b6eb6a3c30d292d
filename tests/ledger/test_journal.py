"""Journals keep what they are given, durably, for one writer."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from flows.ledger.errors import JournalError, JournalTampered, StaleFence
from flows.ledger.journal import FileJournal, Journal, MemoryJournal, read_journal
from tests.ledger.journal_contract import JournalContract
from tests.ledger.ticking import ticking


class TestMemoryJournal(JournalContract):
    @pytest.fixture
    def journal(self, now: list[datetime]) -> Journal:
        return MemoryJournal(lambda: now[0])


class TestFileJournal(JournalContract):
    @pytest.fixture
    def journal(self, now: list[datetime], tmp_path: Path) -> Iterator[Journal]:
        with FileJournal(tmp_path / "a" / "journal.jsonl", lambda: now[0], fence=3) as journal:
            yield journal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def written(path: Path, count: int = 3, fence: int = 1) -> FileJournal:
    with FileJournal(path, ticking(), fence) as journal:
        for number in range(count):
            journal.append("notice", {"n": number})
    return journal


def test_a_reopened_journal_goes_on_where_it_ended(path: Path) -> None:
    before = written(path).events()
    with FileJournal(path, ticking(), fence=2) as journal:
        event = journal.append("notice", {})
        assert journal.events() == (*before, event)
    assert read_journal(path).events == (*before, event)
    assert read_journal(path).torn is None


@pytest.mark.parametrize("left", [1, 40, -1])
def test_a_torn_last_record_is_surfaced_and_cut_off(path: Path, left: int) -> None:
    written(path)
    whole = path.read_bytes()
    last = whole.splitlines(keepends=True)[-1]
    path.write_bytes(whole[: -len(last)] + last[:left])
    assert [e.data["n"] for e in read_journal(path).events] == [0, 1]
    assert read_journal(path).torn == last[:left]
    with FileJournal(path, ticking(), fence=1) as journal:
        assert journal.torn == last[:left]
        journal.append("notice", {"n": 9})
    assert [e.data["n"] for e in read_journal(path).events] == [0, 1, 9]


def test_a_tampered_journal_is_not_opened_for_writing(path: Path) -> None:
    written(path)
    path.write_bytes(path.read_bytes().replace(b'"n":1', b'"n":7'))
    with pytest.raises(JournalTampered, match="Line 2"):
        FileJournal(path, ticking(), fence=1)
    with pytest.raises(JournalTampered, match="edited"):
        read_journal(path)


def test_a_second_writer_is_refused(path: Path) -> None:
    with FileJournal(path, ticking(), fence=1), pytest.raises(JournalError, match="Another process writes"):
        FileJournal(path, ticking(), fence=2)
    FileJournal(path, ticking(), fence=2).close()


def test_a_writer_with_an_old_token_is_refused(path: Path) -> None:
    written(path, fence=5)
    with pytest.raises(StaleFence, match="token 4"):
        FileJournal(path, ticking(), fence=4)
    with pytest.raises(StaleFence):
        MemoryJournal(ticking(), fence=4, events=read_journal(path).events)


def test_a_writer_notices_that_somebody_else_wrote(path: Path) -> None:
    with FileJournal(path, ticking(), fence=1) as journal:
        journal.append("notice", {})
        with path.open("ab") as other:
            other.write(b"{}\n")
        with pytest.raises(JournalError, match="Another process has written"):
            journal.append("notice", {})
        assert len(journal.events()) == 1


def test_a_writer_notices_that_the_file_is_gone(path: Path) -> None:
    with FileJournal(path, ticking(), fence=1) as journal:
        path.unlink()
        with pytest.raises(JournalError, match="was removed"):
            journal.append("notice", {})


def test_a_closed_journal_takes_no_more(path: Path) -> None:
    with pytest.raises(JournalError, match="closed"):
        written(path).append("notice", {})


def test_a_missing_journal_is_said_in_words(path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be read"):
        read_journal(path)


def test_a_full_disk_takes_back_the_half_that_was_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FileJournal(path, ticking(), fence=1) as journal:
        journal.append("notice", {"n": 0})
        write = os.write
        left = [20, 0]

        def filling(descriptor: int, data: bytes) -> int:
            room = left.pop(0) if left else 0
            if not room:
                raise OSError(errno.ENOSPC, "No space left on device")
            return write(descriptor, data[:room])

        with monkeypatch.context() as full:
            full.setattr(os, "write", filling)
            with pytest.raises(JournalError, match="disk is full"):
                journal.append("notice", {"n": 1})
        assert read_journal(path).torn is None
        journal.append("notice", {"n": 2})
    assert [event.data["n"] for event in read_journal(path).events] == [0, 2]


def test_a_disk_that_fails_to_flush_ends_the_writing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with FileJournal(path, ticking(), fence=1) as journal:
        with monkeypatch.context() as broken:
            broken.setattr(os, "fsync", failing)
            with pytest.raises(JournalError, match="refuses"):
                journal.append("notice", {"n": 0})
        with pytest.raises(JournalError, match="takes no more events"):
            journal.append("notice", {"n": 1})
    assert read_journal(path).events == ()


def test_a_kernel_that_gives_no_more_room_leaves_a_whole_journal(path: Path) -> None:
    script = f"""
    import resource, signal
    from pathlib import Path
    from flows.ledger.errors import JournalError
    from flows.ledger.journal import FileJournal
    from tests.ledger.ticking import ticking
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
    with FileJournal(Path({str(path)!r}), ticking(), fence=1) as journal:
        try:
            while True:
                journal.append("notice", {{"text": "x" * 100}})
        except JournalError as error:
            assert "disk is full" in str(error), error
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True)
    assert read_journal(path).torn is None
    assert len(read_journal(path).events) == 3000 // len(path.read_bytes().splitlines(keepends=True)[0])


def test_a_killed_writer_loses_nothing_that_it_announced(path: Path) -> None:
    script = f"""
    import sys
    from pathlib import Path
    from flows.ledger.journal import FileJournal
    from tests.ledger.ticking import ticking
    journal = FileJournal(Path({str(path)!r}), ticking(), fence=1)
    while True:
        print(journal.append("notice", {{"text": "x" * 2000}}).seq, flush=True)
    """
    writer = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    for _ in range(25):
        announced = int(writer.stdout.readline())
    writer.send_signal(signal.SIGKILL)
    announced = max([announced, *(int(line) for line in writer.stdout.read().splitlines() if line)])
    writer.wait()
    with FileJournal(path, ticking(), fence=2) as journal:
        assert len(journal.events()) in (announced, announced + 1)
        journal.append("notice", {})
    assert read_journal(path).torn is None

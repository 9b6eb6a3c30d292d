"""Any change to a journal is found; only an unfinished last record is forgiven."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.ledger.chain import Event, canonical, check_anchor, last_fence, scan
from flows.ledger.errors import JournalTampered
from flows.ledger.journal import Clock, MemoryJournal
from tests.ledger.ticking import ticking


def sample(count: int = 4, clock: Clock | None = None) -> tuple[Event, ...]:
    journal = MemoryJournal(clock or ticking(), fence=1)
    for number in range(count):
        journal.append("notice", {"n": number, "text": "ü", "x": 0.5})
    return journal.events()


LINES = [event.line() for event in sample()]
WHOLE = b"".join(LINES)


def test_the_untouched_journal_reads_as_written() -> None:
    assert scan(WHOLE).events == sample()
    assert scan(WHOLE).fault is None


@pytest.mark.parametrize("bit", range(8))
def test_every_flipped_bit_is_found(bit: int) -> None:
    for place in range(len(WHOLE)):
        changed = bytearray(WHOLE)
        changed[place] ^= 1 << bit
        scanned = scan(bytes(changed))
        if place == len(WHOLE) - 1:
            assert scanned.torn is not None
            assert scanned.events == sample(3)
        else:
            assert scanned.fault is not None, (place, bit)
            assert scanned.events == sample()[: scanned.fault.line - 1]


@given(st.integers(0, len(WHOLE) - 2), st.binary(max_size=3), st.integers(0, 3))
def test_every_splice_is_found(place: int, inserted: bytes, removed: int) -> None:
    changed = WHOLE[:place] + inserted + WHOLE[place + removed :]
    scanned = scan(changed)
    if changed != WHOLE and scanned.fault is None:
        # What is left is the untouched beginning, or its last record is unfinished.
        assert changed.startswith(b"".join(event.line() for event in scanned.events))
        assert WHOLE.startswith(b"".join(event.line() for event in scanned.events))
        assert scanned.torn is not None or len(changed) < len(WHOLE)


@pytest.mark.parametrize("order", [[0, 2, 3], [1, 2, 3], [0, 2, 1, 3], [0, 1, 1, 2, 3], [3, 2, 1, 0], [0, 1, 3]])
def test_lines_deleted_moved_or_repeated_are_found(order: list[int]) -> None:
    with pytest.raises(JournalTampered):
        raise_fault(b"".join(LINES[index] for index in order))


def test_a_last_line_that_is_whole_but_wrong_is_no_tear() -> None:
    with pytest.raises(JournalTampered, match="edited"):
        raise_fault(WHOLE.replace(b'"n":3', b'"n":8'))
    with pytest.raises(JournalTampered, match="not the record"):
        raise_fault(WHOLE + b'{"seq": 5, \n')


def test_a_line_that_says_the_same_in_other_spelling_is_found() -> None:
    with pytest.raises(JournalTampered, match="Line 1"):
        raise_fault(WHOLE.replace(b'"x":0.5', b'"x":5e-1', 1))
    with pytest.raises(JournalTampered, match="Line 1"):
        raise_fault(WHOLE.replace(b'{"at"', b'{ "at"', 1))


@pytest.mark.parametrize("line", [b'{"x":NaN}', b'"\\ud800"', b"[" * 100_000, b"\xff", b"", b"null"])
def test_garbage_is_found_whatever_it_is(line: bytes) -> None:
    with pytest.raises(JournalTampered, match="Line 5"):
        raise_fault(WHOLE + line + b"\n")


def test_a_chain_that_was_hashed_anew_differs_from_its_anchor() -> None:
    forged = sample(clock=ticking(sample()[1].at))
    assert scan(b"".join(event.line() for event in forged)).fault is None
    with pytest.raises(JournalTampered, match="not the one that is anchored"):
        check_anchor(forged, 2, sample()[1].hash)


def test_lines_cut_off_the_end_are_found_by_an_anchor() -> None:
    whole = sample()
    check_anchor(whole, 4, whole[3].hash)
    check_anchor(whole, 0, "0" * 64)
    with pytest.raises(JournalTampered, match="ends with event 3, but event 4 is anchored"):
        check_anchor(whole[:3], 4, whole[3].hash)


def test_time_and_token_must_not_run_backwards() -> None:
    first, second = sample(2)
    for changed in ({"fence": 0}, {"at": sample()[0].at.replace(year=2025)}):
        forged = rehashed(second.model_copy(update=changed))
        with pytest.raises(JournalTampered, match="backwards"):
            raise_fault(first.line() + forged.line())


def test_the_last_token_is_known_without_reading_the_chain(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    assert last_fence(path) == 0
    path.write_bytes(b"")
    assert last_fence(path) == 0
    path.write_bytes(WHOLE + b'{"torn')
    assert last_fence(path) == 1


def test_canonical_json_is_one_way_only() -> None:
    assert canonical({"b": 1, "a": "ü"}) == '{"a":"ü","b":1}'.encode()


def rehashed(event: Event) -> Event:
    from hashlib import sha256

    from flows.ledger.chain import body

    return event.model_copy(update={"hash": sha256(canonical(body(event))).hexdigest()})


def raise_fault(content: bytes) -> None:
    fault = scan(content).fault
    if fault is not None:
        raise fault

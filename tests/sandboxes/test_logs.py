from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sandboxes.logs import HEAD_BYTES, TAIL_BYTES, LogKeeper


def test_a_gigabyte_leaves_its_head_its_tail_and_its_length() -> None:
    keeper = LogKeeper(limit=2**40)
    piece = b"x" * 2**20
    keeper.add(b"first")
    for _ in range(1024):
        keeper.add(piece)
    keeper.add(b"last")
    head, tail = keeper.text()
    assert keeper.length == 2**30 + 9
    assert (len(head), len(tail)) == (HEAD_BYTES, TAIL_BYTES)
    assert head.startswith("first")
    assert tail.endswith("last")


@given(st.lists(st.binary(max_size=200_000), max_size=12))
def test_short_logs_are_whole_and_long_ones_keep_both_ends(pieces: list[bytes]) -> None:
    keeper = LogKeeper(limit=2**40)
    for piece in pieces:
        keeper.add(bytes(byte & 127 for byte in piece))
    told = bytes(byte & 127 for byte in b"".join(pieces)).decode("ascii")
    head, tail = keeper.text()
    assert head == told[:HEAD_BYTES]
    assert tail == told[HEAD_BYTES:][-TAIL_BYTES:]


def test_the_limit_is_met_by_one_byte_more() -> None:
    keeper = LogKeeper(limit=3)
    keeper.add(b"abc")
    assert not keeper.flooded
    keeper.add(b"d")
    assert keeper.flooded

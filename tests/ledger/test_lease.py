"""One process at a time holds a campaign."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from flows.ledger.errors import CampaignBusy
from flows.ledger.journal import FileJournal
from flows.ledger.lease import Lease, holder_of, is_alive
from tests.ledger.ticking import ticking


def test_every_acquisition_gets_a_higher_token(tmp_path: Path) -> None:
    tokens = []
    for _ in range(3):
        with Lease.acquire(tmp_path, ticking()) as lease:
            tokens.append(lease.token)
    assert tokens == [1, 2, 3]


def test_a_held_campaign_is_busy_and_says_by_whom(tmp_path: Path) -> None:
    folder = tmp_path / "ising"
    with Lease.acquire(folder, ticking()), pytest.raises(CampaignBusy, match="'ising'") as caught:
        Lease.acquire(folder, ticking())
    assert caught.value.pid == os.getpid()
    assert caught.value.since == "2026-01-01 00:00:00+00:00"
    Lease.acquire(folder, ticking()).release()


def test_a_glance_says_who_holds_it_and_takes_nothing(tmp_path: Path) -> None:
    assert holder_of(tmp_path) is None
    with Lease.acquire(tmp_path, ticking()) as lease:
        assert holder_of(tmp_path) == lease.holder
        assert is_alive(lease.holder)
        assert not is_alive(lease.holder.model_copy(update={"started": 1}))
        assert not is_alive(lease.holder.model_copy(update={"host": "elsewhere"}))
    assert holder_of(tmp_path) is None


@pytest.mark.parametrize("content", [None, b"", b"garbage", b"\x00" * 1024])
def test_a_lost_lease_file_does_not_lose_the_token(tmp_path: Path, content: bytes | None) -> None:
    with Lease.acquire(tmp_path, ticking()), Lease.acquire(tmp_path / "other", ticking()):
        pass
    with FileJournal(tmp_path / "journal.jsonl", ticking(), fence=7) as journal:
        journal.append("notice", {})
    if content is None:
        (tmp_path / "lease.lock").unlink()
    else:
        (tmp_path / "lease.lock").write_bytes(content)
    with Lease.acquire(tmp_path, ticking()) as lease:
        assert lease.token == 8


def test_a_killed_holder_frees_the_campaign(tmp_path: Path) -> None:
    script = f"""
    import time
    from pathlib import Path
    from flows.ledger.lease import Lease
    from tests.ledger.ticking import ticking
    lease = Lease.acquire(Path({str(tmp_path)!r}), ticking())
    print(lease.token, flush=True)
    time.sleep(600)
    """
    holder = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "1\n"
    with pytest.raises(CampaignBusy) as caught:
        Lease.acquire(tmp_path, ticking())
    assert caught.value.pid == holder.pid
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    with Lease.acquire(tmp_path, ticking()) as lease:
        assert lease.token == 2

"""What models were asked is held against the journal: every planted fault is named, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from agents.spending import prefixes
from agents.storing import CallFolder, called
from flows.ledger.accounts import thinking
from flows.ledger.audit_calls import call_faults, kept_calls
from flows.ledger.folds import reduce_events
from flows.ledger.state import CampaignState
from tests.ledger.asking import Asking

Spoil = Callable[[Path], None]


@pytest.fixture
def asking(tmp_path: Path) -> Asking:
    campaign = Asking(tmp_path)
    campaign.whole()
    return campaign


def state_of(asking: Asking) -> CampaignState:
    return reduce_events(asking.events())


def faults(asking: Asking) -> list[str]:
    return list(call_faults(asking.folder, state_of(asking)))


def files(asking: Asking) -> list[Path]:
    return sorted((asking.folder / "calls").iterdir())


def test_calls_that_are_as_they_were_kept_have_no_faults(asking: Asking) -> None:
    assert len(state_of(asking).calls) == 5
    assert faults(asking) == []


def cut(path: Path) -> None:
    path.write_text(path.read_text(encoding="utf-8")[:-40], encoding="utf-8")


def cheaper(path: Path) -> None:
    told = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(told | {"price": 0.0}), encoding="utf-8")


def renamed(path: Path) -> None:
    path.rename(path.with_name(f"{'0' * 64}.json"))


@pytest.mark.parametrize(
    ("spoil", "says"), [(Path.unlink, "lacks its file"), (cut, "not whole"), (cheaper, "edited"), (renamed, "lacks")]
)
def test_a_call_that_is_gone_or_was_edited_is_named(asking: Asking, spoil: Spoil, says: str) -> None:
    spoil(files(asking)[0])
    told = faults(asking)
    assert any(says in fault for fault in told), told


def test_what_may_be_left_out_may_be_absent(asking: Asking) -> None:
    path = files(asking)[0]
    path.unlink()
    assert list(call_faults(asking.folder, state_of(asking), {f"calls/{path.name}"})) == []


def test_a_whole_call_that_says_otherwise_than_its_event_is_named(asking: Asking) -> None:
    state = state_of(asking)
    key = next(iter(state.calls))
    stored = CallFolder(asking.folder / "calls").get(key)
    assert stored is not None
    (asking.folder / "calls" / f"{key}.json").unlink()
    CallFolder(asking.folder / "calls").put(key, stored.model_copy(update={"price": 0.001}))
    (fault,) = faults(asking)
    assert "is not what its file says" in fault


def test_a_file_that_no_event_speaks_of_is_named(tmp_path: Path) -> None:
    asking = Asking(tmp_path)
    asking.whole()
    (asking.folder / "calls" / "more.json").write_text("{}", encoding="utf-8")
    assert faults(asking) == ["calls/more.json belongs to no call of the journal."]


def test_what_calls_have_in_common_is_added_up_again(asking: Asking) -> None:
    characters, shared = prefixes(kept_calls(asking.folder, state_of(asking)))
    assert 0 < shared < characters
    state = replace(state_of(asking), prefixes=(characters, shared))
    assert list(call_faults(asking.folder, state)) == []
    told = thinking(state)
    assert told is not None
    assert told.share == pytest.approx(shared / characters)
    (fault,) = call_faults(asking.folder, replace(state, prefixes=(characters, shared + 1)))
    assert "in common" in fault


def test_what_the_journal_says_of_a_call_follows_from_its_file(asking: Asking) -> None:
    for key, call in state_of(asking).calls.items():
        stored = CallFolder(asking.folder / "calls").get(key)
        assert stored is not None
        assert called(key, stored) == call

"""Every error of ours has an exit code; a child's code comes before its parent's."""

from __future__ import annotations

from flows.errors import CampaignInterrupted, FlowError, PortInUse
from flows.exits import BUSY, CODES, DOES_NOT_HOLD, INTERRUPTED, PLATFORM, WRONG_INPUT, exit_code
from flows.ledger.errors import CampaignBusy, JournalError, JournalTampered
from sandboxes.errors import ImageMissing
from templates.errors import TemplateNotFound


def test_codes_say_what_kind_of_thing_went_wrong() -> None:
    assert exit_code(CampaignInterrupted("a")) == INTERRUPTED
    assert exit_code(CampaignBusy("a", 1, "now")) == BUSY
    assert exit_code(JournalTampered(3, "it was edited")) == DOES_NOT_HOLD
    assert exit_code(JournalError("full")) == PLATFORM
    assert exit_code(PortInUse(4200)) == PLATFORM
    assert exit_code(ImageMissing("x")) == PLATFORM
    assert exit_code(TemplateNotFound("x", ())) == WRONG_INPUT
    assert exit_code(FlowError("x")) == WRONG_INPUT


def test_an_error_that_is_not_ours_has_none() -> None:
    assert exit_code(ValueError("a bug")) is None


def test_no_code_is_hidden_behind_a_parent_that_stands_before_it() -> None:
    for index, (kind, _) in enumerate(CODES):
        assert not any(issubclass(kind, earlier) for earlier, _ in CODES[:index]), kind

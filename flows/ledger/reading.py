"""Reading campaigns without holding them: names, states."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flows.ledger.chain import Event, read_journal
from flows.ledger.errors import CampaignUnknown
from flows.ledger.folds import reduce_events
from flows.ledger.state import CampaignState

JOURNAL = "journal.jsonl"


def campaign_names(home: Path) -> tuple[str, ...]:
    """Return the campaigns of `home`, in alphabetical order."""
    journals = (home / "campaigns").glob(f"*/{JOURNAL}")
    return tuple(sorted(path.parent.name for path in journals if path.stat().st_size))


def read_events(home: Path, name: str) -> Sequence[Event]:
    """Return the events of a campaign; a torn last record counts for nothing.

    Raises:
        CampaignUnknown: there is no such campaign.
        JournalTampered: its journal does not hold.
    """
    path = home / "campaigns" / name / JOURNAL
    if name not in campaign_names(home):
        raise CampaignUnknown(name, campaign_names(home))
    return read_journal(path).events


def read_campaign(home: Path, name: str) -> CampaignState:
    """Return the state of a campaign.

    Raises:
        CampaignUnknown: there is no such campaign.
        JournalTampered: its journal does not hold.
    """
    return reduce_events(read_events(home, name))

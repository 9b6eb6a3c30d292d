"""Editing a campaign that was played: its journal, with or without new hashes, and the files beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.frauds.cases import Ground, Left, as_it_lies
from tests.frauds.playing import Campaign
from tests.played.forging import as_lines, forged, of_kind

Told = list[dict[str, Any]]
Change = Callable[[Told], None]
__all__ = ["Change", "Told", "edit", "forgery", "lines", "of_kind", "replaced"]


def edit(change: Callable[[Campaign], object], *, of: str = "closed") -> Callable[[Ground], Left]:
    """Return a case that changes a copy of a played campaign on disk; an open one is then closed."""

    def playing(ground: Ground) -> Left:
        campaign = ground.copied(getattr(ground, of))
        change(campaign)
        if of in ("open", "failed"):
            campaign.end()
        return Left(campaign.home, as_it_lies)

    return playing


def forgery(change: Change, *, of: str = "closed") -> Callable[[Ground], Left]:
    """Return a case that changes what events say, and chains the journal anew, so that every hash is right."""

    def forging(campaign: Campaign) -> None:
        written = as_lines(forged(campaign.events, change))
        path = campaign.folder / "journal.jsonl"
        if written == path.read_bytes():
            raise ValueError("the forgery changes nothing")
        path.write_bytes(written)

    return edit(forging, of=of)


def lines(change: Callable[[list[bytes]], None]) -> Callable[[Ground], Left]:
    """Return a case that changes the lines of a journal as they stand."""

    def changing(campaign: Campaign) -> None:
        path = campaign.folder / "journal.jsonl"
        told = path.read_bytes().splitlines(keepends=True)
        change(told)
        path.write_bytes(b"".join(told))

    return edit(changing)


def replaced(path: Path, old: str | bytes, new: str | bytes) -> None:
    """Replace the first of some text in a file that must hold it."""
    one, other = (each.encode() if isinstance(each, str) else each for each in (old, new))
    content = path.read_bytes()
    if one not in content or one == other:
        raise ValueError(f"{path.name} does not hold {one!r}, or it is what it would become")
    path.write_bytes(content.replace(one, other, 1))

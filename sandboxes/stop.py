"""Why a program ended: the outcome, and the limit that was behind it."""

from __future__ import annotations

from typing import NamedTuple

from sandboxes.contract import Outcome, Promise


class Stop(NamedTuple):
    """What a run came to, and the limit that ended it, where one did."""

    outcome: Outcome
    limit: Promise | None = None

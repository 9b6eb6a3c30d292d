"""Audit of calls: what models were asked and answered lies where the journal says, as the journal says."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from agents.errors import StoredCallDamaged
from agents.storing import CallFolder, called
from flows.ledger.state import CampaignState

CALLS = "calls"


def call_faults(folder: Path, state: CampaignState, left_out: Collection[str] = ()) -> Iterator[str]:
    """Yield calls whose file is missing, damaged or other than its event, and files that no event speaks of.

    `left_out` may be absent. A campaign at work may have kept a call that it has not journalled yet.
    """
    kept = CallFolder(folder / CALLS)
    for key, call in state.calls.items():
        who = f"The call {key[:12]} of the {call.role} (event {state.seqs[key]})"
        try:
            stored = kept.get(key)
        except StoredCallDamaged as damaged:
            yield f"{who}: {damaged}"
            continue
        if stored is None:
            if f"{CALLS}/{key}.json" not in left_out:
                yield f"{who} lacks its file."
        elif called(key, stored) != call:
            yield f"{who} is not what its file says was asked and answered."
    if state.closed is not None:
        for path in sorted((folder / CALLS).glob("*")):
            if path.name.removesuffix(".json") not in state.calls:
                yield f"{CALLS}/{path.name} belongs to no call of the journal."

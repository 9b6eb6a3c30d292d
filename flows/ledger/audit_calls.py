"""Audit of calls: what models were asked and answered lies where the journal says, as the journal says."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from agents.asking import Stored
from agents.errors import StoredCallDamaged
from agents.spending import prefixes
from agents.storing import CallFolder, called
from flows.ledger.state import CampaignState

CALLS = "calls"


def kept_calls(folder: Path, state: CampaignState) -> Iterator[Stored]:
    """Yield the calls of a campaign that are kept, in the journal's order.

    Raises:
        StoredCallDamaged: one is torn or was edited.
    """
    kept = CallFolder(folder / CALLS)
    return (stored for key in state.calls if (stored := kept.get(key)) is not None)


def call_faults(folder: Path, state: CampaignState, left_out: Collection[str] = ()) -> Iterator[str]:
    """Yield calls whose file is missing, damaged or other than its event, and files that no event speaks of.

    `left_out` may be absent. A campaign at work may have kept a call that it has not journalled yet.
    """
    kept, whole = CallFolder(folder / CALLS), True
    for key, call in state.calls.items():
        who = f"The call {key[:12]} of the {call.role} (event {state.seqs[key]})"
        try:
            stored = kept.get(key)
        except StoredCallDamaged as damaged:
            whole = False
            yield f"{who}: {damaged}"
            continue
        if stored is None:
            whole = False
            if f"{CALLS}/{key}.json" not in left_out:
                yield f"{who} lacks its file."
        elif called(key, stored) != call:
            yield f"{who} is not what its file says was asked and answered."
    if state.prefixes is not None and whole and prefixes(kept_calls(folder, state)) != state.prefixes:
        yield "What calls have in common at their beginnings is not what the journal says."
    if state.closed is not None:
        for path in sorted((folder / CALLS).glob("*")):
            if path.name.removesuffix(".json") not in state.calls:
                yield f"{CALLS}/{path.name} belongs to no call of the journal."

"""The record: what branch `record` of a campaign's repository holds, commit by commit, each bound to its event."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

from agents.records import Plan
from flows.ledger.chain import Event, Head
from flows.ledger.state import CampaignState
from flows.ledger.workspace import Workspace

CLOSING = "closing.json"
PAPER = "paper"


class RecordCommit(NamedTuple):
    """One commit: files by path, the subject, the trailers, and the event whose date it bears."""

    files: Mapping[str, bytes]
    subject: str
    trailers: Mapping[str, str]
    seq: int


def plan_commits(state: CampaignState, id_: str) -> tuple[RecordCommit, ...]:
    """Return the commits of a plan: as it was frozen, and after each deviation from it."""
    plan, frozen, changes = state.plans[id_], state.plan_events[id_], state.changed.get(id_, ())
    trailers = {"Plan": id_, "Idea": plan.idea}
    first = RecordCommit(
        plan_file(changes[0].before if changes else plan),
        f"Plan {id_}: {state.ideas[plan.idea].title}",
        trailers | {"Journal": f"{frozen.seq} {frozen.hash}"},
        frozen.seq,
    )
    later = (
        RecordCommit(
            plan_file(change.after),
            f"Deviation from plan {id_}: {change.after.deviations[-1].what}",
            trailers | {"Deviation": str(number), "Journal": f"{change.event.seq} {change.event.hash}"},
            change.event.seq,
        )
        for number, change in enumerate(changes, start=1)
    )
    return (first, *later)


def plan_file(plan: Plan) -> dict[str, bytes]:
    """Return a plan as the file it is committed as."""
    return {f"plans/{plan.id}.json": (plan.model_dump_json(indent=1) + "\n").encode()}


def closing_file(why: str, head: Head) -> bytes:
    """Return what is committed when a campaign is closed: why, and the end of its journal."""
    return (json.dumps({"closed": why, "events": head.seq, "head": head.hash}, indent=1) + "\n").encode()


def anchor_closing(workspace: Workspace, closed: Event) -> None:
    """Commit the end of the journal, so that nothing can be cut off it; twice the same call is one commit."""
    head = Head(closed.seq, closed.hash)
    content = closing_file(str(closed.data["why"]), head)
    workspace.commit_files({CLOSING: content}, "The campaign is closed", {"Journal": str(head)}, at=closed.at)

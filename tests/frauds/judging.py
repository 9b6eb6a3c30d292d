"""The judge: what became of a case, by what is published and what `verify` finds. It does not know what was tried."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import ValidationError

from agents.errors import AgentError
from flows import reporting
from flows.errors import FlowError
from flows.evidence import EvidenceError
from flows.ledger import projected, verify
from flows.ledger.errors import LedgerError
from flows.ledger.state import CampaignState
from flows.papers import PaperError
from templates.errors import TemplateError
from tests.frauds.cases import Case, Ground, Left

End = Literal["impossible", "blocked", "flagged", "stands"]
NOTHING = "cheat: nothing there"
"""What a program prints when what it looks for is not in its sandbox."""
REFUSALS = (LedgerError, FlowError, EvidenceError, TemplateError, AgentError, ValidationError)


class Verdict(NamedTuple):
    """How a case ended, and the system's own words for it."""

    case: Case
    end: End
    reason: str


def judge(case: Case, ground: Ground) -> Verdict:
    """Let a case be played and say how it ended."""
    try:
        left = case.play(ground)
    except PaperError as error:
        return Verdict(case, "flagged", f"paper: {error}")
    except REFUSALS as error:
        return Verdict(case, "impossible", f"{type(error).__name__}: {error}")
    return Verdict(case, *look(left))


def look(left: Left) -> tuple[End, str]:
    """Return how a campaign stands, with a reason where it does not."""
    (folder,) = (left.home / "campaigns").iterdir()
    records = verify.verify_records(folder, reporting.claim_faults, reporting.paper_faults)
    faults = [f"{found.what}: {found.detail.splitlines()[0]}" for found in records.findings if not found.ok]
    faults += [f"ablations: {fault}" for fault in reporting.ablation_faults(folder, records.state)]
    if left.tracked and not faults:
        faults += [f"MLflow: {fault}" for fault in projected.check_projection(records.applied, left.home, folder.name)]
    if faults:
        return "flagged", faults[0]
    if left.sought(records.state, folder):
        return "stands", ""
    nothing = list(_nothing_there(records.state, folder))
    if nothing and all(nothing):
        return "impossible", "nothing of what it looked for is in its sandbox"
    refused = next((why for why in records.state.discarded.values()), None)
    if refused is not None:
        return "impossible", refused
    return "blocked", next(_hindered(records.state), "it is not in what was published")


def _nothing_there(state: CampaignState, folder: Path) -> Iterator[bool]:
    """Yield for each run of a candidate whether it says that there was nothing to be had."""
    for execution in state.executions.values():
        if execution.candidate != "c0":
            log = folder / "executions" / execution.key / "run.log"
            yield NOTHING in log.read_text(encoding="utf-8", errors="replace")


def _hindered(state: CampaignState) -> Iterator[str]:
    """Yield what stood in the way, the most telling first."""
    yield from (text for text in state.notices if "was struck from the paper" in text)
    yield from (text for text in state.notices if text.startswith("No plan"))
    yield from (e.reason for e in state.executions.values() if e.candidate != "c0" and e.reason)
    for claim in state.claims.values():
        yield from (f"claim {claim.id}: {made.says}" for made in claim.challenges if made.refutes)
        if claim.exploratory:
            yield f"claim {claim.id} is exploratory, as its plan was changed"
        if claim.verdict != "supported":
            yield f"claim {claim.id} is {claim.verdict} on fresh seeds and held-out data: {claim.reason}"
    for seen in state.screened.values():
        if not seen.passed:
            effect = "nothing" if seen.effect is None else f"an effect of {seen.effect:.3f}"
            yield f"the screen saw {effect} and passed nothing on"

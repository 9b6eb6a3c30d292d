"""Verify: everything a campaign left behind, held against its journal, and the journal against itself."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from flows.ledger.audit_attacks import attack_faults
from flows.ledger.audit_calls import CALLS, call_faults
from flows.ledger.audit_commits import (
    anchor_faults,
    closing_faults,
    commit_faults,
    plan_commit_faults,
    record_faults,
)
from flows.ledger.audit_copies import copy_faults
from flows.ledger.audit_course import registration_faults, screen_faults
from flows.ledger.audit_executions import data_faults, execution_faults, plan_faults, seed_faults
from flows.ledger.audit_prose import reference_faults, wording_faults
from flows.ledger.chain import Event, scan_file
from flows.ledger.errors import EventInvalid, TrackingError, WorkspaceError
from flows.ledger.findings import Finding, finding, steps
from flows.ledger.folds import apply
from flows.ledger.state import CampaignState
from flows.ledger.workspace import Workspace
from templates.manifest import Manifest

__all__ = ["CheckCode", "CheckPaper", "Finding", "Records", "Rederive", "verify_campaign", "verify_records"]

Rederive = Callable[[CampaignState], list[str]]
"""Derives every claim again from the journal's executions and returns what differs."""
CheckPaper = Callable[[Path, CampaignState], list[str]]
"""Checks the paper in a campaign's folder against the state and returns what differs."""
CheckCode = Callable[[Path, CampaignState], list[str]]
"""Checks the code that hypoloop itself committed against the template and returns what differs."""


class Records(NamedTuple):
    """What was found of a campaign's records, the state they lead to, and the events that lead there."""

    findings: list[Finding]
    state: CampaignState
    applied: Sequence[Event]


def verify_campaign(
    home: Path, name: str, rederive: Rederive | None = None, paper: CheckPaper | None = None,
    code: CheckCode | None = None,
) -> list[Finding]:  # fmt: skip
    """Check one campaign and return every finding: its records, then MLflow.

    Raises:
        JournalError: there is no journal to begin with.
    """
    folder = home / "campaigns" / name
    records = verify_records(folder, rederive, paper)
    found = list(records.findings)
    if code is not None:
        found.append(
            finding("ablations", code(folder, records.state), "the code is the claim's without the ingredient")
        )
    return [*found, _tracking_finding(records.applied, home, name)]


def verify_records(
    folder: Path, rederive: Rederive | None = None, paper: CheckPaper | None = None, left_out: Collection[str] = ()
) -> Records:
    """Check what lies in a campaign's folder: journal, commits, plans, executions, claims, paper.

    A fault stops nothing: the checks after it see what can still be read. `left_out` are the files of executions,
    relative to the folder, that need not be there.

    Raises:
        JournalError: there is no journal to begin with.
    """
    scanned = scan_file(folder / "journal.jsonl")
    state, applied, fault = _replayed(scanned.events)
    faults = [str(error) for error in (scanned.fault, fault) if error is not None]
    torn = f", and a torn record of {len(scanned.torn)} bytes that counts for nothing" if scanned.torn else ""
    findings = [finding("journal", faults, f"{len(scanned.events)} events, each bound to the one before{torn}")]
    findings += commit_findings(folder / "repo", scanned.events, state)
    findings += [
        finding("plans", list(plan_faults(state)), f"{len(state.plans)} plans, each before its executions"),
        finding("seeds and splits", list(seed_faults(state)), "fresh seeds, held-out data only for plans"),
        finding("data sets", list(data_faults(folder, state)), "the same data for every candidate on a seed"),
        finding(
            "executions",
            list(execution_faults(folder, state, left_out)),
            f"{len(state.executions)} executions as journalled",
        ),
    ]
    if state.calls or (folder / CALLS).exists():
        findings.append(
            finding("calls", list(call_faults(folder, state, left_out)), f"{len(state.calls)} calls to models as kept")
        )
    findings += _course_findings(folder, applied, state)
    if rederive is not None:
        findings.append(finding("claims", rederive(state), f"{len(state.claims)} claims derived again, all equal"))
    if paper is not None:
        findings.append(finding("paper", paper(folder, state), "every number and figure in it is the journal's"))
    return Records(findings, state, applied)


def commit_findings(path: Path, events: Sequence[Event], state: CampaignState) -> list[Finding]:
    """Check the repository at `path` against the journal."""
    try:
        workspace = Workspace.open(path)
        held = [*record_faults(workspace, events, state), *closing_faults(workspace, events, state)]
        return [
            finding("anchors", list(anchor_faults(workspace, events)), "every commit's anchor is in the journal"),
            finding("commits", list(commit_faults(workspace, state)), f"{len(state.candidates)} candidates committed"),
            finding(
                "committed plans",
                list(plan_commit_faults(workspace, state)),
                f"{len(state.plans)} plans committed as registered",
            ),
            finding("record", held, "branch record holds plans and paper, and the journal's end is anchored"
                    if state.closed else "branch record holds what the journal leads to"),
        ]  # fmt: skip
    except WorkspaceError as error:
        return [Finding("commits", False, str(error))]


def _course_findings(folder: Path, events: Sequence[Event], state: CampaignState) -> list[Finding]:
    """Check what must follow from the events before it, by the manifest that the baseline's commit holds."""
    try:
        manifest = _manifest(folder / "repo")
    except (WorkspaceError, ValidationError, ValueError) as error:
        return [Finding("course", False, f"it cannot be worked out again without the template's manifest: {error}")]
    walked = tuple(steps(events))
    checks: tuple[tuple[str, Iterator[str], str], ...] = (
        ("results", copy_faults(folder, state, manifest), "each execution has a result of its own"),
        ("screens", screen_faults(walked, manifest), "raced again, with the same outcome and the same finalists"),
        ("registrations", registration_faults(walked, manifest), f"{len(state.plans)} plans frozen again, all equal"),
        ("attacks", attack_faults(walked, manifest), "all that were due are made or named, none after it ran"),
        ("wording", wording_faults(state, manifest), "no comparison without a verdict, no number beside other words"),
        ("references", reference_faults(folder, state, manifest), "every reference resolves, none is disowned"),
    )
    return [_checked(what, faults, fine) for what, faults, fine in checks]


def _checked(what: str, faults: Iterator[str], fine: str) -> Finding:
    """Run one check; records that it cannot make sense of are a fault like any other."""
    found: list[str] = []
    try:
        found.extend(faults)
    except (LookupError, ValueError, TypeError) as error:
        found.append(f"it breaks off at records that make no sense: {type(error).__name__}: {error}")
    return finding(what, found, fine)


def _manifest(path: Path) -> Manifest:
    """Return the manifest that the campaign's candidates were made under."""
    workspace = Workspace.open(path)
    text = workspace.read(workspace.baseline(), "template.toml").decode()
    return Manifest.model_validate(tomllib.loads(text))


def _tracking_finding(events: Sequence[Event], home: Path, name: str) -> Finding:
    from flows.ledger.projected import check_projection  # MLflow takes seconds to load.

    try:
        return finding(
            "MLflow",
            check_projection(events, home, name),
            "params, metrics, tags and files of every execution equal its event, and every trace its call",
        )
    except TrackingError as error:
        return Finding("MLflow", False, str(error))


def _replayed(events: Sequence[Event]) -> tuple[CampaignState, Sequence[Event], EventInvalid | None]:
    """Return the state after every event that can be applied, those events, and what stopped there."""
    state = CampaignState()
    for count, event in enumerate(events):
        try:
            state = apply(state, event)
        except EventInvalid as error:
            return state, events[:count], error
    return state, events, None

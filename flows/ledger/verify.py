"""Verify: everything a campaign left behind, held against its journal, and the journal against itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pydantic import ValidationError

from agents.records import Candidate, Execution, Plan, Split, Stage
from flows.ledger.chain import Event, check_anchor, scan_file
from flows.ledger.errors import EventInvalid, JournalTampered, TrackingError, WorkspaceError
from flows.ledger.keys import execution_key
from flows.ledger.state import CampaignState, apply
from flows.ledger.workspace import RECORD, Workspace

HELD_OUT = (Stage.CONFIRM, Stage.CHALLENGE)
Rederive = Callable[[CampaignState], list[str]]
"""Derives every claim again from the journal's executions and returns what differs."""
CheckPaper = Callable[[Path, CampaignState], list[str]]
"""Checks the paper in a campaign's folder against the state and returns what differs."""


@dataclass(frozen=True)
class Finding:
    """The outcome of one check: `what` was checked, whether it holds, and `detail`: every fault, or how much it saw."""

    what: str
    ok: bool
    detail: str


def verify_campaign(
    home: Path, name: str, rederive: Rederive | None = None, paper: CheckPaper | None = None
) -> list[Finding]:
    """Check one campaign and return every finding: journal, commits, plans, executions, claims, paper, MLflow.

    A fault stops nothing: the checks after it see what can still be read.

    Raises:
        JournalError: there is no journal to begin with.
    """
    folder = home / "campaigns" / name
    scanned = scan_file(folder / "journal.jsonl")
    state, applied, fault = _replayed(scanned.events)
    faults = [str(error) for error in (scanned.fault, fault) if error is not None]
    torn = f", and a torn record of {len(scanned.torn)} bytes that counts for nothing" if scanned.torn else ""
    findings = [_finding("journal", faults, f"{len(scanned.events)} events, each bound to the one before{torn}")]
    findings += _commit_findings(folder / "repo", scanned.events, state)
    executions = len(state.executions)
    findings += [
        _finding("plans", list(plan_faults(state)), f"{len(state.plans)} plans, each before its executions"),
        _finding("seeds and splits", list(seed_faults(state)), "fresh seeds, held-out data only for plans"),
        _finding("executions", list(execution_faults(folder, state)), f"{executions} executions as journalled"),
    ]
    if rederive is not None:
        findings.append(_finding("claims", rederive(state), f"{len(state.claims)} claims derived again, all equal"))
    if paper is not None:
        findings.append(_finding("paper", paper(folder, state), "every number in it is the journal's"))
    findings.append(_tracking_finding(applied, home, name))
    return findings


def anchor_faults(workspace: Workspace, events: Sequence[Event]) -> Iterator[str]:
    """Yield the commits whose `Journal:` trailer the journal does not hold; this finds events cut off its end."""
    seen: set[str] = set()
    for branch in workspace.branches():
        for sha in workspace.history(branch):
            anchor = workspace.trailers(sha).get("Journal")
            if sha in seen or anchor is None:
                continue
            seen.add(sha)
            seq, _, hash_ = anchor.partition(" ")
            if not seq.isdigit() or not hash_:
                yield f"Commit {sha[:12]} has the trailer 'Journal: {anchor}', which is no event number and hash."
                continue
            try:
                check_anchor(events, int(seq), hash_)
            except JournalTampered as error:
                yield f"Commit {sha[:12]} anchors event {seq}: {error.why}."


def commit_faults(workspace: Workspace, state: CampaignState) -> Iterator[str]:
    """Yield what is wrong with candidates' commits: missing, mislabelled, misplaced, outside the editable paths."""
    reachable = {sha for branch in workspace.branches() for sha in workspace.history(branch)}
    for candidate in state.candidates.values():
        who = f"Candidate {candidate.id} ({candidate.commit[:12]})"
        if not workspace.has(candidate.commit):
            yield f"{who} has no commit in the repository."
            continue
        if candidate.commit not in reachable:
            yield f"{who} is on no branch."
        trailers, parents = workspace.trailers(candidate.commit), workspace.parents(candidate.commit)
        wanted = {"Candidate": candidate.id} | ({"Idea": candidate.idea} if candidate.idea else {})
        for key, value in wanted.items():
            if trailers.get(key) != value:
                yield f"{who} bears the trailer '{key}: {trailers.get(key)}' instead of '{key}: {value}'."
        if parents != _parents_of(candidate, state):
            yield f"{who} is built on {parents or 'nothing'}, the journal says {candidate.parent or 'nothing'}."
        if candidate.idea is None and candidate.commit != workspace.baseline():
            yield f"{who} is the baseline, but branch 'main' is at {workspace.baseline()[:12]}."
        yield from (f"{who} changes {path}, which may not change." for path in workspace.outside(candidate.commit))


def plan_commit_faults(workspace: Workspace, state: CampaignState) -> Iterator[str]:
    """Yield plans that are not committed as they were registered, or only after they had begun to run."""
    commits = [(sha, workspace.trailers(sha)) for sha in workspace.history(RECORD)]
    for plan in state.plans.values():
        mine = [(sha, trailers) for sha, trailers in commits if trailers.get("Plan") == plan.id]
        if not mine:
            yield f"Plan {plan.id} is not committed on branch {RECORD!r}."
            continue
        begun = min((state.seqs[e.key] for e in state.executions.values() if e.plan == plan.id), default=None)
        if not any(_is_before(trailers.get("Journal", ""), begun) for _, trailers in mine):
            yield f"Plan {plan.id} was committed only after its first execution (event {begun})."
        for sha in (mine[-1][0], commits[0][0]):  # As it was when it was registered, and as it stands now.
            if _plan_at(workspace, sha, plan.id) != plan:
                yield f"Plan {plan.id} reads otherwise in commit {sha[:12]} than in the journal."
                break


def plan_faults(state: CampaignState) -> Iterator[str]:
    """Yield executions that their plan does not cover, or that came before it."""
    for execution in state.executions.values():
        who = f"Execution {execution.key} (event {state.seqs[execution.key]})"
        if execution.plan is None:
            if execution.stage in HELD_OUT:
                yield f"{who} is of stage {execution.stage} without a plan."
            continue
        plan = state.plans.get(execution.plan)
        if plan is None:
            yield f"{who} names plan {execution.plan}, which was never registered."
            continue
        if state.seqs[plan.id] > state.seqs[execution.key]:
            yield f"{who} came before its plan {plan.id} (event {state.seqs[plan.id]})."
        if execution.candidate not in (plan.candidate, plan.comparator):
            yield f"{who} runs candidate {execution.candidate}, which plan {plan.id} does not compare."
        if execution.seed not in plan.seeds:
            yield f"{who} uses seed {execution.seed}, which plan {plan.id} does not hold."
        if execution.stage is not plan.stage:
            yield f"{who} is of stage {execution.stage}, plan {plan.id} is of stage {plan.stage}."


def seed_faults(state: CampaignState) -> Iterator[str]:
    """Yield seeds that were seen before they were to confirm, and held-out data that a search looked at."""
    searched = {e.seed for e in state.executions.values() if e.stage not in HELD_OUT}
    spent: dict[int, Plan] = {}
    for plan in state.plans.values():
        if seen := sorted(searched.intersection(plan.seeds)):
            yield f"Plan {plan.id} spends seed {seen[0]}, which the search has used."
        for seed in plan.seeds:
            before = spent.setdefault(seed, plan)
            # An attempt to refute may look again at the seeds of the very claim it attacks.
            if before is not plan and not (plan.stage is Stage.CHALLENGE and before.idea == plan.idea):
                yield f"Plan {plan.id} spends seed {seed}, which plan {before.id} has spent."
                break
    for execution in state.executions.values():
        if (execution.split is Split.CONFIRM) != (execution.stage in HELD_OUT):
            yield (
                f"Execution {execution.key} (event {state.seqs[execution.key]}) of stage {execution.stage} "
                f"used the {execution.split} split."
            )


def execution_faults(folder: Path, state: CampaignState) -> Iterator[str]:
    """Yield executions whose key, files or numbers on disk are not those of the journal."""
    for execution in state.executions.values():
        who = f"Execution {execution.key} (event {state.seqs[execution.key]})"
        candidate = state.candidates.get(execution.candidate)
        if candidate is None:
            yield f"{who} runs candidate {execution.candidate}, which the journal does not know."
        elif execution.key not in _keys_of(execution, candidate, state):
            yield f"{who} has a key that does not follow from its commit, template, image, stage, seed and split."
        place = folder / "executions" / execution.key
        for name, digest in execution.artifacts.items():
            path = place / name
            if not path.is_file() or path.is_symlink():
                yield f"{who} lacks its file {name}."
            elif sha256(path.read_bytes()).hexdigest() != digest:
                yield f"{who} has another {name} on disk than the journal says."
        yield from _metrics_faults(who, execution, place / "score" / "metrics.json")


def _metrics_faults(who: str, execution: Execution, path: Path) -> Iterator[str]:
    if execution.metrics is None:
        return
    if not path.is_file():
        yield f"{who} lacks its metrics.json."
        return
    try:
        there = json.loads(path.read_bytes())
    except ValueError:
        yield f"{who} has a metrics.json that is no JSON."
        return
    if there == dict(execution.metrics):
        return
    if not isinstance(there, dict):
        yield f"{who} has a metrics.json that holds no metrics."
        return
    for name in sorted(there.keys() | execution.metrics.keys()):
        if there.get(name) != execution.metrics.get(name):
            yield f"{who} has {name} {there.get(name)} in metrics.json, the journal says {execution.metrics.get(name)}."


def _commit_findings(path: Path, events: Sequence[Event], state: CampaignState) -> list[Finding]:
    try:
        workspace = Workspace.open(path)
        plans = list(plan_commit_faults(workspace, state))
        return [
            _finding("anchors", list(anchor_faults(workspace, events)), "every commit's anchor is in the journal"),
            _finding("commits", list(commit_faults(workspace, state)), f"{len(state.candidates)} candidates committed"),
            _finding("committed plans", plans, f"{len(state.plans)} plans committed as registered"),
        ]
    except WorkspaceError as error:
        return [Finding("commits", False, str(error))]


def _tracking_finding(events: Sequence[Event], home: Path, name: str) -> Finding:
    from flows.ledger.projected import check_projection  # MLflow takes seconds to load.

    try:
        return _finding(
            "MLflow",
            check_projection(events, home, name),
            "params, metrics, tags and files of every execution equal its event",
        )
    except TrackingError as error:
        return Finding("MLflow", False, str(error))


def _finding(what: str, faults: Sequence[str], fine: str) -> Finding:
    return Finding(what, not faults, "\n".join(faults) if faults else fine)


def _replayed(events: Sequence[Event]) -> tuple[CampaignState, Sequence[Event], EventInvalid | None]:
    """Return the state after every event that can be applied, those events, and what stopped there."""
    state = CampaignState()
    for count, event in enumerate(events):
        try:
            state = apply(state, event)
        except EventInvalid as error:
            return state, events[:count], error
    return state, events, None


def _parents_of(candidate: Candidate, state: CampaignState) -> tuple[str, ...]:
    """Return the commit a candidate must be built on; the journal names it by commit or by candidate."""
    if candidate.parent is None:
        return ()
    named = state.candidates.get(candidate.parent)
    return (named.commit if named else candidate.parent,)


def _keys_of(execution: Execution, candidate: Candidate, state: CampaignState) -> set[str]:
    images: Mapping[str | None, None] = dict.fromkeys((state.image_id, execution.image_id))
    return {
        execution_key(
            candidate.commit, state.digest, image, execution.stage, execution.seed, execution.split, execution.plan
        )
        for image in images
    }


def _is_before(anchor: str, begun: int | None) -> bool:
    seq = anchor.partition(" ")[0]
    return seq.isdigit() and (begun is None or int(seq) < begun)


def _plan_at(workspace: Workspace, sha: str, id_: str) -> Plan | None:
    try:
        return Plan.model_validate_json(workspace.read(sha, f"plans/{id_}.json"))
    except (WorkspaceError, ValidationError):
        return None  # Not the plan, whatever it is; the caller says so.

"""Audit of the repository: anchors, candidates, plans, what branch `record` holds, and the end of the journal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

from pydantic import ValidationError

from agents.records import Candidate, Plan
from flows.ledger.chain import Event, Head, check_anchor
from flows.ledger.errors import JournalTampered, WorkspaceError
from flows.ledger.record import CLOSING, PAPER, closing_file, plan_commits, plan_file
from flows.ledger.state import CampaignState
from flows.ledger.workspace import RECORD, Workspace


def anchor_faults(workspace: Workspace, events: Sequence[Event]) -> Iterator[str]:
    """Yield the commits whose `Journal:` trailer the journal does not hold; this finds events cut off its end."""
    for sha, anchor in _anchors(workspace).items():
        seq, _, hash_ = anchor.partition(" ")
        if not seq.isdigit() or not hash_:
            yield f"Commit {sha[:12]} has the trailer 'Journal: {anchor}', which is no event number and hash."
            continue
        try:
            check_anchor(events, int(seq), hash_)
        except JournalTampered as error:
            yield f"Commit {sha[:12]} anchors event {seq}: {error.why}."


def closing_faults(workspace: Workspace, events: Sequence[Event], state: CampaignState) -> Iterator[str]:
    """Yield what is missing at the end of a closed campaign: its last event must be anchored by a commit."""
    if state.closed is None:
        return
    numbers = (anchor.partition(" ")[0] for anchor in _anchors(workspace).values())
    last = max((int(seq) for seq in numbers if seq.isdigit()), default=0)
    if last < len(events):
        tail = ", ".join(event.kind for event in events[last:][-3:])
        yield (
            f"The last {len(events) - last} events ({tail}) are anchored by no commit, so that nothing would show if "
            f"they were changed. `hypoloop resume {state.name}` commits the end of a campaign that died just there."
        )


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
    yield from _branch_faults(workspace, state)


def _branch_faults(workspace: Workspace, state: CampaignState) -> Iterator[str]:
    """Yield branches of a closed campaign that end in a commit which no candidate is."""
    if state.closed is None:
        return  # A process may have ended between a commit and its event; resuming makes the same commit again.
    known = {candidate.commit for candidate in state.candidates.values()}
    for branch, sha in workspace.branches().items():
        if branch != RECORD and sha not in known:
            yield f"Branch {branch!r} is at {sha[:12]}, which is no candidate of the journal."


def plan_commit_faults(workspace: Workspace, state: CampaignState) -> Iterator[str]:
    """Yield plans that are not committed as they were registered and changed, or only after they had begun to run."""
    commits = [(sha, workspace.trailers(sha)) for sha in workspace.history(RECORD)]
    for plan in state.plans.values():
        mine = [(sha, trailers) for sha, trailers in commits if trailers.get("Plan") == plan.id]
        if not mine:
            yield f"Plan {plan.id} is not committed on branch {RECORD!r}."
            continue
        begun = min((state.seqs[e.key] for e in state.executions.values() if e.plan == plan.id), default=None)
        if not any(_is_before(trailers.get("Journal", ""), begun) for _, trailers in mine):
            yield f"Plan {plan.id} was committed only after its first execution (event {begun})."
        changes = state.changed.get(plan.id, ())
        frozen = changes[0].before if changes else plan
        # As it was when it was registered, and as it stands now.
        for sha, wanted in ((mine[-1][0], frozen), (commits[0][0], plan)):
            if _plan_at(workspace, sha, plan.id) != wanted:
                yield f"Plan {plan.id} reads otherwise in commit {sha[:12]} than in the journal."
                break
        anchored = {trailers.get("Journal") for _, trailers in mine}
        for made in plan_commits(state, plan.id)[1:] if changes else ():
            if made.trailers["Journal"] not in anchored:
                yield f"The deviation from plan {plan.id} (event {made.seq}) is not committed."


def record_faults(workspace: Workspace, events: Sequence[Event], state: CampaignState) -> Iterator[str]:
    """Yield damage, and what branch `record` holds beyond plans, paper and closing, or otherwise than the journal."""
    if damage := workspace.damage():
        yield f"The repository is damaged: {damage}"
    commits = workspace.history(RECORD)
    for sha in commits:
        if "Journal" not in workspace.trailers(sha):
            yield f"Commit {sha[:12]} on branch {RECORD!r} is bound to no event of the journal."
    if not commits:
        return
    expected = _expected(events, state)
    for path, content in workspace.digests(commits[0]).items():
        if path not in expected:
            loose = state.closed is None and path.startswith(f"{PAPER}/")
            if not loose:
                yield f"Branch {RECORD!r} holds {path}, which belongs to no event."
        elif content != expected[path]:
            yield f"Branch {RECORD!r} holds another {path} than the journal leads to."


def _expected(events: Sequence[Event], state: CampaignState) -> Mapping[str, str]:
    """Path -> SHA-256 of everything that may lie on branch `record` now."""
    files = {path: content for plan in state.plans.values() for path, content in plan_file(plan).items()}
    if state.closed is not None:
        files[CLOSING] = closing_file(state.closed, Head(events[-1].seq, events[-1].hash))
    digests = {path: sha256(content).hexdigest() for path, content in files.items()}
    paper = state.paper.get("files") if state.paper else None
    published = paper if isinstance(paper, Mapping) else {}
    return digests | {f"{PAPER}/{name}": str(digest) for name, digest in published.items()}


def _anchors(workspace: Workspace) -> dict[str, str]:
    """Commit -> what its `Journal:` trailer says."""
    found = {}
    for branch in workspace.branches():
        for sha in workspace.history(branch):
            if sha not in found and (anchor := workspace.trailers(sha).get("Journal")) is not None:
                found[sha] = anchor
    return found


def _parents_of(candidate: Candidate, state: CampaignState) -> tuple[str, ...]:
    """Return the commit a candidate must be built on; the journal names it by commit or by candidate."""
    if candidate.parent is None:
        return ()
    named = state.candidates.get(candidate.parent)
    return (named.commit if named else candidate.parent,)


def _is_before(anchor: str, begun: int | None) -> bool:
    seq = anchor.partition(" ")[0]
    return seq.isdigit() and (begun is None or int(seq) < begun)


def _plan_at(workspace: Workspace, sha: str, id_: str) -> Plan | None:
    try:
        return Plan.model_validate_json(workspace.read(sha, f"plans/{id_}.json"))
    except (WorkspaceError, ValidationError):
        return None  # Not the plan, whatever it is; the caller says so.

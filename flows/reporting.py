"""From the journal alone: the paper and report again, and every check that a campaign's records must pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from agents.errors import AgentError
from flows.errors import FlowError, NothingWritten
from flows.evidence import EvidenceError, rederive
from flows.ledger.accounts import dossier
from flows.ledger.due import ablated_sources
from flows.ledger.errors import CampaignBusy, CampaignUnknown, LedgerError
from flows.ledger.lease import holder_of
from flows.ledger.reading import campaign_names, read_campaign
from flows.ledger.state import CampaignState
from flows.ledger.verify import Finding, verify_campaign
from flows.ledger.workspace import RECORD, Workspace
from flows.papers import Composed, PaperError, compose, verify_paper, write_paper
from flows.settings import CampaignSpec, campaign_folder, template_folders
from templates.errors import TemplateError
from templates.template import Template, load_template


def composed(state: CampaignState, template: Template) -> Composed:
    """Compose the paper of a campaign that has a draft, from its state and nothing else."""
    if state.draft is None:
        raise NothingWritten(state.name)
    return compose(
        dossier(state),
        template,
        state.draft,
        tuple(state.executions.values()),
        commits={candidate.id: candidate.commit for candidate in state.candidates.values()},
        events=state.seqs,
    )


def rewrite(home: Path, name: str) -> Path:
    """Write paper and report of `name` again and return their folder.

    Raises:
        NothingWritten: the campaign has no draft yet.
    """
    state = read_campaign(home, name)
    folder = campaign_folder(home, name) / "paper"
    write_paper(folder, composed(state, template_of(state)))
    return folder


def verify_all(home: Path, name: str) -> list[Finding]:
    """Run every check on `name`, in order; the first finding that is not ok is the first thing that does not hold.

    Raises:
        CampaignUnknown: there is no such campaign.
        CampaignBusy: it is running; MLflow is always a little behind then.
    """
    if name not in campaign_names(home):
        raise CampaignUnknown(name, campaign_names(home))
    holder = holder_of(campaign_folder(home, name))
    if holder is not None:
        raise CampaignBusy(name, holder.pid, f"{holder.at:%Y-%m-%d %H:%M:%S} UTC")
    return verify_campaign(home, name, rederive=claim_faults, paper=paper_faults, code=ablation_faults)


def template_of(state: CampaignState) -> Template:
    """Load the template a campaign runs on."""
    spec = CampaignSpec.model_validate(state.spec)
    return load_template(spec.template, template_folders(spec))


def claim_faults(state: CampaignState) -> list[str]:
    """Derive every claim again from the journal's executions and say what differs."""
    faults = []
    for claim in state.claims.values():
        try:
            again = rederive(claim, state.plans, state.ideas, tuple(state.executions.values()))
        except (EvidenceError, LookupError, ValueError) as error:
            faults.append(f"claim {claim.id} does not follow from its executions: {error}")
            continue
        ours, theirs = again.model_dump(), claim.model_dump()
        faults += [
            f"claim {claim.id} says {key} is {theirs[key]}, its executions say {ours[key]}"
            for key in ours
            if ours[key] != theirs[key]
        ]
    return faults


def ablation_faults(
    folder: Path, state: CampaignState, find: Callable[[CampaignState], Template] = template_of
) -> list[str]:
    """Take the ingredients out of every attacked candidate again and say where the committed code is another.

    `find` is as for `paper_faults`.
    """
    removed = [
        (attack, state.plans[attack.plan]) for each in state.attacks.values() for attack in each if attack.removed
    ]
    try:
        template = find(state)
        workspace = Workspace.open(folder / "repo")
        return [
            f"the code of {plan.comparator} is not that of {plan.candidate} without {', '.join(attack.removed)}"
            for attack, plan in removed
            if workspace.sources(state.candidates[plan.comparator].commit)
            != ablated_sources(template, state.candidates[plan.candidate], attack.removed)
        ]
    except (FlowError, LedgerError, TemplateError, AgentError, LookupError, ValueError) as error:
        return [f"the ablated code cannot be made again: {type(error).__name__}: {error}"] if removed else []


def paper_faults(
    folder: Path, state: CampaignState, find: Callable[[CampaignState], Template] = template_of
) -> list[str]:
    """Compose the paper again and say what differs; a closed campaign without one is a fault too.

    `find` finds what the campaign ran on, where that is not to be the one that is installed.
    """
    if state.paper is None:
        return ["the campaign is closed, but the journal knows no paper"] if state.closed else []
    try:
        faults = verify_paper(folder / "paper", composed(state, find(state)), state.paper["files"])
        return faults + _committed(Workspace.open(folder / "repo"), state.paper)
    except (PaperError, EvidenceError, FlowError, LedgerError, TemplateError, LookupError, ValueError) as error:
        return [f"the paper cannot be composed from what the journal holds: {type(error).__name__}: {error}"]


def _committed(workspace: Workspace, paper: Mapping[str, Any]) -> list[str]:
    """Hold the paper's commit against the files that the journal names."""
    if not workspace.has(paper["commit"]) or paper["commit"] not in workspace.history(RECORD):
        return [f"the paper's commit {paper['commit'][:12]} is not on branch {RECORD!r}"]
    return [
        f"paper/{name} is not what was committed"
        for name, digest in paper["files"].items()
        if sha256(workspace.read(paper["commit"], f"paper/{name}")).hexdigest() != digest
    ]

"""Write-up: draft from the evidence, review, one revision, and the paper as files, commit and journal event."""

from __future__ import annotations

from hashlib import sha256

from agents.spending import prefixes
from agents.team import Dossier
from flows.ledger.accounts import before_the_paper, dossier
from flows.ledger.audit_calls import kept_calls
from flows.ledger.record import anchor_closing
from flows.opened import OpenCampaign
from flows.papers import write_paper
from flows.papers.striking import struck
from flows.people import ask, turned_down
from flows.reporting import composed
from sandboxes.trees import remove_tree


def write_up(campaign: OpenCampaign) -> None:
    """Leave a paper, a review and a report behind, whatever came out."""
    team, template = campaign.team, campaign.template
    evidence = before_the_paper(dossier(campaign.state))
    draft = campaign.state.draft or team.write(template, evidence)
    if campaign.state.draft is None:
        campaign.append("draft", draft)
    if not campaign.state.reviews:
        campaign.append("review", team.review(template, evidence, draft))
    if campaign.state.reviews[-1].decision == "revise" and campaign.state.drafts == 1:
        campaign.append("draft", team.revise(template, evidence, draft, campaign.state.reviews[-1]))
    if len(campaign.state.reviews) == 1 and campaign.state.reviews[0].decision == "revise":
        campaign.append("review", team.review(template, evidence, campaign.state.draft or draft))
    if campaign.state.paper is None:
        _strike(campaign)
        ask(campaign, "paper")
        _revise_for_people(campaign, evidence)
        _measure_prefixes(campaign)
        _publish(campaign)


def close(campaign: OpenCampaign, why: str) -> None:
    """End the campaign, and put the end of its journal under version control."""
    for folder in (campaign.folder / "executions").glob("*"):
        if folder.is_dir() and folder.name not in campaign.state.executions:
            remove_tree(folder)  # Begun before an interruption and never finished: it counts for nothing.
    anchor_closing(campaign.workspace, campaign.append("closed", {"why": why}))


def _revise_for_people(campaign: OpenCampaign, evidence: Dossier) -> None:
    """Have a paper that a person rejected revised once, by what he said."""
    review, draft = turned_down(campaign.state), campaign.state.draft
    if review is None or draft is None:
        return
    campaign.append("draft", campaign.team.revise(campaign.template, evidence, draft, review))
    _strike(campaign)


def _measure_prefixes(campaign: OpenCampaign) -> None:
    """Journal how much of what models were asked began as an earlier call: the paper tells, and calls are no event."""
    state = campaign.state
    if state.calls and state.prefixes is None:
        characters, shared = prefixes(kept_calls(campaign.folder, state))
        campaign.append("prefixes", {"characters": characters, "shared": shared})


def _strike(campaign: OpenCampaign) -> None:
    """Take out of the draft what says more than the evidence; who wrote it has had his chance to revise."""
    draft, claims = campaign.state.draft, tuple(campaign.state.claims.values())
    made = struck(draft, campaign.template.manifest.metric, claims) if draft else None
    if made is None or not made.why:
        return
    for why in made.why:
        campaign.append("notice", {"text": why})
    campaign.append("draft", made.draft)


def _publish(campaign: OpenCampaign) -> None:
    written = write_paper(campaign.folder / "paper", composed(campaign.state, campaign.template))
    head = campaign.journal.head()
    commit = campaign.workspace.commit_files(
        {f"paper/{name}": data for name, data in sorted(written.items())},
        "Paper",
        {"Journal": str(head)},
        at=campaign.time_of(head.seq),
    )
    campaign.append(
        "paper",
        {"commit": commit, "files": {name: sha256(data).hexdigest() for name, data in sorted(written.items())}},
    )

"""An open campaign: its records, its tools and its lease, held by one process at a time."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from agents.records import Candidate
from agents.team import Team
from agents.teams import load_team
from flows.errors import CampaignClosed, TemplateChanged
from flows.laboratory import Laboratory, open_laboratory
from flows.ledger.folds import apply, reduce_events
from flows.ledger.journal import Event, FileJournal
from flows.ledger.lease import Lease
from flows.ledger.state import CampaignState
from flows.ledger.tracking import Tracker
from flows.ledger.workspace import Workspace
from flows.search.strategy import Strategy, load_strategy
from flows.settings import CampaignSpec, campaign_folder, template_folders
from templates.template import Template, load_template

Clock = Callable[[], datetime]


@dataclass
class OpenCampaign:
    """What every stage needs. `append` is the only way to change `state`."""

    spec: CampaignSpec
    folder: Path
    template: Template
    team: Team
    strategy: Strategy
    laboratory: Laboratory
    journal: FileJournal
    workspace: Workspace
    tracker: Tracker
    clock: Clock
    state: CampaignState
    cancel: threading.Event = field(default_factory=threading.Event)

    def append(self, kind: str, data: BaseModel | Mapping[str, Any]) -> Event:
        """Write one event durably, then let it take effect."""
        event = self.journal.append(kind, data)
        self.state = apply(self.state, event)
        self.tracker.put(event)
        return event

    def rng(self, purpose: str, number: int = 0) -> np.random.Generator:
        """Return the generator for one purpose; a replay gets the same."""
        return np.random.default_rng([self.spec.seed, number, *purpose.encode()])

    @property
    def baseline(self) -> str:
        """The commit of the baseline candidate."""
        return self.state.candidates["c0"].commit

    def time_of(self, seq: int) -> datetime:
        """When event `seq` was journalled; commits that tell of it bear this date, so that a replay makes the same."""
        return self.journal.events()[seq - 1].at

    def minutes_used(self) -> float:
        """Minutes of work over the whole life of the campaign; the time between two processes does not count."""
        spans: dict[int, list[datetime]] = {}
        for event in self.journal.events():
            spans.setdefault(event.fence, []).append(event.at)
        return sum((times[-1] - times[0]).total_seconds() for times in spans.values()) / 60

    def log_of(self, key: str) -> str:
        """The log of an execution, capped when it was written."""
        return (self.folder / "executions" / key / "run.log").read_text(encoding="utf-8", errors="replace")


@contextmanager
def open_campaign(spec: CampaignSpec, home: Path, clock: Clock, prefect_url: str | None) -> Iterator[OpenCampaign]:
    """Take the lease, read the journal, rebuild the state, clear what a dead owner left, and hand out the campaign.

    Raises:
        CampaignBusy: another process holds it.
        CampaignClosed: it has ended already.
        TemplateChanged: the template is not the one it began with.
        JournalTampered: the journal does not hold.
    """
    folder = campaign_folder(home, spec.name)
    folder.mkdir(parents=True, exist_ok=True)
    template = load_template(spec.template, template_folders(spec))
    with ExitStack() as stack:
        lease = stack.enter_context(Lease.acquire(folder, clock))
        journal = stack.enter_context(FileJournal(folder / "journal.jsonl", clock, lease.token))
        state = reduce_events(journal.events())
        require_open(state, spec, template)
        team = load_team(spec.team)
        laboratory = stack.enter_context(open_laboratory(spec, template, state.backend, home, team.model_written))
        tracker = stack.enter_context(Tracker(home, spec.name, prefect_url))
        campaign = OpenCampaign(
            spec=spec,
            folder=folder,
            template=template,
            team=team,
            strategy=load_strategy(spec.strategy),
            laboratory=laboratory,
            journal=journal,
            workspace=Workspace.create(folder / "repo", template),
            tracker=tracker,
            clock=clock,
            state=state,
        )
        for event in journal.events():
            tracker.put(event)
        _begin(campaign)
        yield campaign


def require_open(state: CampaignState, spec: CampaignSpec, template: Template) -> None:
    """Check that a campaign can go on.

    Raises:
        CampaignClosed: it has ended already.
        TemplateChanged: the template is not the one it began with.
    """
    if state.closed is not None:
        raise CampaignClosed(spec.name)
    if state.digest not in ("", template.digest):
        raise TemplateChanged(template.name, spec.name)


def _salt(campaign: OpenCampaign) -> str:
    """Return the secret under which seeds are drawn.

    What hypoloop writes itself knows nothing of it, so there it follows from the campaign and the same file gives the
    same numbers again. A model may have read the file, so there it is drawn.
    """
    if campaign.team.model_written:
        return secrets.token_hex(16)
    told = f"{campaign.spec.name} {campaign.spec.seed} {campaign.template.digest}"
    return sha256(told.encode()).hexdigest()[:32]


def _begin(campaign: OpenCampaign) -> None:
    """Write the opening events that are not there yet."""
    laboratory = campaign.laboratory
    if not campaign.state.digest:
        campaign.append(
            "campaign",
            {
                "spec": campaign.spec.model_dump(mode="json"),
                "question": campaign.spec.question or campaign.template.manifest.question,
                "template": campaign.template.name,
                "digest": campaign.template.digest,
                "image_id": laboratory.image_id,
                "backend": laboratory.backend,
                "salt": _salt(campaign),
            },
        )
        for notice in laboratory.notices:
            campaign.append("notice", {"text": notice})
    if campaign.journal.torn is not None:
        text = f"A torn record of {len(campaign.journal.torn)} bytes at the end of the journal was cut off."
        campaign.append("notice", {"text": text})
    if "c0" not in campaign.state.candidates:
        commit = campaign.workspace.baseline()
        campaign.append("candidate", Candidate(id="c0", idea=None, commit=commit, parent=None, branch="main"))

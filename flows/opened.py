"""An open campaign: its records, its tools and its lease, held by one process at a time."""

from __future__ import annotations

import os
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

from agents.model import ModelCall
from agents.records import Candidate
from agents.team import Team
from agents.teams import model_writes
from flows.errors import CampaignClosed, TemplateChanged
from flows.laboratory import Laboratory, open_laboratory
from flows.ledger.answers import minutes_waited
from flows.ledger.folds import apply, reduce_events
from flows.ledger.journal import Event, FileJournal
from flows.ledger.lease import Lease
from flows.ledger.state import CampaignState
from flows.ledger.tracking import Tracker
from flows.ledger.workspace import Workspace
from flows.replaying import Recording
from flows.search.strategy import Strategy, load_strategy
from flows.settings import CampaignSpec, campaign_folder, home_of, template_folders
from flows.thinking import team_of
from templates.template import Template, load_template

Clock = Callable[[], datetime]
REPLAYS = (
    "This campaign replays {}: every answer was stored there and nothing was bought. "
    "What models cost is what was paid then."
)


@dataclass
class OpenCampaign:
    """What every stage needs. `append` is the only way to change `state`."""

    spec: CampaignSpec
    folder: Path
    template: Template
    strategy: Strategy
    laboratory: Laboratory
    journal: FileJournal
    workspace: Workspace
    tracker: Tracker
    clock: Clock
    state: CampaignState
    team: Team = field(init=False)
    """Set as soon as the campaign has begun: what it works with comes out of the campaign."""
    cancel: threading.Event = field(default_factory=threading.Event)
    _appending: threading.RLock = field(default_factory=threading.RLock)

    def append(self, kind: str, data: BaseModel | Mapping[str, Any]) -> Event:
        """Write one event durably, then let it take effect; threads may call it."""
        with self._appending:
            event = self.journal.append(kind, data)
            self.state = apply(self.state, event)
            self.tracker.put(event)
            return event

    def append_call(self, call: ModelCall) -> None:
        """Journal an answered call to a model, unless it is journalled already; threads may call it."""
        with self._appending:
            if call.key not in self.state.calls:
                self.append("call", call)

    def append_once(self, notice: Mapping[str, Any]) -> None:
        """Journal a notice unless its text stands there already; threads may call it."""
        with self._appending:
            if notice["text"] not in self.state.notices:
                self.append("notice", notice)

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
        """Minutes of work over the whole life of the campaign, without those between processes and those for people."""
        spans: dict[int, list[datetime]] = {}
        for event in self.journal.events():
            spans.setdefault(event.fence, []).append(event.at)
        worked = sum((times[-1] - times[0]).total_seconds() for times in spans.values()) / 60
        return worked - minutes_waited(self.journal.events())

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
        writes = model_writes(spec.team)
        laboratory = stack.enter_context(open_laboratory(spec, template, state.backend, home, writes))
        tracker = stack.enter_context(Tracker(home, spec.name, prefect_url))
        campaign = OpenCampaign(
            spec=spec,
            folder=folder,
            template=template,
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
        _begin(campaign, writes)
        campaign.team = team_of(campaign, home, os.environ)
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


def _salt(campaign: OpenCampaign, model_written: bool) -> str:
    """Return the secret under which seeds are drawn.

    What hypoloop writes itself knows nothing of it, so there it follows from the campaign and the same file gives the
    same numbers again. A model may have read the file, so there it is drawn. A replay has that of what it replays.
    """
    if (of := campaign.spec.replay_of) is not None:
        return Recording.of(home_of(campaign.folder), of).salt
    if model_written:
        return secrets.token_hex(16)
    told = f"{campaign.spec.name} {campaign.spec.seed} {campaign.template.digest}"
    return sha256(told.encode()).hexdigest()[:32]


def _begin(campaign: OpenCampaign, model_written: bool = False) -> None:
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
                "salt": _salt(campaign, model_written),
            },
        )
        for notice in laboratory.notices:
            campaign.append("notice", {"text": notice})
        if campaign.spec.replay_of is not None:
            campaign.append("notice", {"text": REPLAYS.format(campaign.spec.replay_of)})
    if campaign.journal.torn is not None:
        text = f"A torn record of {len(campaign.journal.torn)} bytes at the end of the journal was cut off."
        campaign.append("notice", {"text": text})
    if "c0" not in campaign.state.candidates:
        commit = campaign.workspace.baseline()
        campaign.append("candidate", Candidate(id="c0", idea=None, commit=commit, parent=None, branch="main"))

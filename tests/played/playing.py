"""Playing a campaign: the flows' own rounds, plans, attacks and write-up, with executions one after another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

from agents.teams import load_team
from flows.errors import CampaignInterrupted
from flows.executions import ExecutionRequest, prepare_execution, unfinished
from flows.laboratory import Laboratory
from flows.ledger.folds import reduce_events
from flows.ledger.journal import Event, FileJournal
from flows.ledger.state import CampaignState
from flows.ledger.tracking import Tracker
from flows.ledger.workspace import Workspace
from flows.opened import OpenCampaign, _begin
from flows.search.strategy import load_strategy
from flows.settings import CampaignSpec
from sandboxes import FakeSandbox
from sandboxes.devices import Devices
from tests.ledger.ticking import ticking
from tests.played import noise

NAME = "played"
START = datetime(2026, 1, 1, tzinfo=UTC)
BUDGET = {"rounds": 2, "ideas_per_round": 3, "plans_per_round": 1, "executions": 800}


class _NoTracker:
    """Takes events and forgets them."""

    def put(self, event: Event) -> None:
        """Forget it."""


@dataclass
class Played:
    """A campaign in `root/home` on the template of `root`; play it from the start or go on with it."""

    root: Path
    references: str = noise.REFERENCES
    budget: dict[str, int] | None = None
    stops_after: int | None = None
    """How many executions of a plan's look are run before the campaign is interrupted."""
    made_by: Played | None = None
    """The campaign that this is a copy of: its template is the one."""

    def __post_init__(self) -> None:
        self.home = self.root / "home"
        self.folder = self.home / "campaigns" / NAME
        self.template = self.made_by.template if self.made_by else noise.template(self.root, self.references)
        folder = self.template.root.parent
        self.spec = CampaignSpec.model_validate(
            {"name": NAME, "template": "noise", "template_folder": str(folder), "sandbox": "process", "slots": 1,
             "seed": 3, "budget": BUDGET | (self.budget or {})}
        )  # fmt: skip

    @contextmanager
    def opened(self, fence: int = 1) -> Iterator[OpenCampaign]:
        """Open the campaign as a process would, the `fence`-th to hold it."""
        clock = ticking(START + timedelta(days=fence))
        with FileJournal(self.folder / "journal.jsonl", clock, fence) as journal:
            campaign = OpenCampaign(
                spec=self.spec,
                folder=self.folder,
                template=self.template,
                strategy=load_strategy("greedy"),
                laboratory=Laboratory(FakeSandbox(noise.script), "process", None, Devices(())),
                journal=journal,
                workspace=Workspace.create(self.folder / "repo", self.template),
                tracker=cast("Tracker", _NoTracker()),
                clock=clock,
                state=reduce_events(journal.events()),
            )
            _begin(campaign)
            campaign.team = load_team("embedded")
            confirming = partial(_run_all, limit=self.stops_after)
            with patch("flows.rounds.run_all", _run_all), patch("flows.registered.run_all", confirming):
                yield campaign

    def play(self, rounds: int | None = None, fence: int = 1) -> Played:
        """Play `rounds` rounds, or all of them and the end; what is played already is left as it is."""
        from flows.rounds import run_round
        from flows.writing import close, write_up

        with self.opened(fence) as campaign:
            for number in range(1, (rounds or self.spec.budget.rounds) + 1):
                run_round(campaign, number)
            if rounds is None:
                write_up(campaign)
                close(campaign, "every round is done")
        return self

    @property
    def events(self) -> tuple[Event, ...]:
        """Every event of the journal."""
        from flows.ledger.chain import read_journal

        return read_journal(self.folder / "journal.jsonl").events

    @property
    def state(self) -> CampaignState:
        """What the journal leads to."""
        return reduce_events(self.events)

    @property
    def workspace(self) -> Workspace:
        """The campaign's repository."""
        return Workspace.open(self.folder / "repo")


def _run_all(campaign: OpenCampaign, requests: Sequence[ExecutionRequest], limit: int | None = None) -> None:
    for done, request in enumerate(unfinished(campaign, requests)):
        if done == limit:
            raise CampaignInterrupted(NAME)
        source = campaign.workspace.checkout(request.commit, campaign.folder / "sources" / request.commit)
        execution: Any = prepare_execution(campaign, request, source).run()
        campaign.append("execution", execution)

"""Playing a campaign from opening to closing with a scripted team, and copying one that was played."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

from flows.errors import CampaignInterrupted
from flows.executions import ExecutionRequest, prepare_execution, unfinished
from flows.laboratory import Laboratory
from flows.ledger.chain import read_journal
from flows.ledger.folds import reduce_events
from flows.ledger.journal import Event, FileJournal
from flows.ledger.state import CampaignState
from flows.ledger.tracking import Tracker
from flows.ledger.workspace import Workspace
from flows.opened import OpenCampaign, _begin, require_open
from flows.rounds import run_round
from flows.search.strategy import load_strategy
from flows.settings import CampaignSpec
from flows.writing import close, write_up
from sandboxes.contract import Sandbox
from sandboxes.devices import Devices
from templates.template import Template
from tests.frauds.team import ScriptedTeam
from tests.ledger.ticking import ticking

NAME = "played"
START = datetime(2026, 1, 1, tzinfo=UTC)
BUDGET = {"rounds": 1, "ideas_per_round": 1, "plans_per_round": 1, "executions": 400}

Runner = Callable[[OpenCampaign, ExecutionRequest], Any]
"""Carries one execution out and returns its record."""


class NoTracker:
    """Takes events and forgets them."""

    def put(self, event: Event) -> None:
        """Forget it."""


def run_one(campaign: OpenCampaign, request: ExecutionRequest) -> Any:
    """Carry an execution out as the loop does."""
    source = campaign.folder / "sources" / request.commit
    if not source.exists():  # Looking each up anew would ask git a hundred times.
        campaign.workspace.checkout(request.commit, source)
    return prepare_execution(campaign, request, source).run()


@dataclass
class Campaign:
    """A campaign in `root`/home on `template`; `play` it, or go on with it as a later process."""

    root: Path
    template: Template
    team: ScriptedTeam
    sandbox: Callable[[], Sandbox]
    budget: Mapping[str, int] = field(default_factory=dict)
    seed: int = 3
    runner: Runner = run_one
    stops_after: int | None = None
    """How many executions are run before the campaign is interrupted."""

    def __post_init__(self) -> None:
        self.home = self.root / "home"
        self.folder = self.home / "campaigns" / NAME
        self.spec = CampaignSpec.model_validate(
            {"name": NAME, "template": self.template.name, "template_folder": str(self.template.root.parent),
             "sandbox": "process", "slots": 1, "seed": self.seed, "budget": {**BUDGET, **self.budget}}
        )  # fmt: skip

    @contextmanager
    def opened(self, fence: int = 1) -> Iterator[OpenCampaign]:
        """Open the campaign as a process would, the `fence`-th to hold it."""
        clock = ticking(START + timedelta(days=fence))
        with ExitStack() as stack:
            journal = stack.enter_context(FileJournal(self.folder / "journal.jsonl", clock, fence))
            sandbox = self.sandbox()
            stack.callback(sandbox.close)
            state = reduce_events(journal.events())
            require_open(state, self.spec, self.template)
            campaign = OpenCampaign(
                spec=self.spec, folder=self.folder, template=self.template,
                strategy=load_strategy("greedy"), laboratory=Laboratory(sandbox, "process", None, Devices(())),
                journal=journal, workspace=Workspace.create(self.folder / "repo", self.template),
                tracker=cast("Tracker", NoTracker()), clock=clock, state=state,
            )  # fmt: skip
            # A salt that is drawn would make the benchmark another one each time.
            drawn = SimpleNamespace(token_hex=lambda count: f"{self.seed:0{2 * count}x}")
            stack.enter_context(patch("flows.opened.secrets", drawn))
            _begin(campaign, model_written=True)
            campaign.team = cast("Any", self.team)
            for name in ("flows.rounds.run_all", "flows.registered.run_all"):
                stack.enter_context(patch(name, self._run_all))
            yield campaign

    def play(self, fence: int = 1, *, ends: bool = True) -> Campaign:
        """Play every round, and the write-up and the end unless told otherwise."""
        with self.opened(fence) as campaign:
            for number in range(1, self.spec.budget.rounds + 1):
                run_round(campaign, number)
            if ends:
                write_up(campaign)
                close(campaign, "every round is done")
        return self

    def end(self, fence: int = 2) -> Campaign:
        """Write the paper and close, as another process."""
        with self.opened(fence) as campaign:
            write_up(campaign)
            close(campaign, "every round is done")
        return self

    def copy(self, root: Path, **changes: Any) -> Campaign:
        """Return a copy of it in `root`, without what can be made again."""
        fields = {"template": self.template, "team": self.team, "sandbox": self.sandbox, "budget": self.budget,
                  "seed": self.seed, "runner": self.runner} | changes  # fmt: skip
        shutil.copytree(self.folder, root / "home" / "campaigns" / NAME, ignore=shutil.ignore_patterns("sources"))
        return Campaign(root, **fields)

    @property
    def events(self) -> tuple[Event, ...]:
        """Every event of the journal."""
        return read_journal(self.folder / "journal.jsonl").events

    @property
    def state(self) -> CampaignState:
        """What the journal leads to."""
        return reduce_events(self.events)

    @property
    def workspace(self) -> Workspace:
        """The campaign's repository."""
        return Workspace.open(self.folder / "repo")

    def _run_all(self, campaign: OpenCampaign, requests: Sequence[ExecutionRequest]) -> None:
        for request in unfinished(campaign, requests):
            if self.stops_after is not None and len(campaign.state.executions) >= self.stops_after:
                raise CampaignInterrupted(NAME)
            campaign.append("execution", self.runner(campaign, request))

"""Playing a campaign of the language-model team in this process: a scripted model, scripted executions, no network."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

from agents.asking import Stored
from agents.literature.entry import Work
from agents.literature.library import FILE, Library
from agents.model import Call, Model
from agents.scripted import Line, ScriptedModel
from agents.storing import CallFolder
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
from flows.thinking import team_of
from flows.writing import close, write_up
from sandboxes import FakeSandbox, RunSpec
from sandboxes.contract import Outcome, RunResult
from sandboxes.devices import Devices
from sandboxes.fake import Script
from templates.template import Template
from tests.ledger.ticking import ticking
from tests.played import noise

NAME = "thought"
START = datetime(2026, 1, 1, tzinfo=UTC)
SPEC: Mapping[str, Any] = {
    "sandbox": "process",
    "slots": 1,
    "thoughts": 1,
    "seed": 3,
    "budget": {"rounds": 1, "ideas_per_round": 3, "plans_per_round": 1, "executions": 400},
    "models": {
        "default": {
            "base_url": "http://127.0.0.1:9/v1",
            "model": "scripted",
            "price": {"input": 1.0, "output": 2.0},
        }
    },
    "llm": {"panel": {"reviewers": 2}, "coder": {"checks": 0}},
}
"""What a played campaign is like unless told otherwise; a table given is laid over the one here, key by key."""


class NoTracker:
    """Takes events and forgets them."""

    def put(self, event: Event) -> None:
        """Forget it."""


def crashed(spec: RunSpec, log: str, reason: str = "") -> RunResult:
    """Return the result of a program that ended badly and wrote `log`."""
    return RunResult(
        run_id=spec.run_id,
        outcome=Outcome.FAILED,
        reason=reason,
        exit_code=1,
        log_head=log,
        log_bytes=len(log.encode()),
        backend="fake",
        limits=spec.limits,
    )


def script(spec: RunSpec) -> RunResult | Mapping[str, bytes]:
    """Play `tests.played.noise`; a workload that no longer names its constants, or holds `undefined`, crashes."""
    if any(word.endswith("run.py") for word in spec.argv):
        text = (spec.code / "run.py").read_text(encoding="utf-8")
        gone = [symbol for symbol, _ in noise.FACTORS.values() if not re.search(rf"^{symbol} = \w+$", text, re.M)]
        if gone:
            return crashed(spec, f"Traceback (most recent call last):\nNameError: name {gone[0]!r} is not defined\n")
        lines = text.split("\n")
        broken = [number for number, line in enumerate(lines, 1) if "undefined" in line]
        if broken:
            where = f'  File "run.py", line {broken[0]}, in <module>\n    {lines[broken[0] - 1]}\n'
            return crashed(spec, f"Traceback (most recent call last):\n{where}NameError: name 'undefined'\n")
    return noise.script(spec)


@dataclass
class LlmPlayed:
    """A campaign in `root`/home, whose model says what `answer` returns for a call. `more` is laid over `SPEC`.

    `of` makes the template in a folder, `runs` plays its programs, `works` are put into the library beforehand.
    `models` maps roles to models where one answer is not enough.
    """

    root: Path
    answer: Callable[[Call], Line]
    more: Mapping[str, Any] = field(default_factory=dict)
    of: Callable[[Path], Template] = noise.template
    runs: Script = script
    works: Sequence[Work] = ()
    models: Mapping[str, Model] | None = None
    stops_after: int | None = None
    """How many executions are run before the campaign is interrupted."""
    before: Callable[[OpenCampaign, int], None] | None = None
    """Called with the open campaign before each round, to interfere."""

    def __post_init__(self) -> None:
        self.home = self.root / "home"
        self.folder = self.home / "campaigns" / NAME
        self.template = self.of(self.root)
        self.model = ScriptedModel(self.answer)
        told = {"name": NAME, "template": self.template.name, "template_folder": str(self.root), "team": "llm"}
        self.spec = CampaignSpec.model_validate(told | _laid_over(SPEC, self.more))
        self.sandbox = FakeSandbox(self.runs)
        if self.works and not (self.home / FILE).exists():
            self.home.mkdir(parents=True, exist_ok=True)
            Library(self.home / FILE).add(self.works)

    @contextmanager
    def opened(self, fence: int = 1) -> Iterator[OpenCampaign]:
        """Open the campaign as a process would, the `fence`-th to hold it."""
        clock = ticking(START + timedelta(days=fence))
        with ExitStack() as stack:
            journal = stack.enter_context(FileJournal(self.folder / "journal.jsonl", clock, fence))
            state = reduce_events(journal.events())
            require_open(state, self.spec, self.template)
            campaign = OpenCampaign(
                spec=self.spec,
                folder=self.folder,
                template=self.template,
                strategy=load_strategy("greedy"),
                laboratory=Laboratory(self.sandbox, "process", None, Devices(())),
                journal=journal,
                workspace=Workspace.create(self.folder / "repo", self.template),
                tracker=cast("Tracker", NoTracker()),
                clock=clock,
                state=state,
            )
            # A salt that is drawn would make each campaign another one.
            drawn = SimpleNamespace(token_hex=lambda count: f"{self.spec.seed:0{2 * count}x}")
            stack.enter_context(patch("flows.opened.secrets", drawn))
            _begin(campaign, model_written=True)
            given = self.models or {"": self.model}
            stack.enter_context(patch("flows.thinking.models_of", lambda spec, environ: dict(given)))
            campaign.team = team_of(campaign, self.home, {})
            for name in ("flows.rounds.run_all", "flows.registered.run_all"):
                stack.enter_context(patch(name, self._run_all))
            yield campaign

    def play(self, rounds: int | None = None, fence: int = 1) -> LlmPlayed:
        """Play `rounds` rounds, or all of them and the end; what is played already is left as it is."""
        with self.opened(fence) as campaign:
            for number in range(1, (rounds or self.spec.budget.rounds) + 1):
                if self.before:
                    self.before(campaign, number)
                run_round(campaign, number)
            if rounds is None:
                write_up(campaign)
                close(campaign, "every round is done")
        return self

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

    @property
    def calls(self) -> tuple[Stored, ...]:
        """Every call that was kept, by key."""
        return tuple(CallFolder(self.folder / "calls"))

    def of_kind(self, kind: str) -> list[Any]:
        """Return the payloads of one kind, in order."""
        return [json.loads(event.line())["data"] for event in self.events if event.kind == kind]

    def _run_all(self, campaign: OpenCampaign, requests: Sequence[ExecutionRequest]) -> None:
        for request in unfinished(campaign, requests):
            if self.stops_after is not None and len(campaign.state.executions) >= self.stops_after:
                raise CampaignInterrupted(NAME)
            source = campaign.folder / "sources" / request.commit
            if not source.exists():  # Looking each up anew would ask git a hundred times.
                campaign.workspace.checkout(request.commit, source)
            campaign.append("execution", prepare_execution(campaign, request, source).run())


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        both = isinstance(under, Mapping) and isinstance(value, Mapping)
        merged[key] = _laid_over(cast("Mapping[str, Any]", under), value) if both else value
    return merged

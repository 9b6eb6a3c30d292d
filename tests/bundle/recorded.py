"""A small campaign on a coin, run by the real rounds without an orchestrator: everything it leaves is as it always is.

The sandbox is scripted: what the workload would compute is read off its source, so that another commit gives another
number, and the same commit the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pytest

from agents.records import Claim, Execution
from flows import opened, registered, rounds
from flows.executions import ExecutionRequest, prepare_execution, unfinished
from flows.laboratory import Laboratory
from flows.ledger.chain import Event, read_journal
from flows.ledger.folds import reduce_events
from flows.ledger.journal import FileJournal
from flows.ledger.state import CampaignState
from flows.ledger.workspace import Workspace
from flows.opened import OpenCampaign, open_campaign
from flows.settings import CampaignSpec
from flows.writing import close, write_up
from sandboxes import FakeSandbox, RunResult, RunSpec
from sandboxes.devices import Devices
from templates.template import Template
from tests.ledger.ticking import ticking
from tests.templates.making import MANIFEST, make

NAME = "coins"
CONDITION = """
[[conditions]]
name = "weightless"
kind = "control"
title = "no gravity"
why = "Nothing falls, so nothing can land higher."
"""
Metrics = Mapping[str, float]


def toss(spec: RunSpec) -> RunResult | dict[str, bytes]:
    """Play the coin template by its source: the height is the weight in run.py, and a little of the seed."""
    script = next(word for word in spec.argv if word.endswith(".py")).rpartition("/")[2]
    if script == "run.py":
        weight = re.search(r"^WEIGHT = (\S+)$", (spec.code / "run.py").read_text(), re.MULTILINE)
        assert weight is not None
        seed = int(spec.argv[spec.argv.index("--seed") + 1])
        return {"number.txt": str(float(weight[1]) + seed % 5 / 16).encode()}
    number = float((spec.data["run"] / "number.txt").read_text())
    seed = int(spec.argv[spec.argv.index("--seed") + 1])
    height = seed % 7 / 8 + (0.0 if "weightless" in spec.argv else number * (1 + seed % 3 / 32))
    return {"metrics.json": json.dumps({"height": height, "tosses": 1}).encode()}


class Ended(Exception):
    """The campaign was to go no further."""


class Untold:
    """Instead of MLflow: nobody is told."""

    trouble = None

    def __init__(self, *_: object) -> None:
        pass

    def __enter__(self) -> Untold:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def put(self, event: Event) -> None:
        pass


@dataclass
class Recorded:
    """Runs the campaign in `root`; `told` may put other metrics into the record than the ones measured."""

    root: Path
    told: Callable[[Execution], Metrics | None] = lambda execution: execution.metrics
    repeatable: bool = True
    manifest: str = CONDITION
    template_folder: str = "mine"
    settings: Mapping[str, object] = field(default_factory=dict)
    sandbox: FakeSandbox = field(default_factory=lambda: FakeSandbox(toss))

    def __post_init__(self) -> None:
        same = "" if self.repeatable else "repeatable = false\n"
        manifest = MANIFEST.replace("confirm = 4\n", f"confirm = 8\n{same}") + self.manifest
        self.home = self.root / "home"
        self.folder = self.home / "campaigns" / NAME
        self.template = Template(make(self.root / "mine", manifest=manifest))

    @property
    def state(self) -> CampaignState:
        return reduce_events(read_journal(self.folder / "journal.jsonl").events)

    @property
    def claim(self) -> Claim:
        return self.state.claims["k1"]

    @property
    def workspace(self) -> Workspace:
        return Workspace.open(self.folder / "repo")

    def begun(self) -> Recorded:
        """Ideas, candidates and what the search saw of them."""
        with self._open() as (campaign, patch), suppress(Ended):
            patch.setattr(rounds, "confirm", _end)
            rounds.run_round(campaign, 1)
        return self

    def confirmed(self) -> Recorded:
        """A whole round: a plan, carried out, claimed and challenged. The campaign stays open."""
        with self._open() as (campaign, _):
            rounds.run_round(campaign, 1)
        return self

    def closed(self) -> Recorded:
        """A paper out of what there is, and the end."""
        self.confirmed()
        with self._open() as (campaign, _):
            write_up(campaign)
            close(campaign, "every round is done")
        return self

    def append(self, kind: str, data: Execution | Claim) -> None:
        """Journal one more event, as whoever holds the campaign could."""
        with FileJournal(self.folder / "journal.jsonl", ticking(), fence=9) as journal:
            journal.append(kind, data)

    @contextmanager
    def _open(self) -> Iterator[tuple[OpenCampaign, pytest.MonkeyPatch]]:
        told = {"name": NAME, "template": "coin", "template_folder": self.template_folder, "sandbox": "process"}
        budget = {"rounds": 1, "ideas_per_round": 2, "plans_per_round": 1}
        spec = CampaignSpec.model_validate({**told, "budget": budget, **self.settings})
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(opened, "open_laboratory", self._laboratory)
            patch.setattr(opened, "Tracker", Untold)
            patch.setattr(rounds, "run_all", self._run_all)
            patch.setattr(registered, "run_all", self._run_all)
            with open_campaign(spec, self.home, ticking(), None) as campaign:
                yield campaign, patch

    @contextmanager
    def _laboratory(self, *_: object) -> Iterator[Laboratory]:
        yield Laboratory(self.sandbox, "process", None, Devices(()))

    def _run_all(self, campaign: OpenCampaign, requests: Sequence[ExecutionRequest]) -> None:
        for request in unfinished(campaign, requests):
            source = campaign.workspace.checkout(request.commit, campaign.folder / "sources" / request.commit)
            campaign.append("execution", self._as_told(prepare_execution(campaign, request, source).run()))

    def _as_told(self, honest: Execution) -> Execution:
        told = self.told(honest)
        if told is None or told == honest.metrics:
            return honest
        text = json.dumps(dict(told)).encode()
        (self.folder / "executions" / honest.key / "score" / "metrics.json").write_bytes(text)
        artifacts = {**honest.artifacts, "score/metrics.json": sha256(text).hexdigest()}
        return honest.model_copy(update={"metrics": told, "artifacts": artifacts})


def _end(*_: object) -> None:
    raise Ended

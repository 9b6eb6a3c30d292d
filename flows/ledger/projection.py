"""The projection: the journal's events as MLflow experiments and runs. Doing it again changes nothing."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.storing import CallFolder
from flows.ledger.audit_calls import CALLS
from flows.ledger.chain import Event
from flows.ledger.database import all_runs, open_client
from flows.ledger.folds import apply
from flows.ledger.state import CampaignState
from flows.ledger.traces import Traces, asked_for, trace_id, trace_view
from flows.ledger.views import (
    CAMPAIGN,
    KEY,
    RunView,
    Times,
    campaign_view,
    candidate_view,
    claims_table,
    execution_view,
    experiment_tags,
    milliseconds,
)
from flows.ledger.workspace import Workspace

if TYPE_CHECKING:
    from mlflow.entities import Run

SMALL = 1 << 20
"""Bytes up to which an execution's output is copied to MLflow; bigger ones stay in the execution's folder."""
EVER = 1 << 62
"""A time in milliseconds that lies behind every trace."""
ENDED = ("FINISHED", "FAILED", "KILLED")


@dataclass
class KnownRun:
    """A run that is in MLflow: where, and the tags and status it was last seen with."""

    run_id: str
    artifacts: str
    status: str
    seq: str | None


def kept_artifacts(folder: Path, artifacts: Mapping[str, str]) -> list[str]:
    """Return the names under an execution's `folder` that MLflow gets a copy of: small, whole, and as journalled."""
    kept = []
    for name, digest in artifacts.items():
        path = folder / name
        inside = path.resolve().is_relative_to(folder.resolve()) and path.is_file() and not path.is_symlink()
        if inside and path.stat().st_size <= SMALL and sha256(path.read_bytes()).hexdigest() == digest:
            kept.append(name)
    return kept


class Projection:
    """Writes one campaign's events to MLflow. Every run bears its key, so nothing is written twice."""

    def __init__(self, home: Path, name: str, prefect_url: str | None = None) -> None:
        """Open the database.

        Raises:
            TrackingError: it cannot be used.
        """
        self._home = home.resolve()
        self._folder = self._home / "campaigns" / name
        self._name = name
        self._prefect_url = prefect_url
        self._client = open_client(home)
        self._experiment = ""
        self._runs: dict[str, KnownRun] = {}
        self._traces: Traces | None = None
        self._calls = CallFolder(self._folder / CALLS)
        self._state = CampaignState()
        self._times = Times()

    def clear(self) -> None:
        """Take every run of the campaign out of sight, and every trace away."""
        self._attach()
        for run in tuple(all_runs(self._client, self._experiment)):
            self._client.delete_run(run.info.run_id)
        self._client.delete_traces(self._experiment, max_timestamp_millis=EVER)
        self._runs, self._traces = {}, None

    def project(self, event: Event) -> None:
        """Show one event. It may be shown again, whole or after a failure half way, with no other outcome.

        Raises:
            EventInvalid: the event contradicts those before it.
            MlflowException: the database refused; nothing is lost, project the event again.
        """
        state = apply(self._state, event)
        self._times[event.seq] = milliseconds(event)
        if not self._experiment:
            self._attach()
        show = self._by_kind().get(event.kind)
        if show is not None:
            show(state, event)
        self._state = state

    def _by_kind(self) -> Mapping[str, Callable[[CampaignState, Event], None]]:
        return {
            "campaign": self._campaign,
            "candidate": self._candidate,
            "execution": self._execution,
            "call": self._call,
            "screened": self._screened,
            "plan": self._plan,
            "claim": self._claim,
            "discard": self._discard,
            "paper": self._paper,
            "closed": self._closed,
        }

    def _attach(self) -> None:
        """Find or create the experiment and learn which runs are there."""
        found = self._client.get_experiment_by_name(self._name)
        if found is None:
            place = self._home / "mlflow" / "artifacts" / self._name
            self._experiment = self._client.create_experiment(self._name, artifact_location=place.as_uri())
        else:
            if found.lifecycle_stage == "deleted":
                self._client.restore_experiment(found.experiment_id)
            self._experiment = found.experiment_id
        for run in all_runs(self._client, self._experiment):
            if KEY in run.data.tags:
                self._runs[run.data.tags[KEY]] = _known(run)

    def _campaign(self, state: CampaignState, event: Event) -> None:
        for key, value in experiment_tags(state, self._prefect_url).items():
            self._client.set_experiment_tag(self._experiment, key, value)
        self._write(campaign_view(state, self._times), event)

    def _candidate(self, state: CampaignState, event: Event) -> None:
        known = self._show_candidate(state, event.data["id"], event)
        repository = self._folder / "repo"
        if event.data.get("parent") and repository.exists():
            diff = Workspace.open(repository).diff(event.data["commit"])
            self._keep_text(known, "diff.patch", diff)
        led_here = [
            trace_id(state, key)
            for key, call in state.calls.items()
            if event.data["id"] in asked_for(state, call, state.seqs[key])
        ]
        if led_here:
            self._of_calls().link(led_here, known.run_id)

    def _call(self, state: CampaignState, event: Event) -> None:
        view = trace_view(state, event.data["key"], self._times, self._calls)
        self._of_calls().show(view, self._runs[CAMPAIGN].run_id)
        for candidate in view.candidates:
            self._of_calls().link([view.id], self._runs[candidate].run_id)

    def _of_calls(self) -> Traces:
        """Return what writes traces; a campaign without models never asks for it."""
        if self._traces is None:
            self._traces = Traces(self._client, self._experiment)
        return self._traces

    def _screened(self, state: CampaignState, event: Event) -> None:
        self._show_candidate(state, event.data["candidate"], event)

    def _show_candidate(self, state: CampaignState, id_: str, event: Event) -> KnownRun:
        return self._write(candidate_view(state, id_, self._times), event)

    def _execution(self, state: CampaignState, event: Event) -> None:
        view = execution_view(state, event.data["key"], self._times)
        known = self._runs.get(view.key)
        if known is not None and known.status in ENDED and known.seq == str(event.seq):
            return  # Written to its end before, by a process that came earlier.
        self._write(view, event, files=self._execution_files(event))

    def _execution_files(self, event: Event) -> dict[str, Path]:
        folder = self._folder / "executions" / event.data["key"]
        return {name: folder / name for name in kept_artifacts(folder, event.data["artifacts"])}

    def _plan(self, state: CampaignState, event: Event) -> None:
        text = json.dumps(event.data, indent=1, sort_keys=True)
        self._keep_text(self._write(campaign_view(state, self._times), event), f"plans/{event.data['id']}.json", text)

    def _claim(self, state: CampaignState, event: Event) -> None:
        self._show_candidate(state, event.data["candidate"], event)
        known = self._write(campaign_view(state, self._times), event)
        self._keep_text(known, "claims.json", json.dumps(claims_table(state)))
        # This tag is how MLflow's page knows that the file is a table.
        shown = json.dumps([{"path": "claims.json", "type": "table"}])
        self._client.set_tag(known.run_id, "mlflow.loggedArtifacts", shown)

    def _discard(self, state: CampaignState, event: Event) -> None:
        for candidate in state.candidates.values():
            if candidate.idea == event.data["idea"]:
                self._show_candidate(state, candidate.id, event)

    def _paper(self, state: CampaignState, event: Event) -> None:
        known = self._write(campaign_view(state, self._times), event)
        wanted = set(_digests(event.data))
        for path in sorted((self._folder / "paper").rglob("*")):
            if path.is_file() and sha256(path.read_bytes()).hexdigest() in wanted:
                self._keep(known, path.relative_to(self._folder).as_posix(), path)

    def _closed(self, state: CampaignState, event: Event) -> None:
        for id_ in state.candidates:
            self._show_candidate(state, id_, event)
        self._write(campaign_view(state, self._times), event)

    def _write(self, view: RunView, event: Event, files: Mapping[str, Path] | None = None) -> KnownRun:
        """Bring one run up to its view: the run, its files, its numbers, and its end last of all."""
        from mlflow.entities import Metric, Param, RunTag

        created = view.key not in self._runs
        known = self._create(view) if created else self._runs[view.key]
        for name, path in (files or {}).items():
            self._keep(known, name, path)
        at = milliseconds(event)
        self._client.log_batch(
            known.run_id,
            metrics=[Metric(key, value, at, 0) for key, value in view.metrics.items()],
            params=[Param(key, value) for key, value in view.params.items()],
            tags=[] if created else [RunTag(key, value) for key, value in view.tags.items()],
        )
        if view.status is not None:
            self._client.set_terminated(known.run_id, view.status, view.end)
            known.status, known.seq = view.status, view.tags.get("journal_seq")
        return known

    def _create(self, view: RunView) -> KnownRun:
        tags = {KEY: view.key, "mlflow.user": "hypoloop", **view.tags}
        if view.parent is not None:
            tags["mlflow.parentRunId"] = self._runs[view.parent].run_id
        run = self._client.create_run(self._experiment, start_time=view.start, tags=tags, run_name=view.name)
        self._runs[view.key] = _known(run)
        return self._runs[view.key]

    def _keep(self, known: KnownRun, name: str, path: Path) -> None:
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        store: Any = get_artifact_repository(known.artifacts)
        store.log_artifact(str(path), str(Path(name).parent) if "/" in name else None)

    def _keep_text(self, known: KnownRun, name: str, text: str) -> None:
        with tempfile.TemporaryDirectory(prefix="hypoloop-") as scratch:
            path = Path(scratch) / Path(name).name
            path.write_text(text, encoding="utf-8")
            self._keep(known, name, path)


def _known(run: Run) -> KnownRun:
    return KnownRun(run.info.run_id, run.info.artifact_uri, run.info.status, run.data.tags.get("journal_seq"))


def _digests(value: Any) -> Iterator[str]:
    """Yield every SHA-256 that a payload speaks of."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _digests(inner)
    elif isinstance(value, str) and len(value) == 64:
        yield value

"""What MLflow shows, held against what the journal says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlparse

from agents.storing import CallFolder
from flows.ledger.audit_calls import CALLS
from flows.ledger.chain import Event
from flows.ledger.database import all_runs, open_client
from flows.ledger.errors import TrackingError
from flows.ledger.folds import reduce_events
from flows.ledger.projection import SMALL
from flows.ledger.state import CampaignState
from flows.ledger.traced import trace_mismatches
from flows.ledger.traces import trace_views
from flows.ledger.views import KEY, RunView, Times, views

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run


def check_projection(events: Sequence[Event], home: Path, name: str) -> list[str]:
    """Return every mismatch between the journal and MLflow as a sentence; none means that they agree.

    Every execution and candidate has exactly one run with the journal's numbers, parameters, tags and files, every call
    to a model one trace with its tokens, price and text; a run or trace that no event speaks of is a mismatch too.

    Raises:
        TrackingError: MLflow cannot be read.
    """
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    state, times = reduce_events(events), Times.of(events)
    client = open_client(home)
    try:
        experiment = client.get_experiment_by_name(name)
        if experiment is None or experiment.lifecycle_stage == "deleted":
            return [f"MLflow has no experiment {name!r}."]
        runs = list(all_runs(client, experiment.experiment_id))
        folder = home / "campaigns" / name
        told = trace_views(state, times, CallFolder(folder / CALLS))
        return [
            *_mismatches(client, runs, views(state, times), state, folder),
            *_readable(trace_mismatches(client, experiment.experiment_id, told, _ids(runs))),
        ]
    except (MlflowException, SQLAlchemyError) as error:
        raise TrackingError(f"MLflow cannot be read: {error}") from error


def _mismatches(
    client: MlflowClient, runs: Sequence[Run], wanted: Mapping[str, RunView], state: CampaignState, folder: Path
) -> Iterator[str]:
    by_key: dict[str, list[Run]] = {}
    for run in runs:
        by_key.setdefault(run.data.tags.get(KEY, ""), []).append(run)
    for key, found in by_key.items():
        if key not in wanted:
            yield from (f"MLflow run {_called(run)} belongs to no event of the journal." for run in found)
        elif len(found) > 1:
            yield f"MLflow has {len(found)} runs for {key}; there must be one."
    for key, view in wanted.items():
        if key not in by_key:
            yield f"MLflow has no run for {view.name} ({key}), which the journal holds{_where(view)}."
            continue
        for run in by_key[key]:
            yield from _of_run(client, run, view)
            if key in state.executions:
                yield from _of_files(run, state.executions[key].artifacts, folder / "executions" / key)


def _of_run(client: MlflowClient, run: Run, view: RunView) -> Iterator[str]:
    """Yield the mismatches of one run. Only what the view speaks of is compared, except for numbers: none extra."""
    who = f"MLflow run {_called(run)}"
    where = f"the journal{_where(view)}"
    for name in sorted(view.metrics.keys() | run.data.metrics.keys()):
        expected, shown = view.metrics.get(name), run.data.metrics.get(name)
        if shown != expected:
            yield f"{who} says {name} {_or_nothing(shown)}, {where} says {_or_nothing(expected)}."
        elif view.parent is not None:
            yield from (
                f"{who} charts {name} {point.value}, {where} says {expected}."
                for point in client.get_metric_history(run.info.run_id, name)
                if point.value != expected
            )
    for kind, expected_texts, shown_texts in (
        ("parameter", view.params, run.data.params), ("tag", view.tags, run.data.tags)
    ):  # fmt: skip
        for name, text in expected_texts.items():
            if shown_texts.get(name) != text:
                yield f"{who} has {kind} {name} {_or_nothing(shown_texts.get(name))}, {where} says {text}."
    if view.status is not None and run.info.status != view.status:
        yield f"{who} reads {run.info.status}, {where} says {view.status}."


def _of_files(run: Run, artifacts: Mapping[str, str], source: Path) -> Iterator[str]:
    """Yield the copies that differ from the journal, and small files of which there is none."""
    place = Path(unquote(urlparse(run.info.artifact_uri).path))
    for name, digest in artifacts.items():
        copy, original = place / name, source / name
        if copy.is_file():
            if sha256(copy.read_bytes()).hexdigest() != digest:
                yield f"MLflow run {_called(run)} holds another {name} than the journal says."
        elif original.is_file() and original.stat().st_size <= SMALL:
            yield f"MLflow run {_called(run)} lacks {name}."


def _readable(mismatches: Iterator[str]) -> Iterator[str]:
    """Yield what is found; traces that make no sense, of which MLflow trips over the first, are a mismatch too."""
    try:
        yield from mismatches
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        yield f"The traces in MLflow cannot be read: {type(error).__name__}: {error}"


def _ids(runs: Sequence[Run]) -> dict[str, str]:
    return {run.data.tags[KEY]: run.info.run_id for run in runs if KEY in run.data.tags}


def _called(run: Run) -> str:
    return f"{run.info.run_id[:8]} ({run.info.run_name})"


def _where(view: RunView) -> str:
    seq = view.tags.get("journal_seq")
    return f" (event {seq})" if seq else ""


def _or_nothing(value: object) -> str:
    return "nothing" if value is None else str(value)

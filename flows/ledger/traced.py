"""What MLflow shows of calls to models, held against what the journal and the kept calls say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from flows.ledger.traces import COST, SOURCE, TraceView, all_traces
from flows.ledger.views import CAMPAIGN, KEY

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Trace

SHORT = 60
"""Characters of a value that are told of."""


def trace_mismatches(
    client: MlflowClient, experiment: str, views: Iterable[TraceView], runs: Mapping[str, str]
) -> Iterator[str]:
    """Yield what the traces of `experiment` say that `views` do not; `runs` maps keys of runs to their ids.

    Raises:
        MlflowException: MLflow cannot be read.
    """
    wanted = {view.key: view for view in views}
    found: dict[str, list[str]] = {}
    for trace in all_traces(client, experiment, spans=False):
        key = trace.info.tags.get(KEY, "")
        found.setdefault(key, []).append(trace.info.trace_id)
        if key in wanted:
            yield from _of_info(trace, wanted[key], runs.get(CAMPAIGN))
        else:
            yield f"MLflow trace {_called(trace)} belongs to no call of the journal."
    for key, view in wanted.items():
        if key not in found:
            yield f"MLflow has no trace for {view.name} ({key[:12]}), which the journal holds{_where(view)}."
        elif len(found[key]) > 1:
            yield f"MLflow has {len(found[key])} traces for {view.name} ({key[:12]}); there must be one."
    if wanted:
        yield from _of_spans(client, experiment, {id_: wanted[key] for key in wanted for id_ in found.get(key, ())})
        yield from _of_lists(client, experiment, wanted, runs)


def _of_info(trace: Trace, view: TraceView, campaign: str | None) -> Iterator[str]:
    """Yield the mismatches of what stands above a trace. Only what the view speaks of is compared."""
    info = trace.info
    yield from _unequal(
        trace,
        view,
        [
            *((name, info.token_usage and info.token_usage.get(name), count) for name, count in view.tokens.items()),
            ("price", info.cost and info.cost.get("total_cost"), view.price),
            ("begins at", info.request_time, view.start),
            ("milliseconds", info.execution_duration, view.end - view.start),
            ("run", info.trace_metadata.get(SOURCE), campaign),
            ("mlflow.traceName", info.tags.get("mlflow.traceName"), view.name),
            *((f"tag {name}", info.tags.get(name), text) for name, text in view.tags.items()),
        ],
    )


def _of_spans(client: MlflowClient, experiment: str, wanted: Mapping[str, TraceView]) -> Iterator[str]:
    """Yield the mismatches of what traces hold; `wanted` maps their ids to views."""
    missing = dict(wanted)
    for trace in all_traces(client, experiment, spans=True):
        view = missing.pop(trace.info.trace_id, None)
        if view is None:
            continue
        if len(trace.data.spans) != 1:
            yield f"MLflow trace {_called(trace)} has {len(trace.data.spans)} spans; a call is one."
        for span in trace.data.spans:
            expected = {COST: None, **view.attributes}
            yield from _unequal(
                trace, view, [(name, span.get_attribute(name), value) for name, value in expected.items()]
            )
    for id_, view in missing.items():
        yield f"MLflow trace {id_[:11]} ({view.name}) holds nothing of what was asked and answered{_where(view)}."


def _unequal(trace: Trace, view: TraceView, pairs: Sequence[tuple[str, object, object]]) -> Iterator[str]:
    """Yield what is shown and is not as expected, out of names, what is shown and what is expected."""
    for name, shown, expected in pairs:
        if shown != expected:
            who = f"MLflow trace {_called(trace)} says {name} {_short(shown)}"
            yield f"{who}, the journal{_where(view)} says {_short(expected)}."


def _of_lists(
    client: MlflowClient, experiment: str, wanted: Mapping[str, TraceView], runs: Mapping[str, str]
) -> Iterator[str]:
    """Yield the runs of candidates that list other calls than those asked for them."""
    for key, run in runs.items():
        expected = {view.key for view in wanted.values() if key in view.candidates}
        if not key.startswith("candidate/"):
            continue
        listed = {trace.info.tags.get(KEY, "") for trace in all_traces(client, experiment, spans=False, run=run)}
        if listed != expected:
            yield (
                f"MLflow run {run[:8]} ({key}) lists {len(listed & expected)} of the {len(expected)} calls that were "
                f"asked for it, and {len(listed - expected)} others."
            )


def _called(trace: Trace) -> str:
    return f"{trace.info.trace_id[:11]} ({trace.info.tags.get('mlflow.traceName')})"


def _where(view: TraceView) -> str:
    return f" (event {view.tags['journal_seq']})"


def _short(value: object) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= SHORT else f"{text[:SHORT]}..."

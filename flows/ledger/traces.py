"""Traces: every call to a model as MLflow shows it, under the run of the candidate that it was asked for."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from agents.asking import Stored
from agents.errors import StoredCallDamaged
from agents.model import ModelCall
from agents.storing import CallFolder
from flows.ledger.state import CampaignState
from flows.ledger.views import KEY, Times, candidate_key, tagged

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Trace, TraceInfo

MOST_SHOWN = 20_000
"""Characters of one message that are shown; the whole of it lies in the campaign's folder."""
GLANCE = 500
LINKS = 100
"""Traces that MLflow links to a run at a time."""
PAGE = 100
SOURCE = "mlflow.sourceRun"
COST = "mlflow.llm.cost"
STORED = "mlflow.trace.spansLocation"


@dataclass(frozen=True)
class TraceView:
    """One MLflow trace. `id` follows from campaign and key; times in milliseconds since 1970; `price` in US dollars.

    `attributes` are those of its one span, under MLflow's names where it has one; without what was asked and answered
    where that is not kept. `candidates` are the keys of the runs that list it beside the campaign's.
    """

    key: str
    id: str
    name: str
    start: int
    end: int
    tokens: Mapping[str, int]
    price: float | None
    attributes: Mapping[str, Any]
    tags: Mapping[str, str]
    candidates: tuple[str, ...]


def trace_view(state: CampaignState, key: str, times: Times, calls: CallFolder) -> TraceView:
    """Return the trace of a call; `calls` is where the campaign keeps what was asked and answered."""
    call, seq = state.calls[key], state.seqs[key]
    end = times[seq]
    tokens = {
        "input_tokens": call.input, "output_tokens": call.output, "total_tokens": call.input + call.output,
        "cache_read_input_tokens": call.cached,
    }  # fmt: skip
    return TraceView(
        key=key,
        id=trace_id(state, key),
        name=" ".join(filter(None, (call.role, call.stage, call.about)))[:200],
        start=end - round(1000 * call.seconds),
        end=end,
        tokens=tokens,
        price=call.price,
        attributes={
            "mlflow.spanType": "CHAT_MODEL",
            "mlflow.llm.model": call.model,
            **_charged(call, tokens),
            **_content(key, calls),
        },
        tags=tagged(
            {KEY: key, "kind": "call", "journal_seq": seq}
            | call.model_dump(include={"digest", "role", "stage", "about", "model", "requests", "seconds"})
            | {"price": "unknown" if call.price is None else call.price, "cached_tokens": call.cached}
            | {"tokens": "estimated" if call.estimated else "counted by the endpoint"}
        ),
        candidates=tuple(candidate_key(id_) for id_ in asked_for(state, call, seq)),
    )


def trace_id(state: CampaignState, key: str) -> str:
    """Return what a call's trace is named: campaigns that ask the same have a trace each."""
    return f"tr-{sha256(f'{state.name} {key}'.encode()).hexdigest()[:32]}"


def trace_views(state: CampaignState, times: Times, calls: CallFolder) -> Iterator[TraceView]:
    """Yield every trace that has to be there, in journal order."""
    return (trace_view(state, key, times, calls) for key in state.calls)


def asked_for(state: CampaignState, call: ModelCall, seq: int) -> tuple[str, ...]:
    """Return the candidates that event `seq` belongs to: the one that stood, and the one that came of it."""
    if call.about in state.claims and state.seqs[call.about] < seq:
        return (state.claims[call.about].candidate,)
    mine = [
        candidate.id for candidate in state.candidates.values()
        if candidate.idea == call.about and not candidate.branch.startswith("challenge/")
    ]  # fmt: skip
    stood = [id_ for id_ in mine if state.seqs[id_] < seq]
    return (*stood[-1:], *mine[len(stood) : len(stood) + 1])


def _charged(call: ModelCall, tokens: Mapping[str, int]) -> dict[str, Any]:
    """Return what a span says of tokens and price. Without a price it says nothing: its trace tells the tokens.

    Where a span knows model and tokens and no price, MLflow takes one from a price list of its own.
    """
    if call.price is None:
        return {}
    return {"mlflow.chat.tokenUsage": dict(tokens), COST: {"total_cost": call.price}}


def _content(key: str, calls: CallFolder) -> dict[str, Any]:
    """Return what was asked and answered; nothing where it is not kept whole, which the audit of calls tells."""
    try:
        stored = calls.get(key)
    except (StoredCallDamaged, OSError):
        stored = None
    return {} if stored is None else _asked(stored)


def _asked(stored: Stored) -> dict[str, Any]:
    call, reply = stored.call, stored.reply
    asked = [{"role": message.role, "content": _cut(message.content)} for message in call.messages]
    answered = {"message": {"role": "assistant", "content": _cut(reply.text)}, "finish_reason": reply.finish}
    return {
        "mlflow.spanInputs": {"messages": asked, "answer": call.answer, "max_tokens": call.max_tokens},
        "mlflow.spanOutputs": {"choices": [answered]},
    }


def _cut(text: str) -> str:
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]} [... {len(text) - MOST_SHOWN} characters more]"


class Traces:
    """Writes traces to one experiment, each once. The store is asked what is there when the first one comes."""

    def __init__(self, client: MlflowClient, experiment: str) -> None:
        """Write to `experiment` of the database that `client` uses."""
        from mlflow.tracing.client import TracingClient

        # The client's own way to write a trace goes through settings of the whole process, and later, in a thread.
        self._store: Any = TracingClient(client.tracking_uri)
        self._client, self._experiment = client, experiment
        self._there = {
            trace.info.trace_id: trace.info.trace_metadata.get(SOURCE)
            for trace in all_traces(client, experiment, spans=False)
            if STORED in trace.info.tags and KEY in trace.info.tags
        }

    def show(self, view: TraceView, campaign: str) -> None:
        """Bring one trace up to its view, under the run `campaign`.

        Raises:
            MlflowException: the database refused.
        """
        if self._there.get(view.id) == campaign:
            return
        # The trace goes first: the sums that it bears then stand, and its span adds none.
        self._store.start_trace(self._info(view, campaign))
        self._store.log_spans(self._experiment, [_span(view)])
        self._there[view.id] = campaign

    def link(self, ids: list[str], run: str) -> None:
        """List traces under a run; those that are listed already stay as they are.

        Raises:
            MlflowException: the database refused.
        """
        for first in range(0, len(ids), LINKS):
            self._client.link_traces_to_run(ids[first : first + LINKS], run)

    def _info(self, view: TraceView, campaign: str) -> TraceInfo:
        from mlflow.entities import TraceInfo, TraceLocation, TraceState

        asked, answered = (view.attributes.get(name) for name in ("mlflow.spanInputs", "mlflow.spanOutputs"))
        told = {SOURCE: campaign, "mlflow.trace.tokenUsage": json.dumps(view.tokens)}
        if view.price is not None:
            told["mlflow.trace.cost"] = json.dumps({"total_cost": view.price})
        return TraceInfo(
            trace_id=view.id,
            trace_location=TraceLocation.from_experiment_id(self._experiment),
            request_time=view.start,
            execution_duration=view.end - view.start,
            state=TraceState.OK,
            request_preview=asked["messages"][-1]["content"][:GLANCE] if asked else None,
            response_preview=answered["choices"][0]["message"]["content"][:GLANCE] if answered else None,
            trace_metadata=told,
            tags={"mlflow.traceName": view.name, **view.tags},
        )


def all_traces(client: MlflowClient, experiment: str, spans: bool, run: str | None = None) -> Iterator[Trace]:
    """Yield every trace of an experiment, or those that `run` lists; with what they hold only where `spans`."""
    token = None
    while True:
        page = client.search_traces(
            locations=[experiment], run_id=run, include_spans=spans, max_results=PAGE, page_token=token
        )
        yield from page
        token = page.token
        if not token:
            return


def _span(view: TraceView) -> Any:
    from mlflow.entities import Span

    number = bytes.fromhex(view.id.removeprefix("tr-"))
    attributes = {"mlflow.traceRequestId": view.id, **view.attributes}
    return Span.from_dict(
        {
            "trace_id": b64encode(number).decode(),
            "span_id": b64encode(number[:8]).decode(),
            "parent_span_id": None,
            "name": view.name,
            "start_time_unix_nano": view.start * 1_000_000,
            "end_time_unix_nano": view.end * 1_000_000,
            "events": [],
            "status": {"code": "STATUS_CODE_OK", "message": ""},
            "attributes": {name: json.dumps(value, ensure_ascii=False) for name, value in attributes.items()},
        }
    )

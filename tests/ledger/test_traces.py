"""Every call to a model is an MLflow trace: once, with its tokens, price and text, under its candidate."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flows.ledger.database import all_runs, open_client
from flows.ledger.errors import TrackingError
from flows.ledger.folds import reduce_events
from flows.ledger.projected import check_projection
from flows.ledger.traces import MOST_SHOWN, all_traces, asked_for
from flows.ledger.tracking import Tracker, rebuild
from flows.ledger.views import KEY
from tests.ledger.asking import LONG, Asking
from tests.ledger.sample import SampleCampaign

pytestmark = pytest.mark.mlflow

TABLES = ("trace_info", "trace_tags", "trace_request_metadata", "spans", "entity_associations")
NAMES = {
    "ideator ideas": [], "coder code i1": ["c1"], "repairer code i1": ["c1", "c2"], "falsifier challenge k1": ["c1"],
    "writer paper": [],
}  # fmt: skip
"""Traces and the candidates whose runs list them."""


@pytest.fixture(scope="session")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Asking:
    sample = Asking(tmp_path_factory.mktemp("asking"))
    sample.whole()
    rebuild(sample.home, sample.name, sample.events())
    return sample


@pytest.fixture
def altered(asking: Asking) -> Iterator[sqlite3.Connection]:
    """The database to tamper with; what a test changes is put back."""
    with closing(sqlite3.connect(asking.home / "mlflow" / "mlflow.db")) as connection:
        before = sqlite3.connect(":memory:")
        connection.backup(before)
        yield connection
        connection.commit()
        before.backup(connection)
        before.close()


def faults(sample: Asking, home: Path | None = None) -> list[str]:
    return check_projection(sample.events(), home or sample.home, sample.name)


def traces(home: Path, spans: bool = True) -> dict[str, Any]:
    """Every trace by its name."""
    found = list(all_traces(open_client(home), "1", spans=spans))
    by_name = {trace.info.tags["mlflow.traceName"]: trace for trace in found}
    assert len(by_name) == len(found)
    return by_name


def rows(home: Path) -> list[Any]:
    with closing(sqlite3.connect(home / "mlflow" / "mlflow.db")) as connection:
        return [sorted(connection.execute(f"SELECT * FROM {table}").fetchall(), key=repr) for table in TABLES]


def listed(home: Path, run: str) -> set[str]:
    return {t.info.tags["mlflow.traceName"] for t in all_traces(open_client(home), "1", spans=False, run=run)}


def test_every_call_is_a_trace_with_what_it_used_and_said(asking: Asking) -> None:
    assert faults(asking) == []
    found = traces(asking.home)
    assert found.keys() == NAMES.keys()
    repair = found["repairer code i1"]
    assert repair.info.token_usage == {
        "input_tokens": 100, "output_tokens": 20, "total_tokens": 120, "cache_read_input_tokens": 30
    }  # fmt: skip
    assert repair.info.cost == {"total_cost": 0.5}
    (span,) = repair.data.spans
    assert (span.span_type, span.get_attribute("mlflow.llm.model")) == ("CHAT_MODEL", "m")
    assert span.inputs["messages"][-1] == {"role": "user", "content": "Well, repairer?"}
    assert span.outputs["choices"] == [{"message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}]
    event = next(e for e in asking.events() if e.kind == "call" and e.data["role"] == "repairer")
    assert repair.info.tags["journal_seq"] == str(event.seq)
    assert repair.info.request_time + 2500 == int(event.at.timestamp() * 1000)
    assert repair.info.execution_duration == 2500


def test_a_price_that_nobody_knows_is_not_made_up_from_a_list(asking: Asking) -> None:
    idea = traces(asking.home)["ideator ideas"]
    assert idea.info.tags["model"] == "gpt-4o"
    assert (idea.info.tags["price"], idea.info.cost) == ("unknown", None)
    assert idea.data.spans[0].get_attribute("mlflow.llm.cost") is None


def test_long_texts_are_shown_in_part(asking: Asking) -> None:
    said = traces(asking.home)["coder code i1"].data.spans[0].outputs["choices"][0]["message"]["content"]
    assert said == f"{LONG[:MOST_SHOWN]} [... {len(LONG) - MOST_SHOWN} characters more]"


def test_calls_are_listed_under_the_candidate_they_led_to_and_all_under_the_campaign(asking: Asking) -> None:
    client = open_client(asking.home)
    runs = {run.data.tags[KEY]: run.info.run_id for run in all_runs(client, "1")}
    assert listed(asking.home, runs["campaign"]) == NAMES.keys()
    for candidate in ("c0", "c1", "c2"):
        expected = {name for name, candidates in NAMES.items() if candidate in candidates}
        assert listed(asking.home, runs[f"candidate/{candidate}"]) == expected


def test_showing_them_again_changes_not_one_row(asking: Asking) -> None:
    before = rows(asking.home)
    assert all(before)
    rebuild(asking.home, asking.name, asking.events())
    assert rows(asking.home) == before


def test_a_fresh_rebuild_shows_them_again_under_the_new_runs(asking: Asking, altered: sqlite3.Connection) -> None:
    altered.execute("UPDATE trace_info SET input_tokens = 7")
    altered.commit()
    rebuild(asking.home, asking.name, asking.events(), fresh=True)
    assert faults(asking) == []


def test_traces_follow_the_run_of_the_campaign_when_it_is_made_anew(
    asking: Asking, altered: sqlite3.Connection
) -> None:
    altered.execute("UPDATE runs SET lifecycle_stage = 'deleted' WHERE name = 'campaign'")
    altered.commit()
    rebuild(asking.home, asking.name, asking.events())
    assert faults(asking) == []


def test_a_call_belongs_to_what_stood_then_and_to_what_came_of_it(asking: Asking) -> None:
    state = reduce_events(asking.events())
    by_role = {call.role: (call, state.seqs[key]) for key, call in state.calls.items()}
    coder, repairer, falsifier = (by_role[role] for role in ("coder", "repairer", "falsifier"))
    assert asked_for(state, *coder) == ("c1",)
    assert asked_for(state, *repairer) == ("c1", "c2")
    assert asked_for(state, *falsifier) == ("c1",)
    assert asked_for(state, falsifier[0], state.seqs["k1"] - 1) == ()
    attack = state.candidates["c2"].model_copy(update={"id": "c3", "branch": "challenge/k1"})
    attacked = replace(state, candidates={**state.candidates, "c3": attack}, seqs={**state.seqs, "c3": state.last})
    assert asked_for(attacked, repairer[0], state.last - 1) == ("c2",)


@pytest.mark.parametrize(
    ("tampering", "says"),
    [
        ("UPDATE trace_info SET input_tokens = 9 WHERE trace_name LIKE 'coder%'", "says input_tokens 9, the journal"),
        ("UPDATE trace_info SET output_tokens = NULL WHERE trace_name LIKE 'coder%'", "says output_tokens nothing"),
        ("UPDATE trace_info SET total_cost = 0.1 WHERE trace_name LIKE 'coder%'", "says price 0.1, the journal (event"),
        ("UPDATE trace_info SET total_cost = 0.0 WHERE trace_name LIKE 'writer%'", "says price 0.0, the journal (ev"),
        ("UPDATE trace_info SET trace_name = 'x' WHERE trace_name LIKE 'coder%'", "says mlflow.traceName x"),
        ("UPDATE trace_info SET timestamp_ms = 5 WHERE trace_name LIKE 'coder%'", "says begins at 5, the journal"),
        ("UPDATE trace_tags SET value = 'n' WHERE key = 'model'", "says tag model n, the journal"),
        ("UPDATE trace_request_metadata SET value = 'r' WHERE key = 'mlflow.sourceRun'", "says run r, the journal"),
        ("UPDATE spans SET content = replace(content, 'Well, coder', 'Now, coder')", "says mlflow.spanInputs {'mess"),
        ("DELETE FROM spans WHERE name LIKE 'coder%'", "holds nothing of what was asked and answered (event"),
        ("INSERT INTO trace_info SELECT 'tr-0', experiment_id, 1, 1, 'OK', NULL, '', '', 1, 'x', NULL, 1, 1, 2, 0, "
         "NULL, NULL, 0, 0, 0 FROM experiments WHERE name = 'ising'", "trace tr-0 (x) belongs to no call of the"),
        ("INSERT INTO spans (trace_id, experiment_id, span_id, name, status, start_time_unix_nano, content) SELECT "
         "trace_id, experiment_id, 'ff', name, status, start_time_unix_nano, content FROM spans", "has 2 spans; a"),
        ('UPDATE spans SET content = replace(content, \'"attributes": {\', \'"attributes": {"mlflow.llm.cost": '
         '"{\\"total_cost\\": 1}", \') WHERE name LIKE "writer%"', "says mlflow.llm.cost {'total_cost': 1}, the jour"),
        ("UPDATE spans SET content = '{' WHERE name LIKE 'coder%'", "The traces in MLflow cannot be read: JSONDecode"),
        ("DELETE FROM trace_tags WHERE key = 'hypoloop.key'", "belongs to no call of the journal"),
        ("DELETE FROM trace_info WHERE trace_name LIKE 'coder%'", "has no trace for coder code i1 ("),
        ("UPDATE trace_tags SET value = (SELECT min(value) FROM trace_tags WHERE key = 'hypoloop.key') "
         "WHERE key = 'hypoloop.key'", "has 5 traces for"),
        ("DELETE FROM entity_associations", "(candidate/c1) lists 0 of the 3 calls that were asked for it, and 0 oth"),
        ("UPDATE entity_associations SET destination_id = (SELECT run_uuid FROM tags WHERE key = 'hypoloop.key' AND "
         "value = 'candidate/c0') WHERE destination_id = (SELECT run_uuid FROM tags WHERE key = 'hypoloop.key' AND "
         "value = 'candidate/c2')", "(candidate/c0) lists 0 of the 0 calls that were asked for it, and 1 others"),
    ],
)  # fmt: skip
def test_what_was_altered_in_the_database_is_found(
    asking: Asking, altered: sqlite3.Connection, tampering: str, says: str
) -> None:
    assert altered.execute(tampering).rowcount > 0
    altered.commit()
    assert any(says in fault for fault in faults(asking)), faults(asking)


class TestWhatGoesWrong:
    @pytest.fixture
    def home(self, asking: Asking, tmp_path: Path) -> Path:
        """A home with the files of the campaign and a database with its tables alone."""
        shutil.copytree(asking.home / "campaigns", tmp_path / "campaigns")
        (tmp_path / "mlflow").mkdir()
        with (
            closing(sqlite3.connect(asking.home / "mlflow" / "mlflow.db")) as source,
            closing(sqlite3.connect(tmp_path / "mlflow" / "mlflow.db")) as copy,
        ):
            source.backup(copy)
            for table in (*TABLES, "experiments", "runs", "metrics", "latest_metrics", "params", "tags"):
                copy.execute(f"DELETE FROM {table}")
            copy.commit()
        return tmp_path

    def test_a_call_that_is_not_kept_whole_is_a_trace_without_text(self, asking: Asking, home: Path) -> None:
        folder = home / "campaigns" / asking.name / "calls"
        missing, damaged = sorted(folder.iterdir())[:2]
        missing.unlink()
        damaged.write_text(damaged.read_text()[:-40])
        with Tracker(home, asking.name) as tracker:
            for event in asking.events():
                tracker.put(event)
        assert tracker.trouble is None
        assert faults(asking, home) == []
        found = {trace.info.tags[KEY]: trace for trace in traces(home).values()}
        assert [key for key, t in found.items() if t.data.spans[0].inputs is None] == sorted(
            (missing.stem, damaged.stem), key=list(found).index
        )

    def test_a_trace_that_broke_off_half_way_is_made_good(
        self, asking: Asking, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
        from mlflow.tracing.client import TracingClient

        for owner, name in ((TracingClient, "log_spans"), (MlflowClient, "link_traces_to_run")):
            monkeypatch.setattr(owner, name, failing(getattr(owner, name), MlflowException("database is locked")))
            with pytest.raises(TrackingError, match="locked"):
                rebuild(home, asking.name, asking.events())
        rebuild(home, asking.name, asking.events())
        assert faults(asking, home) == []

    def test_a_campaign_without_calls_never_looks_for_traces(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("flows.ledger.projection.Traces", lambda *_: pytest.fail("asked for traces"))
        sample = SampleCampaign(home, "quiet")
        sample.begin()
        rebuild(sample.home, sample.name, sample.events())

    def test_two_campaigns_that_ask_the_same_have_a_trace_each(self, asking: Asking, home: Path) -> None:
        for name in ("one", "two"):
            (home / "campaigns" / name).symlink_to(home / "campaigns" / asking.name)
            events = [renamed(event, name) for event in asking.events()]
            rebuild(home, name, events)
        for name in ("one", "two"):
            events = [renamed(event, name) for event in asking.events()]
            assert check_projection(events, home, name) == []


def renamed(event: Any, name: str) -> Any:
    if event.kind != "campaign":
        return event
    spec = {**event.data["spec"], "name": name}
    return event.model_copy(update={"data": {**event.data, "spec": spec}})


def failing(whole: Any, error: Exception) -> Any:
    """Return `whole` so that it fails the first time."""
    calls: list[object] = []

    def once(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 1:
            raise error
        return whole(*arguments)

    return once

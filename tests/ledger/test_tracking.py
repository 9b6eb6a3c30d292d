"""MLflow shows what the journal says, each thing once, and its failure stops nothing."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from flows.ledger.database import all_runs, open_client, run_links
from flows.ledger.errors import TrackingError
from flows.ledger.journal import Event
from flows.ledger.projected import check_projection
from flows.ledger.tracking import Tracker, rebuild
from flows.ledger.views import KEY
from tests.ledger.sample import SampleCampaign

pytestmark = pytest.mark.mlflow


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory) -> SampleCampaign:
    """A whole campaign that was shown in MLflow once; tests work on copies."""
    sample = SampleCampaign(tmp_path_factory.mktemp("shown")).whole()
    rebuild(sample.home, sample.name, sample.events(), prefect_url="http://127.0.0.1:4200")
    return sample


def runs(home: Path, name: str = "ising") -> dict[str, Any]:
    client = open_client(home)
    experiment = client.get_experiment_by_name(name)
    assert experiment is not None
    found = list(all_runs(client, experiment.experiment_id))
    by_key = {run.data.tags[KEY]: run for run in found}
    assert len(by_key) == len(found)
    return by_key


def database(home: Path) -> Path:
    return home / "mlflow" / "mlflow.db"


def rows(home: Path) -> list[Any]:
    with closing(sqlite3.connect(database(home))) as connection:
        return [
            sorted(connection.execute(f"SELECT * FROM {table}").fetchall(), key=repr)
            for table in ("experiments", "runs", "metrics", "params", "tags", "experiment_tags")
        ]


@pytest.fixture
def altered(shown: SampleCampaign) -> Iterator[sqlite3.Connection]:
    """The database to tamper with; what a test changes is put back."""
    with closing(sqlite3.connect(database(shown.home))) as connection:
        before = sqlite3.connect(":memory:")
        connection.backup(before)
        yield connection
        connection.commit()
        before.backup(connection)
        before.close()


def faults(sample: SampleCampaign) -> list[str]:
    return check_projection(sample.events(), sample.home, sample.name)


def test_a_campaign_is_shown_as_the_journal_tells_it(shown: SampleCampaign) -> None:
    assert faults(shown) == []
    by_key = runs(shown.home)
    parent, campaign = by_key["candidate/c1"], by_key["campaign"]
    child = next(r for r in by_key.values() if r.data.tags.get("plan") == "p1" and r.data.params["candidate"] == "c0")
    assert (parent.info.run_name, parent.data.tags["verdict"]) == ("c1 Wolff cluster updates", "supported")
    assert child.data.tags["mlflow.parentRunId"] == by_key["candidate/c0"].info.run_id
    assert {run.info.status for run in by_key.values()} == {"FINISHED"}
    client = open_client(shown.home)
    names = [a.path for a in client.list_artifacts(child.info.run_id)]
    assert names == ["out", "run.log", "score"]
    assert [a.path for a in client.list_artifacts(child.info.run_id, "out")] == ["out/sum.json"]
    assert [a.path for a in client.list_artifacts(campaign.info.run_id)] == ["claims.json", "paper", "plans"]
    diff = Path(client.download_artifacts(parent.info.run_id, "diff.patch")).read_text()
    assert "+SIZE = 2" in diff


def test_a_table_of_claims_can_be_loaded(shown: SampleCampaign) -> None:
    client = open_client(shown.home)
    path = client.download_artifacts(runs(shown.home)["campaign"].info.run_id, "claims.json")
    assert json.loads(Path(path).read_text())["data"][0][:2] == ["k1", "supported"]


def test_links_lead_to_every_run(shown: SampleCampaign) -> None:
    links = run_links(shown.home, shown.name)
    assert links.keys() == runs(shown.home).keys()
    assert links["campaign"].startswith("#/experiments/1/runs/")
    assert run_links(shown.home, "nobody") == {}


def test_showing_it_again_changes_not_one_row(shown: SampleCampaign) -> None:
    before = rows(shown.home)
    rebuild(shown.home, shown.name, shown.events(), prefect_url="http://127.0.0.1:4200")
    assert rows(shown.home) == before


def test_a_fresh_rebuild_replaces_every_run(shown: SampleCampaign, altered: sqlite3.Connection) -> None:
    altered.execute("UPDATE latest_metrics SET value = 7")
    altered.commit()
    before = runs(shown.home)
    rebuild(shown.home, shown.name, shown.events(), fresh=True)
    after = runs(shown.home)
    assert after.keys() == before.keys()
    assert not {r.info.run_id for r in after.values()} & {r.info.run_id for r in before.values()}
    assert faults(shown) == []


@pytest.mark.parametrize(
    ("tampering", "says"),
    [
        ("UPDATE latest_metrics SET value = 0.01 WHERE key = 'error' AND value = 0.1", "says error 0.01, the journal"),
        ("UPDATE metrics SET value = 0.01 WHERE key = 'error' AND value = 0.1", "charts error 0.01, the journal"),
        ("UPDATE latest_metrics SET value = 9 WHERE key = 'claim_estimate'", "says claim_estimate 9.0"),
        ("DELETE FROM latest_metrics WHERE key = 'error'", "says error nothing"),
        ("UPDATE params SET value = '9' WHERE key = 'seed'", "has parameter seed 9"),
        ("UPDATE tags SET value = 'refuted' WHERE key = 'verdict'", "has tag verdict refuted"),
        ("UPDATE runs SET status = 'FAILED' WHERE name LIKE 'confirm%'", "reads FAILED"),
        ("UPDATE runs SET lifecycle_stage = 'deleted' WHERE name LIKE 'screen%'", "has no run for screen c1 seed 1"),
        ("UPDATE tags SET value = 'candidate/c0' WHERE value = 'candidate/c1' AND key = 'hypoloop.key'", "2 runs for"),
        ("UPDATE tags SET value = 'x' WHERE value = 'candidate/c1' AND key = 'hypoloop.key'", "belongs to no event"),
        ("UPDATE experiments SET name = 'other' WHERE name = 'ising'", "no experiment 'ising'"),
    ],
)
def test_what_was_altered_in_the_database_is_found(
    shown: SampleCampaign, altered: sqlite3.Connection, tampering: str, says: str
) -> None:
    assert altered.execute(tampering).rowcount > 0
    altered.commit()
    assert any(says in fault for fault in faults(shown)), faults(shown)


def test_an_altered_or_missing_copy_of_a_file_is_found(shown: SampleCampaign) -> None:
    run = next(run for run in runs(shown.home).values() if "plan" in run.data.tags)
    copy = Path(run.info.artifact_uri.removeprefix("file://")) / "out" / "sum.json"
    content = copy.read_bytes()
    try:
        copy.write_bytes(b"[9]")
        assert ["holds another out/sum.json" in fault for fault in faults(shown)] == [True]
        copy.unlink()
        assert ["lacks out/sum.json" in fault for fault in faults(shown)] == [True]
    finally:
        copy.write_bytes(content)


class TestTracker:
    @pytest.fixture(scope="session")
    def pristine(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """A database that holds no campaign; copying it is quicker than creating one."""
        home = tmp_path_factory.mktemp("pristine")
        open_client(home)
        return home / "mlflow" / "mlflow.db"

    @pytest.fixture
    def home(self, shown: SampleCampaign, pristine: Path, tmp_path: Path) -> Path:
        """A home with the files of the campaign and a database without anything of it."""
        shutil.copytree(shown.home / "campaigns", tmp_path / "campaigns")
        (tmp_path / "mlflow").mkdir()
        with closing(sqlite3.connect(pristine)) as source, closing(sqlite3.connect(database(tmp_path))) as copy:
            source.backup(copy)
        return tmp_path

    def put_all(self, tracker: Tracker, events: Sequence[Event]) -> None:
        for event in events:
            tracker.put(event)

    def test_events_are_shown_while_the_campaign_goes_on(self, home: Path, shown: SampleCampaign) -> None:
        with Tracker(home, "ising") as tracker:
            self.put_all(tracker, shown.events()[:6])
            assert tracker.drain(60)
            assert runs(home)["candidate/c0"].info.status == "RUNNING"
            self.put_all(tracker, shown.events()[6:])
        assert tracker.trouble is None
        assert check_projection(shown.events(), home, "ising") == []

    @pytest.mark.parametrize("left_off", [2, 9, 14])
    def test_a_resumed_campaign_shows_nothing_twice(self, home: Path, shown: SampleCampaign, left_off: int) -> None:
        with Tracker(home, "ising") as tracker:
            self.put_all(tracker, shown.events()[:left_off])
        with Tracker(home, "ising") as tracker:
            self.put_all(tracker, shown.events())
        assert check_projection(shown.events(), home, "ising") == []

    def test_a_failure_half_way_through_a_run_is_made_good(
        self, home: Path, shown: SampleCampaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        whole, calls = MlflowClient.log_batch, []

        def failing(*arguments: Any, **options: Any) -> None:
            calls.append(arguments)
            if len(calls) == 5:
                raise MlflowException("database is locked")
            whole(*arguments, **options)

        monkeypatch.setattr(MlflowClient, "log_batch", failing)
        with Tracker(home, "ising") as tracker:
            self.put_all(tracker, shown.events())
        assert (tracker.trouble, len(calls) > 5) == (None, True)
        assert check_projection(shown.events(), home, "ising") == []

    def test_trouble_is_told_and_nothing_is_lost(self, home: Path, shown: SampleCampaign) -> None:
        empty = database(home).read_bytes()
        database(home).write_bytes(b"this is no database" * 100)
        with Tracker(home, "ising") as tracker:
            self.put_all(tracker, shown.events())
            assert not tracker.drain(5)
            assert tracker.trouble is not None
            assert f"{len(shown.events())} events behind the journal" in tracker.trouble
            database(home).write_bytes(empty)
        assert tracker.trouble is None
        assert check_projection(shown.events(), home, "ising") == []

    def test_a_tracker_that_cannot_catch_up_says_so_and_ends(self, home: Path, shown: SampleCampaign) -> None:
        shutil.rmtree(home / "mlflow")
        (home / "mlflow").write_text("in the way")
        tracker = Tracker(home, "ising")
        self.put_all(tracker, shown.events())
        tracker.close()
        tracker.close()
        assert "behind the journal" in str(tracker.trouble)
        (home / "mlflow").unlink()
        database(home).mkdir(parents=True)
        with pytest.raises(TrackingError, match="cannot be used"):
            tracker.rebuild(shown.events())

    def test_an_event_that_makes_no_sense_is_told(self, home: Path, shown: SampleCampaign) -> None:
        with Tracker(home, "ising") as tracker:
            tracker.put(shown.events()[0].model_copy(update={"kind": "surprise"}))
            assert tracker.drain(60)
            assert "surprise" in str(tracker.trouble)

    def test_processes_may_open_a_fresh_database_at_once_and_print_nothing(self, tmp_path: Path) -> None:
        script = textwrap.dedent(
            f"""
            from pathlib import Path
            from flows.ledger.database import open_client
            open_client(Path({str(tmp_path)!r})).create_experiment(__import__("os").environ["NAME"])
            """
        )
        started = [
            subprocess.Popen(
                [sys.executable, "-c", script], env={"NAME": f"e{n}", "PATH": "/usr/bin:/bin"},
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            )
            for n in range(2)
        ]  # fmt: skip
        assert [process.communicate()[0] for process in started] == ["", ""]
        assert [process.returncode for process in started] == [0, 0]

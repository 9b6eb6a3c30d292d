"""What MLflow has to show follows from the state alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.records import Stage
from flows.ledger.folds import reduce_events
from flows.ledger.state import CampaignState
from flows.ledger.views import (
    Times,
    campaign_view,
    candidate_view,
    claims_table,
    execution_view,
    experiment_tags,
    views,
)
from tests.ledger.sample import SampleCampaign


@pytest.fixture
def sample(tmp_path: Path) -> SampleCampaign:
    return SampleCampaign(tmp_path).whole()


@pytest.fixture
def state(sample: SampleCampaign) -> CampaignState:
    return reduce_events(sample.events())


@pytest.fixture
def times(sample: SampleCampaign) -> Times:
    return Times.of(sample.events())


def test_every_candidate_and_execution_has_one_run(state: CampaignState, times: Times) -> None:
    assert set(views(state, times)) == {"campaign", "candidate/c0", "candidate/c1", *state.executions}


def test_a_candidate_bears_its_title_screen_and_claim(state: CampaignState, times: Times) -> None:
    view = candidate_view(state, "c1", times)
    assert view.name == "c1 Wolff cluster updates"
    assert view.metrics["screen_effect"] == 0.1
    assert (view.metrics["claim_estimate"], view.metrics["claim_low"], view.metrics["claim_high"]) == (0.1, 0.05, 0.15)
    assert (view.tags["verdict"], view.tags["claim"], view.tags["idea"]) == ("supported", "k1", "i1")
    assert candidate_view(state, "c0", times).name == "c0 baseline"


def test_an_execution_spans_its_own_time(state: CampaignState, times: Times) -> None:
    key = next(e.key for e in state.executions.values() if e.stage is Stage.CONFIRM)
    view = execution_view(state, key, times)
    assert view.end == times[state.seqs[key]]
    assert view.end - view.start == 1750
    assert view.metrics == {"error": 0.2, "wall_s": 1.5, "cpu_s": 1.0, "overhead_s": 0.25}
    assert view.params == {"candidate": "c0", "seed": "1001", "stage": "confirm", "split": "confirm", "factors": "none"}
    assert (view.tags["plan"], view.tags["journal_seq"]) == ("p1", str(state.seqs[key]))
    assert view.parent == "candidate/c0"


def test_a_campaign_ends_when_it_is_closed(sample: SampleCampaign, state: CampaignState, times: Times) -> None:
    assert campaign_view(state, times).status == "FINISHED"
    before = reduce_events(sample.events()[:-1])
    assert campaign_view(before, times).status is None


def test_claims_make_a_table(state: CampaignState) -> None:
    table = claims_table(state)
    assert table["data"] == [["k1", "supported", "Clusters help.", 0.1, 0.05, 0.15, 80.0, 0.02, 2, 1, ""]]
    assert len(table["columns"]) == 11


def test_the_experiment_tells_what_it_is(state: CampaignState) -> None:
    tags = experiment_tags(state, "http://127.0.0.1:4200")
    assert "Does it help?" in tags["mlflow.note.content"]
    assert "hypoloop verify ising" in tags["mlflow.note.content"]
    assert tags["prefect_url"] == "http://127.0.0.1:4200"
    assert "image_id" not in tags

"""Deviations: a plan is changed in the open, carried out as changed, and what it shows is exploratory everywhere."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from agents.records import Verdict
from flows.cli import hypoloop
from flows.deviating import deviate
from flows.errors import CampaignClosed, CampaignInterrupted, DeviationRefused
from flows.evidence import is_discovery
from flows.ledger.audit_course import registration_faults
from flows.ledger.errors import CampaignBusy, CampaignUnknown
from flows.ledger.lease import Lease
from flows.summary import facts
from tests.played.conftest import copied
from tests.played.forging import of_kind, walked
from tests.played.playing import NAME, Played
from tests.played.test_honest import bad

LONGER = {"seeds": list(range(1001, 1015)), "looks": list(range(5, 15))}
WHAT, WHY = "fourteen pairs instead of ten", "the spread is larger than the screen showed"


@pytest.fixture(scope="session")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """A campaign interrupted in the middle of its first plan's first look. Not to be changed."""
    campaign = Played(tmp_path_factory.mktemp("stopped"), stops_after=3, budget={"rounds": 1})
    with suppress(CampaignInterrupted):
        campaign.play()
    return campaign


@pytest.fixture
def open_one(stopped: Played, tmp_path: Path) -> Played:
    return copied(stopped, tmp_path)


def changed(campaign: Played, fields: dict[str, Any] | None = None, plan: str = "p1", why: str = WHY) -> Any:
    return deviate(campaign.home, NAME, plan, WHAT, why, LONGER if fields is None else fields)


def test_the_changed_plan_is_journalled_committed_and_carried_out(open_one: Played) -> None:
    frozen = open_one.state.plans["p1"]
    made = changed(open_one)
    assert (len(frozen.seeds), len(made.seeds)) == (10, 14)
    assert open_one.state.plans["p1"] == made
    assert open_one.events[-1].kind == "deviation"
    history = open_one.workspace.history("record")
    assert json.loads(open_one.workspace.read(history[0], "plans/p1.json"))["seeds"] == LONGER["seeds"]
    assert open_one.workspace.trailers(history[0])["Deviation"] == "1"
    open_one.play(fence=9)
    assert len(open_one.workspace.history("record")) >= len(history)
    claim = open_one.state.claims["k1"]
    assert claim.exploratory
    assert claim.verdict is Verdict.SUPPORTED
    assert not is_discovery(claim)
    assert bad(open_one) == {}


def test_paper_report_status_and_facts_call_it_exploratory(open_one: Played) -> None:
    changed(open_one)
    open_one.play(fence=9)
    source, page = ((open_one.folder / "paper" / name).read_text("utf-8") for name in ("paper.typ", "report.html"))
    for text in (source, page):
        assert all(said in text for said in (WHAT, WHY, "1001–1014", "exploratory"))
    assert "<tab-deviations>" in source
    assert "*supported*, exploratory" in source
    assert '<span class="badge inconclusive">exploratory</span>' in page
    told = facts(open_one.state, open_one.folder)
    assert told["claims"][0]["exploratory"]
    assert told["deviations"][0]["why"] == WHY
    assert told["together"]["stands"] == []
    shown = CliRunner().invoke(hypoloop, ["--home", str(open_one.home), "status", NAME])
    assert "k1         supported, exploratory" in shown.output


def test_what_was_decided_can_still_be_called_exploratory_and_keeps_its_verdict(begun: Played, tmp_path: Path) -> None:
    campaign = copied(begun, tmp_path)
    before = campaign.state.claims["k1"]
    changed(campaign, {})
    after = campaign.state.claims["k1"]
    assert after == before.model_copy(update={"exploratory": True})
    campaign.play(fence=9)
    assert bad(campaign) == {}
    assert not [c for c in campaign.state.claims.values() if c.exploratory and c.id != "k1"]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"level": 0.2}, "level of plan p1 cannot change"),
        ({"metric": "walk"}, "metric is what idea i"),
        ({"seeds": [1003, 1004, 1005, 1006, 1007, 1008], "looks": [6]}, "have run and stay where they are"),
        ({"seeds": [1001, 1002, 1, 2, 3, 4], "looks": [6]}, "belongs to the search"),
        ({"seeds": [1001, 1002, 1002, 1003, 1004], "looks": [5]}, "each of them once"),
        ({"looks": [5, 9]}, "end at its last seed"),
        ({"least_effect": -1}, "makes no plan"),
    ],
)
def test_planted_fault_a_change_that_is_none_is_refused_and_nothing_is_written(
    open_one: Played, fields: dict[str, Any], says: str
) -> None:
    before = open_one.events
    with pytest.raises(DeviationRefused, match=says):
        changed(open_one, fields)
    assert open_one.events == before


def test_planted_fault_a_reason_must_be_given_and_the_plan_be_there(open_one: Played, begun: Played) -> None:
    with pytest.raises(DeviationRefused, match="why"):
        changed(open_one, why="")
    with pytest.raises(DeviationRefused, match="never registered"):
        changed(open_one, plan="p7")
    with pytest.raises(DeviationRefused, match="it is a challenge"):
        changed(begun, plan="p2")
    with pytest.raises(DeviationRefused, match="claim k1 has decided it"):
        changed(begun)
    with pytest.raises(CampaignUnknown):
        deviate(open_one.home, "nobody", "p1", WHAT, WHY, {})


def test_planted_fault_neither_a_closed_campaign_nor_one_at_work_is_changed(played: Played, open_one: Played) -> None:
    with pytest.raises(CampaignClosed):
        changed(played)
    with Lease.acquire(open_one.folder, lambda: datetime.now(UTC)), pytest.raises(CampaignBusy):
        changed(open_one)


def test_planted_fault_a_deviation_forged_into_the_journal_that_drops_seeds_is_found(open_one: Played) -> None:
    changed(open_one)

    def drop(told: list[dict[str, Any]]) -> None:
        of_kind(told, "deviation")[0]["changes"] = {"seeds": list(range(1101, 1111))}

    faults = list(registration_faults(walked(open_one.events, drop), open_one.template.manifest))
    assert any("drops or moves seeds that had run" in fault for fault in faults)


def test_the_command_takes_fields_as_json_and_says_how_it_reads_now(open_one: Played) -> None:
    words = ["--home", str(open_one.home), "deviate", NAME, "p1", "--what", WHAT, "--why", WHY]
    done = CliRunner().invoke(hypoloop, [*words, "--set", "least_effect=0.2"])
    assert done.exit_code == 0, done.output
    assert "an improvement of 0.2 or more" in done.output
    assert f"hypoloop resume {NAME}" in done.output
    assert open_one.state.plans["p1"].least_effect == 0.2
    done = CliRunner().invoke(hypoloop, [*words, "--set", "least_effect"])
    assert "not of the form KEY=VALUE" in done.output

"""An honest campaign holds, whatever became of it: every check of `verify` is run and none finds a fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.records import ChallengeKind, Verdict
from flows.ledger.errors import JournalError
from flows.ledger.verify import Finding, verify_campaign, verify_records
from flows.reporting import ablation_faults, claim_faults, paper_faults
from tests.played.playing import Played

CHECKS = [
    "journal", "anchors", "commits", "committed plans", "record", "plans", "seeds and splits", "data sets",
    "executions", "results", "screens", "registrations", "attacks", "wording", "references", "claims", "paper",
]  # fmt: skip


def findings(campaign: Played) -> dict[str, Finding]:
    return {found.what: found for found in verify_records(campaign.folder, claim_faults, paper_faults).findings}


def bad(campaign: Played) -> dict[str, str]:
    return {what: found.detail for what, found in findings(campaign).items() if not found.ok}


def test_every_check_reports_and_holds(played: Played) -> None:
    assert bad(played) == {}
    assert list(findings(played)) == CHECKS
    assert ablation_faults(played.folder, played.state) == []


def test_it_has_what_the_checks_are_about(played: Played) -> None:
    claims = played.state.claims.values()
    kinds = {challenge.kind for claim in claims for challenge in claim.challenges}
    assert kinds == set(ChallengeKind)
    assert any(challenge.narrows for claim in claims for challenge in claim.challenges)
    assert {claim.verdict for claim in claims} == {Verdict.SUPPORTED}


def test_an_open_campaign_holds_as_far_as_it_went(begun: Played) -> None:
    assert bad(begun) == {}


def test_a_campaign_that_was_interrupted_and_went_on_holds(tmp_path: Path) -> None:
    campaign = Played(tmp_path).play(rounds=1)
    assert bad(campaign.play(fence=2)) == {}
    assert {event.fence for event in campaign.events} == {1, 2}


def test_attacks_that_the_budget_did_not_allow_are_named_and_nothing_is_wrong(tmp_path: Path) -> None:
    campaign = Played(tmp_path, budget={"rounds": 1, "executions": 78}).play()
    (titles,) = campaign.state.left_out.values()
    assert titles == ("changed condition with the source far away",)
    assert bad(campaign) == {}
    source = (campaign.folder / "paper" / "paper.typ").read_text(encoding="utf-8")
    assert "The budget did not allow these attacks on k1: changed condition with the source far away." in source


def test_nothing_can_be_verified_without_a_journal(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be read"):
        verify_campaign(tmp_path, "nobody")


@pytest.mark.mlflow
def test_mlflow_is_looked_at_too_and_a_run_that_no_event_speaks_of_is_found(spoiled: Played) -> None:
    from flows.ledger.database import open_client
    from flows.ledger.tracking import rebuild

    rebuild(spoiled.home, spoiled.folder.name, spoiled.events)
    assert verify_campaign(spoiled.home, spoiled.folder.name)[-1].ok
    client = open_client(spoiled.home)
    experiment = client.get_experiment_by_name(spoiled.folder.name)
    assert experiment is not None
    client.create_run(experiment.experiment_id, run_name="of my own")
    found = verify_campaign(spoiled.home, spoiled.folder.name)[-1]
    assert (found.what, found.ok) == ("MLflow", False)
    assert "of my own) belongs to no event of the journal" in found.detail

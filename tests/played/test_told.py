"""What a campaign tells while it runs, when it ends and when it is asked: kinds, conditions, labels, what was tried."""

from __future__ import annotations

import io
import json

from click.testing import CliRunner
from rich.console import Console

from agents.records import Stage
from flows.cli import hypoloop
from flows.ending import print_ending
from flows.ledger.accounts import behind, closing_report, savings
from flows.progress import Follower, told
from tests.played.playing import NAME, Played


def lines(played: Played) -> list[str]:
    follower = Follower(played.folder / "journal.jsonl")
    titles = {each.name: each.title for each in played.template.manifest.conditions}
    return [line for event in follower.news() for line in told(event, follower.state, titles)]


def test_every_challenge_says_what_is_otherwise(played: Played) -> None:
    refutations = [line for line in lines(played) if line.startswith("refute?")]
    assert [line.partition(": ")[2].partition(", up to")[0] for line in refutations] == [
        "again", "with the source switched off", "with the source far away",
        "without eager", "without steady", "with the source switched off", "with the source far away",
    ]  # fmt: skip


def test_a_narrowed_claim_is_called_so_from_then_on(played: Played) -> None:
    claims = [line for line in lines(played) if line.startswith("claim    k1")]
    assert ["narrowed" in line for line in claims] == [False, False, False, True]


def test_the_ending_tells_labels_challenges_and_what_was_saved(played: Played) -> None:
    told = io.StringIO()
    print_ending(played.spec, played.home, Console(width=200, file=told))
    text = told.getvalue()
    assert "(narrowed)" in text
    assert "The gain is not there with the source far away." in text
    assert "stopping early saved" in text


def test_what_was_tried_for_a_claim_is_counted_over_its_own(played: Played) -> None:
    state = played.state
    for claim in state.claims.values():
        mine = behind(state, claim)
        plans = {claim.plan} | {challenge.plan for challenge in claim.challenges}
        ran = [e for e in state.executions.values() if e.plan in plans]
        assert mine.confirm == sum(e.stage is Stage.CONFIRM for e in ran) == 2 * claim.n
        assert mine.challenge == sum(e.stage is Stage.CHALLENGE for e in ran)
        assert mine.executions == mine.screen + mine.confirm + mine.challenge
        assert (mine.plans, mine.challenges) == (len(plans), len(claim.challenges))
    assert behind(state, state.claims["k5"]).candidates == 3, "the combination and its two ablations"


def test_savings_and_the_closing_report_follow_from_the_journal(played: Played) -> None:
    made, report = savings(played.state), closing_report(played.state)
    assert made.used == made.screen + made.confirm
    assert made.used + made.challenge == len(played.state.executions)
    assert made.candidates == 5
    assert report.stands == tuple(played.state.claims)
    assert report.horizon == 2


def test_status_gives_machines_all_of_it(played: Played) -> None:
    done = CliRunner().invoke(hypoloop, ["--home", str(played.home), "status", NAME, "--json"])
    (facts,) = json.loads(done.output)
    claim = facts["claims"][0]
    assert claim["narrowed"]
    assert claim["tried_up_to_it"]["ideas"] == 3
    assert claim["tried_for_it"]["executions"] == behind(played.state, played.state.claims["k1"]).executions
    assert [made["kind"] for made in claim["challenges"]] == ["replication", "negative control", "changed condition"]
    assert facts["saved"]["fixed"] == 200
    assert facts["together"]["stands"] == ["k1", "k5"]
    assert facts["deviations"] == []

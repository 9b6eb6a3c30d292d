"""What the benchmark found in the product, held so that it does not come back."""

from __future__ import annotations

import pytest

from agents.records import Draft
from flows.ledger.audit_copies import copy_faults
from flows.ledger.audit_course import screen_faults
from flows.ledger.findings import steps
from flows.ledger.reading import read_campaign
from flows.papers.quoting import misquoted
from tests.frauds import urns
from tests.frauds.by_operators import CHALLENGE, insider, under
from tests.frauds.by_writing import bound
from tests.frauds.cases import Ground, Left
from tests.frauds.editing import Told, of_kind
from tests.frauds.playing import NAME
from tests.frauds.team import code
from tests.played.forging import forged


def copies(left: Left, on: Ground) -> list[str]:
    state = read_campaign(left.home, NAME)
    return list(copy_faults(left.home / "campaigns" / NAME, state, on.urns.manifest))


def test_who_answers_the_same_everywhere_copies_nothing_under_a_condition_either(on: Ground) -> None:
    """The condition gives half of the rows to learn from, and the answers and the count of rows are all there is."""
    poor = urns.template(on.fresh(), run=urns.adding("answers = [0] * len(test)"))
    left = Left(on.campaign(code("A rule", urns.edited(urns.BETTER)), template=poor).play().home, lambda s, f: True)
    assert copies(left, on) == []


def test_planted_fault_who_is_constant_under_a_condition_alone_has_copied(on: Ground) -> None:
    left = insider(under("fewer", CHALLENGE), urns.edited(urns.BETTER))(on)
    faults = copies(left, on)
    assert len(faults) >= 4
    assert all("one run, counted twice" in fault for fault in faults)


def test_answers_that_are_nearly_all_the_same_may_agree_by_chance(on: Ground) -> None:
    """All but a few answers are yes: on some seeds the few are none, and two runs are equal to the byte."""
    poor = urns.template(on.fresh(), run=urns.adding("answers = [int(x < 2.6) for x, y in test]"))
    left = Left(on.campaign(code("A rule", urns.edited(urns.BETTER)), template=poor).play().home, lambda s, f: True)
    written = [path.read_bytes() for path in left.home.rglob("answers.json")]
    assert len(set(written)) < len(written) - 1
    assert copies(left, on) == []


def test_a_candidate_with_two_results_for_a_seed_is_a_fault_and_no_crash(on: Ground) -> None:
    def change(told: Told) -> None:
        runs = of_kind(told, "execution")
        one = next(run for run in runs if run["candidate"] == "c1")
        next(run for run in runs if run["candidate"] == "c3" and run["seed"] == one["seed"])["candidate"] = "c1"

    faults = list(screen_faults(tuple(steps(forged(on.closed.events, change))), on.urns.manifest))
    assert any("cannot be raced again: c1 has two results for seed 1" in fault for fault in faults)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("With “{idea:i1.title}” the accuracy dropped.", "says 'dropped' where the estimate says the opposite"),
        ("With “{idea:i1.title}” the accuracy fell.", "says 'fell' where"),
        ("With “{idea:i1.title}” the accuracy rose.", ""),
        ("The effect is \N{MINUS SIGN}{claim:k1.estimate}.", "puts a minus before {claim:k1.estimate}"),
        ("The effect is -{claim:k1.estimate}.", "puts a minus before"),
        ("The effect is minus {claim:k1.estimate}.", "puts a minus before"),
        ("The effect - {claim:k1.estimate} - is there.", ""),
        ("It lies in {claim:k1.comparator_mean}–{claim:k1.candidate_mean}.", ""),
    ],
)
def test_words_of_direction_and_signs_before_a_number(on: Ground, text: str, says: str) -> None:
    claim = next(claim for claim in on.closed.state.claims.values() if claim.idea == "i1")
    draft = Draft(title="x", abstract="", sections=(), by="me").model_copy(update={"abstract": bound(text, [claim])})
    faults = " ".join(fault.why for fault in misquoted(draft, on.urns.manifest.metric, [claim]))
    assert faults == "" if says == "" else says.replace("k1", claim.id) in faults

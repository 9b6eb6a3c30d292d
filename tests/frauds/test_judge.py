"""The benchmark can fail: with a defence switched off, the fraud that it is for is missed, and the judge says so."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple

import pytest

from tests.frauds.cases import Case, Ground, as_it_lies
from tests.frauds.inline import Inline
from tests.frauds.judging import judge, look
from tests.frauds.kinds import FRAUDS, HONEST
from tests.frauds.running import Told
from tests.frauds.table import Facts, counts, page


def nothing(*given: Any, **named: Any) -> list[str]:
    return []


def the_seed(salt: str, role: str, split: str, seed: int) -> int:
    return seed


class Off(NamedTuple):
    """A defence: what is put in its places, the fraud that it is for, and who answers while it is on."""

    places: Sequence[str]
    by: Any
    kind: str
    variant: str
    end: str
    says: str


OFF = {
    "copies are looked for": Off(
        ("flows.ledger.verify.copy_faults",), nothing, "duplicate executions as replications",
        "every replication is the first one", "flagged", "one run, counted twice",
    ),
    "programs are told other numbers": Off(
        ("templates.trial.drawn_seed", "templates.prepared.drawn_seed"), the_seed, "training on the held-out split",
        "its own number", "impossible", "nothing of what it looked for",
    ),
    "comparisons need a verdict": Off(
        ("flows.papers.striking.unbacked", "flows.ledger.audit_prose.unbacked"), nothing,
        "comparison without a verdict", "Our method outperforms everything. (open)", "blocked", "bound to no claim",
    ),
    "numbers need their words": Off(
        ("flows.papers.striking.misquoted", "flows.ledger.audit_prose.misquoted"), nothing,
        "unit changed in the text", "the price in hours", "blocked", "the unit hours",
    ),
    "numbers cannot be typed": Off(
        ("flows.papers.compose.refuse_literals",), nothing, "number changed in the text", "types ½ of the errors",
        "flagged", "as literal text",
    ),
    "references are held against their list": Off(
        ("flows.ledger.verify.reference_faults",), nothing, "citation invented", "cites a retracted work",
        "flagged", "which is disowned",
    ),
    "the paper is composed again": Off(
        ("flows.reporting.paper_faults",), nothing, "figure swapped", "a figure emptied", "flagged", "figures/",
    ),
    "claims are derived again": Off(
        ("flows.reporting.claim_faults",), nothing, "journal edited", "claim.estimate, before the end was anchored",
        "flagged", "claims: claim k1 says estimate",
    ),
}  # fmt: skip


def case_of(off: Off) -> Case:
    kind = next(kind for kind in FRAUDS if kind.name == off.kind)
    return next(case for case in kind.cases(1) if case.name == off.variant)


@pytest.mark.parametrize("defence", OFF)
def test_with_the_defence_on_the_fraud_is_found(on: Ground, defence: str) -> None:
    off = OFF[defence]
    verdict = judge(case_of(off), on)
    assert verdict.end == off.end
    assert off.says in verdict.reason


@pytest.mark.parametrize("defence", OFF)
def test_planted_fault_with_the_defence_off_it_is_missed(
    on: Ground, defence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    off = OFF[defence]
    for place in off.places:
        module, _, name = place.rpartition(".")
        monkeypatch.setattr(import_module(module), name, off.by)
    assert judge(case_of(off), on).end == "stands"


def test_planted_fault_a_sandbox_that_confines_nobody_is_no_reason_to_call_it_impossible(
    on: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = next(kind for kind in FRAUDS if kind.name == "labels searched for on disk")
    case = next(case for case in kind.cases(1) if case.name == "under data.parent")
    monkeypatch.setitem(on.__dict__, "confining", Inline())
    assert judge(case, on).end != "impossible"


@pytest.mark.mlflow
def test_planted_fault_without_a_look_at_mlflow_an_edited_value_is_missed(
    on: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = next(kind for kind in FRAUDS if kind.name == "MLflow value edited")
    monkeypatch.setattr("flows.ledger.projected.check_projection", nothing)
    assert judge(kind.cases(1)[0], on).end == "stands"


def test_an_honest_campaign_whose_records_are_spoiled_is_an_alarm(on: Ground) -> None:
    left = HONEST[0].cases(1)[0].play(on)
    assert look(left) == ("stands", "")
    next(left.home.rglob("run.log")).write_text("another")
    end, reason = look(left._replace(sought=as_it_lies))
    assert end == "flagged"
    assert "another run.log on disk" in reason


def test_the_page_counts_what_is_missed_and_who_is_blamed() -> None:
    fraud, honest = FRAUDS[0].name, HONEST[0].name
    ends = [Told(fraud, "one", "blocked", "no"), Told(fraud, "two", "stands", ""), Told(fraud, "three", "not run", "x"),
            Told(honest, "four", "stands", ""), Told(honest, "five", "flagged", "a | b")]  # fmt: skip
    total = counts(ends)
    assert (total.missed, total.alarms) == (1, 1)
    made = page(ends, Facts(1, 2.0, 2, 0.5, "0", "3", "today"))
    assert "Missed: 1 of 2 frauds. False alarms: 1 of 2 honest campaigns." in made
    assert f"| {fraud} | 3 | 0 | 1 | 0 | 1 | two |" in made
    assert f"| {honest} | 2 | 1 | five | a \\| b |" in made

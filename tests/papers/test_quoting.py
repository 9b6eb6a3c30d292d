"""Quoting: a number that is right is wrong beside another noun, unit, side, direction or idea."""

from __future__ import annotations

import pytest

from agents.records import Draft, Section, Verdict
from flows.papers.quoting import misquoted
from templates.manifest import Metric
from tests.agents.making import challenge, claim

METRIC = Metric(name="distance", title="Distance from home", direction="minimize", least_effect=0.1, unit="metres")
CLAIMS = (
    claim(1, "i1", Verdict.SUPPORTED, challenge(9, survived=True, refutes=False)),
    claim(2, "i2", Verdict.REFUTED),  # its estimate is negative
)


def faults(text: str) -> list[str]:
    draft = Draft(
        title="On walks", abstract="x", sections=(Section(key="results", title="Results", body=text),), by="me"
    )
    return [str(fault) for fault in misquoted(draft, METRIC, CLAIMS)]


@pytest.mark.parametrize(
    "text",
    [
        "Over {claim:k1.n} paired seeds the mean improvement is {claim:k1.estimate} metres.",
        "{claim:k1.n} pairs, an e-value of {claim:k1.e_value} at a level of {claim:k1.level}.",
        "An interval of {claim:k1.interval}.",
        "The mean is {claim:k1.comparator_mean} for the baseline and {claim:k1.candidate_mean} for the candidate.",
        "The distance fell from {claim:k1.comparator_mean} metres to {claim:k1.candidate_mean} metres.",
        "It took {attempts:ideas} ideas, {attempts:candidates} candidates and {attempts:executions} executions.",
        "{count:supported} supported, {count:refuted} refuted, {count:inconclusive} inconclusive.",
        "“{idea:i1.title}” lowers the distance from home by {claim:k1.estimate} metres.",
        "“{idea:i2.title}” does not lower the distance from home.",
        "The difference of {claim:k2.estimate} metres is no improvement.",
        "{claim:k1.estimate} metres with “{idea:i1.title}”, {claim:k2.estimate} metres with “{idea:i2.title}”.",
    ],
)
def test_a_number_among_its_own_words_stays(text: str) -> None:
    assert faults(text) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("It took {attempts:ideas} executions.", "calls {attempts:ideas} a number of execution"),
        ("Over {claim:k1.e_value} pairs.", "calls {claim:k1.e_value} a number of pair"),
        ("All {claim:k1.n} registered hypotheses.", "calls {claim:k1.n} a number of hypotheses"),
        ("{count:refuted} supported.", "calls {count:refuted} the number that is supported"),
        ("An e-value of {claim:k1.estimate}.", "calls {claim:k1.estimate} e-value"),
        ("At a level of {claim:k1.e_value}.", "calls {claim:k1.e_value} level"),
        ("The interval {claim:k1.estimate}.", "calls {claim:k1.estimate} interval"),
        ("The p-value is {claim:k1.level}.", "speaks of a p-value"),
        ("The gain is {claim:k1.estimate} percent.", "gives {claim:k1.estimate} the unit percent"),
        ("The gain is {claim:k1.estimate} seconds.", "gives {claim:k1.estimate} the unit seconds"),
        ("The gain is {claim:k1.estimate}%.", "gives {claim:k1.estimate} the unit %"),
        ("An e-value of {claim:k1.e_value} metres.", "gives {claim:k1.e_value} the unit metres"),
        ("“{idea:i1.title}” raises the distance from home.", "says 'raises' where the estimate says the opposite"),
        ("“{idea:i1.title}”: the distance from home increased.", "says 'increased' where"),
        ("“{idea:i2.title}” lowers the distance.", "says 'lowers' where the estimate says the opposite"),
        ("A gain of {claim:k2.estimate} metres.", "a gain, and it is negative"),
        ("A loss of {claim:k1.estimate} metres.", "a loss, and it is positive"),
        ("A loss of {claim:k1.challenges.0.estimate} metres.", "a loss, and it is positive"),
        ("A mean of {claim:k1.candidate_mean} for the baseline.", "for the mean of the other side"),
        ("From {claim:k1.candidate_mean} to {claim:k1.comparator_mean}.", "which is backwards"),
        ("“{idea:i1.title}”: {claim:k2.estimate} metres.", "beside another idea than it is about"),
    ],
)
def test_planted_fault_a_number_among_other_words_is_found(text: str, says: str) -> None:
    assert any(says in fault for fault in faults(text)), faults(text)


def test_where_more_is_better_up_is_what_improves() -> None:
    more = METRIC.model_copy(update={"direction": "maximize"})
    draft = Draft(title="“{idea:i1.title}” lowers the distance", abstract="x", sections=(), by="me")
    assert list(misquoted(draft, more, CLAIMS)) != []
    assert list(misquoted(draft, METRIC, CLAIMS)) == []

"""What says more than the evidence is struck before a paper is published, and nothing else is."""

from __future__ import annotations

from agents.records import Draft, Section, Verdict
from flows.papers.references import Entry, entries
from flows.papers.striking import PLAIN_TITLE, struck
from templates.manifest import Metric
from tests.agents.making import claim

METRIC = Metric(name="distance", title="Distance", direction="minimize", least_effect=0.1, unit="metres")
CLAIMS = (claim(1, "i1", Verdict.SUPPORTED), claim(2, "i2", Verdict.REFUTED))


def draft(body: str, title: str = "On walks") -> Draft:
    sections = (
        Section(key="results", title="Results", body=body),
        Section(key="outlook", title="A better world", body="Fine."),
    )
    return Draft(title=title, abstract="Tried. It wins. Done.", sections=sections, by="me")


def test_sentences_go_and_the_rest_stays_as_it_is() -> None:
    body = "By {claim:k1.estimate} metres it improves. It beats all.\n\n- One point.\n- It is superior.\n\nIt helps."
    made = struck(draft(body, "A superior walk"), METRIC, CLAIMS)
    assert made.draft.title == PLAIN_TITLE
    assert made.draft.abstract == "Tried. Done."
    assert made.draft.sections[0].body == "By {claim:k1.estimate} metres it improves.\n\n- One point."
    assert [section.title for section in made.draft.sections] == ["Results", "Outlook"]
    assert len(made.why) == 6
    assert any(why.endswith("It read: It beats all.") for why in made.why)
    assert struck(made.draft, METRIC, CLAIMS) == (made.draft, ())


def test_an_honest_draft_is_left_alone() -> None:
    honest = Draft(title="On walks", abstract="x", sections=(), by="me")
    assert struck(honest, METRIC, CLAIMS).draft is honest


def test_a_bibliography_says_which_works_are_disowned() -> None:
    text = """
@comment{ignored, keywords = {retracted}}
@article{good, title = {A retracted claim is discussed}, year = {1950}}
@article{bad,
  title = {X}, keywords = {physics, disowned}
}
@misc{gone, note = "Retracted in 1999"}
@book{last, title = {Y}}
"""
    assert list(entries(text)) == [
        Entry("good", False), Entry("bad", True), Entry("gone", True), Entry("last", False)
    ]  # fmt: skip

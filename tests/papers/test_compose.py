"""The paper: prose and tables, escaped, traceable, the same every time."""

from __future__ import annotations

import json
import re

import pytest

from agents.embedded.writer import write
from agents.records import Section
from agents.team import Dossier
from flows.papers import Composed, compile_pdf, compose
from flows.papers.errors import CompileFailed, LiteralNumber, UnboundReference, UnknownCitation
from flows.papers.typst import render
from flows.papers.verify import NUMBER
from templates.template import Template
from tests.papers import sample


def with_body(body: str, key: str = "results") -> object:
    """The sample's draft with one section of another body."""
    others = tuple(s for s in sample.draft().sections if s.key != key)
    return sample.draft().model_copy(update={"sections": (*others, Section(key=key, title="Other", body=body))})


def test_the_paper_compiles_to_at_least_three_pages(paper: Composed) -> None:
    pages = render(paper, "png")
    assert len(pages) >= 3
    assert all(page.startswith(b"\x89PNG") for page in pages)


def test_the_same_journal_makes_the_same_paper_to_the_byte(dossier: Dossier, tiny: Template, paper: Composed) -> None:
    again = sample.composed(dossier, tiny)
    assert again == paper
    assert compile_pdf(again) == compile_pdf(paper)


def test_every_number_leads_to_a_row_of_the_appendix(paper: Composed) -> None:
    origins = set(re.findall(r'#origin\("([^"]+)"', paper.source))
    printed = {key for key, _ in NUMBER.findall(paper.source)}
    assert printed == origins == {bound.key for bound in paper.bindings if bound.numeric}
    assert {"claim:k1.estimate", "attempts:executions", "plan:p2.level", "tried:i3.effect"} <= origins


def test_the_machines_own_tables_type_no_result(paper: Composed) -> None:
    body = paper.source.split("#show: appendix")[0]
    rows = [line for line in body.splitlines() if line.startswith("  [")]
    bare = [re.sub(r'#(?:cell|num|code)\((?:"[^"]*"(?:, )?)+\);', "", row) for row in rows]
    # What is left may hold digits in ids (k1, c0) and in titles that came from outside, nothing with a decimal point.
    assert len(rows) > 20
    assert not [row for row in bare if re.search(r"\d\.\d", row)]


def test_listed_bindings_name_value_event_and_executions(paper: Composed) -> None:
    rows = {row["key"]: row for row in json.loads(paper.files["bindings.json"])}
    row = rows["claim:k2.estimate"]
    assert (row["event"], len(row["executions"]), row["text"]) == (192, 24, "−0.0120")


def test_sections_come_in_order_and_unknown_ones_follow_the_discussion(paper: Composed) -> None:
    headings = re.findall(r"^= (.+)$", paper.source, re.MULTILINE)
    assert headings == [
        "Introduction", "Method", "Results", "What did not hold", "Discussion", "Outlook", "Limits",
        "The attempt ledger", "How to check and reproduce", "Provenance of the numbers",
    ]  # fmt: skip


def test_every_idea_is_in_the_paper_whatever_became_of_it(paper: Composed, dossier: Dossier) -> None:
    table = paper.source[paper.source.index("Every idea of the campaign") :].split("<tab-ideas>")[0]
    assert all(f"  [{idea.id}]," in table for idea in dossier.ideas)
    assert "[crashed]" in table
    assert "[not run]" in table


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("It fell by 0.12.", LiteralNumber),
        ("It fell by {claim:k8.estimate}.", UnboundReference),
        ("As shown before [@invented].", UnknownCitation),
    ],
)
def test_a_draft_that_would_mislead_is_refused(
    dossier: Dossier, tiny: Template, body: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        compose(dossier, tiny, with_body(body), sample.executions())  # type: ignore[arg-type]


def test_a_broken_bibliography_is_named(paper: Composed) -> None:
    broken = Composed(paper.source, {**paper.files, "references.bib": b"@article{x, title = {"}, paper.bindings)
    with pytest.raises(CompileFailed, match=r"references\.bib"):
        compile_pdf(broken)


def test_the_embedded_teams_draft_makes_a_paper(dossier: Dossier, tiny: Template) -> None:
    made = compose(dossier, tiny, write(tiny, dossier), sample.executions())
    assert len(render(made, "png")) >= 3


def test_a_campaign_that_found_nothing_still_makes_a_paper(dossier: Dossier, tiny: Template) -> None:
    nothing = {"ideas": (), "tried": (), "plans": (), "claims": (), "lessons": ()}
    empty = dossier.model_copy(update=nothing)
    made = compose(empty, tiny, write(tiny, empty), ())
    assert "nothing is claimed" in made.source
    assert compile_pdf(made).startswith(b"%PDF")

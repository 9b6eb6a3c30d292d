from __future__ import annotations

from collections import Counter

import pytest

from agents.llm.settings import PanelSettings
from templates.template import Template
from tests.agents.llm.calibration.asking import ACCEPTING, FORM, by_kind
from tests.agents.llm.calibration.gate import Rate, checklist, panel, rates
from tests.agents.llm.calibration.papers import BAD, FRAUDS, HONEST, MEANING, ODDITIES, TALES, Paper, papers, walker

QUICK = PanelSettings(reviewers=1, reflections=0)
KNOWN_FALSE_ALARM = "negated overclaim"
"""The checklist hears a word that only a supported claim may back, and not that it is denied."""


@pytest.fixture(scope="module")
def walks(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return walker(tmp_path_factory.mktemp("walks") / "walks")


@pytest.fixture(scope="module")
def seen(walks: Template) -> tuple[Paper, ...]:
    return tuple(papers(walks))


@pytest.fixture(scope="module")
def decided(walks: Template, seen: tuple[Paper, ...]) -> tuple[str, ...]:
    gate = checklist(walks)
    return tuple(gate(paper).decision for paper in seen)


def test_every_change_makes_a_paper_somewhere(seen: tuple[Paper, ...]) -> None:
    made = {paper.done for paper in seen}
    assert {*FRAUDS, *TALES, *ODDITIES} <= made
    assert min(Counter(paper.kind for paper in seen)[kind] for kind in (BAD, MEANING, HONEST)) > 50


def test_the_checklist_lets_no_fault_through_that_records_show(
    seen: tuple[Paper, ...], decided: tuple[str, ...]
) -> None:
    found = rates(seen, decided)
    assert found.false_accept.hits == 0, found.through
    assert found.false_accept.interval[1] < 0.02
    assert set(found.held_up) <= {KNOWN_FALSE_ALARM}


def test_a_panel_that_accepts_everything_changes_nothing_that_the_checklist_decides(
    walks: Template, seen: tuple[Paper, ...], decided: tuple[str, ...]
) -> None:
    alone, obeying = checklist(walks), panel(walks, by_kind(ACCEPTING), QUICK)
    held_up = [paper for paper, decision in zip(seen, decided, strict=True) if decision != "accept"]
    for paper in held_up[::6]:
        made, without = obeying(paper), alone(paper)
        assert (made.decision, made.findings) == (without.decision, without.findings), (paper.campaign, paper.done)


def test_a_panel_that_rejects_everything_is_heard(walks: Template, seen: tuple[Paper, ...]) -> None:
    lines = {"Form": {**FORM, "decision": "strong reject"}, "Ruling": {"decision": "reject"}}
    some = seen[::20]
    found = rates(some, [panel(walks, by_kind(lines), QUICK)(paper).decision for paper in some])
    assert (found.false_accept.hits, found.false_accept_meaning.hits) == (0, 0)
    assert found.false_reject.hits == found.false_reject.of > 0


def test_a_gate_that_is_open_is_measured_as_open(seen: tuple[Paper, ...]) -> None:
    found = rates(seen, ["accept"] * len(seen))
    assert found.false_accept.hits == found.false_accept.of > 100
    assert found.false_reject.hits == 0


@pytest.mark.parametrize(
    ("rate", "low", "high"), [(Rate(0, 10), 0.0, 0.2775), (Rate(5, 10), 0.2366, 0.7634), (Rate(0, 0), 0.0, 1.0)]
)
def test_the_interval_is_wilsons(rate: Rate, low: float, high: float) -> None:
    assert rate.interval == pytest.approx((low, high), abs=1e-4)

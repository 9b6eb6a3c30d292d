"""Figures show the journal's series and are the same bytes every time."""

from __future__ import annotations

import json
import re

import pytest

from agents.team import Dossier
from flows.papers import Composed, series
from flows.papers.figures import draw_all
from templates.template import Template
from tests.papers import sample

NAMES = ("differences", "evidence", "search")


def test_the_same_journal_draws_the_same_bytes(dossier: Dossier, tiny: Template, paper: Composed) -> None:
    again = draw_all(dossier, sample.executions(), tiny.manifest.metric)
    assert again == {name: data for name, data in paper.files.items() if name.startswith("figures/")}
    assert sorted(again) == sorted(f"figures/{name}.{kind}" for name in NAMES for kind in ("json", "svg"))


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_is_a_drawing_without_time_or_place(paper: Composed, name: str) -> None:
    svg = paper.files[f"figures/{name}.svg"].decode()
    assert svg.lstrip().startswith("<?xml")
    assert "<dc:date>" not in svg
    assert not re.search(r"matplotlib\.org|/home|/tmp", svg.split("<defs>")[0].replace("svg11.dtd", ""))


def test_differences_are_paired_by_seed_and_signed_so_that_up_is_better(dossier: Dossier) -> None:
    shown = series.differences(dossier, sample.executions())["claims"][0]
    claim = dossier.claims[0]
    assert shown["seeds"] == list(range(1001, 1017))
    assert sum(shown["differences"]) / claim.n == pytest.approx(claim.estimate)
    assert claim.estimate > 0


def test_the_best_so_far_is_a_mean_over_seeds_and_never_one_lucky_seed(dossier: Dossier) -> None:
    shown = series.search(dossier, sample.executions(), metric="error", maximize=False)
    lucky = min(v for v in shown["values"] if v is not None)
    best = [v for v in shown["best_so_far"] if v is not None]
    assert best == sorted(best, reverse=True)
    assert best[-1] > lucky
    assert shown["best_so_far"][:3] == [None] * 3
    assert shown["values"].count(None) == 4


def test_the_e_values_end_where_the_claim_says(dossier: Dossier) -> None:
    for shown, claim in zip(series.evidence(dossier, sample.executions())["plans"], dossier.claims, strict=True):
        assert shown["relative"][0] == claim.level
        assert shown["relative"][-1] == pytest.approx(claim.level * claim.e_value)
        assert len(shown["relative"]) == claim.n + 1


def test_the_data_lie_beside_the_drawing(paper: Composed) -> None:
    assert json.loads(paper.files["figures/differences.json"])["claims"][2]["verdict"] == "inconclusive"


def test_a_campaign_without_executions_has_no_figures(dossier: Dossier, tiny: Template) -> None:
    empty = dossier.model_copy(update={"claims": (), "plans": ()})
    assert draw_all(empty, (), tiny.manifest.metric) == {}

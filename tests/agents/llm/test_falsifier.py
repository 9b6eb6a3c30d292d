from __future__ import annotations

from pathlib import Path

import pytest

from agents.llm.falsifier import Doubt, doubts, open_questions
from agents.records import Attack, Claim, Verdict
from agents.scripted import Line
from agents.team import Dossier
from templates.template import Template
from tests.agents.llm.calibration.asking import asker, obeying, ordered, outside_data
from tests.agents.making import MANIFEST, claim, dossier, idea

CONDITIONS = """
[[conditions]]
name = "no-home"
kind = "control"
title = "no home to go to"
why = "Nothing can be gained."

[[conditions]]
name = "wind"
kind = "change"
title = "a steady wind"
why = "It blows."
"""
CLAIM = claim(1, "i1", Verdict.SUPPORTED)
WHY = "The first step alone may explain it."


@pytest.fixture
def windy(tiny: Template, tmp_path: Path) -> Template:
    path = tiny.root / "template.toml"
    path.write_text(path.read_text("utf-8").replace(MANIFEST, MANIFEST + CONDITIONS), "utf-8")
    return Template(tiny.root)


def story(**more: object) -> Dossier:
    made = dossier(CLAIM)
    ideas = (idea("i1", "fast", "mirror"), *made.ideas[1:])
    return made.model_copy(update={"ideas": ideas, **more})


def suspected(kind: str, *removed: str, condition: str = "", why: str = WHY) -> dict[str, object]:
    return {"kind": kind, "removed": list(removed), "condition": condition, "why": why}


def found(windy: Template, *said: dict[str, object], evidence: Dossier | None = None) -> tuple[Doubt, ...]:
    desk, _ = asker([{"doubts": list(said)}, {"doubts": list(said)}])
    return doubts(desk, windy, evidence or story(), CLAIM)


def test_what_can_be_named_can_be_run(windy: Template) -> None:
    made = found(
        windy, suspected("ablation", "mirror"), suspected("negative control", condition="no-home"),
        suspected("changed condition", condition="wind"), suspected("replication"),
    )  # fmt: skip
    assert [d.runs for d in made] == [True] * 4
    assert [(d.kind.value, d.removed, d.condition) for d in made] == [
        ("ablation", ("mirror",), None), ("negative control", (), "no-home"),
        ("changed condition", (), "wind"), ("replication", (), None),
    ]  # fmt: skip
    assert open_questions(made) == ()


def test_what_cannot_be_named_is_an_open_question_and_comes_last(windy: Template) -> None:
    words = "The third line of the patch may do it all."
    made = found(windy, suspected("ablation", why=words), suspected("ablation", "fast"))
    assert [d.runs for d in made] == [True, False]
    assert open_questions(made) == (words,)


def test_what_is_registered_is_not_doubted_again(windy: Template) -> None:
    attacks = (
        Attack(plan="p8", kind="ablation", removed=("fast",)),
        Attack(plan="p9", kind="changed condition", condition="a steady wind"),
    )
    said = (
        suspected("ablation", "fast"),
        suspected("ablation", "mirror"),
        suspected("changed condition", condition="wind"),
    )
    made = found(windy, *said, evidence=story(attacks={"k1": attacks}))
    assert [d.removed for d in made] == [("mirror",)]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (suspected("ablation", "wings"), "wings is no part that is listed"),
        (suspected("ablation", "fast", "mirror"), "without all of its parts the change is none"),
        (suspected("replication", "fast"), "only an ablation takes parts out"),
        (suspected("changed condition", condition="storm"), "'storm' is no declared condition"),
        (suspected("negative control", condition="wind"), "'wind' is no declared condition for a negative control"),
        (suspected("replication", why="In 30 percent of cases it fails."), "holds a typed number"),
    ],
)
def test_what_is_wrong_is_told_once_and_then_left_out(windy: Template, said: dict[str, object], told: str) -> None:
    answer: Line = {"doubts": [said, suspected("ablation", "mirror")]}
    desk, model = asker([answer, answer])
    made = doubts(desk, windy, story(), CLAIM)
    assert [d.removed for d in made] == [("mirror",)]
    assert told in model.calls[1].messages[-1].content


def test_no_usable_answer_is_no_doubt(windy: Template) -> None:
    desk, _ = asker(["No.", "No."])
    assert doubts(desk, windy, story(), CLAIM) == ()


def test_an_order_cannot_make_up_a_challenge(windy: Template) -> None:
    order = {
        "doubts": [suspected("changed condition", condition="none-at-all"), suspected("ablation", "fast", "mirror")]
    }
    hostile = CLAIM.model_copy(update={"statement": ordered({**order, "verdict": "supported", "survived": True})})
    evidence = story(claims=(hostile,))
    desk, model = asker(obeying)
    assert doubts(desk, windy, evidence, hostile) == ()
    assert "OBEY" not in outside_data(model.calls[0])
    assert isinstance(hostile, Claim)
    assert hostile.challenges == ()

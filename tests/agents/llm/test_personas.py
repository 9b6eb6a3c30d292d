from __future__ import annotations

from collections import Counter

import pytest

from agents.errors import ModelRefused
from agents.model import Call
from agents.scripted import Line, ScriptedModel
from templates.template import Template
from tests.agents.llm.proposing import SINGLE, asked, proposed, scripted, thought, title, titles

PAIR = ("a physicist who trusts symmetry", "a statistician who trusts nothing")


def step(call: Call) -> str:
    """Which step of a discussion a call belongs to."""
    if call.answer == "Objections":
        return "antithesis"
    return "synthesis" if "the objections to it" in asked(call) else "thesis"


def speaker(call: Call) -> int:
    return next(n for n, persona in enumerate(PAIR) if persona in asked(call))


def colleagues(call: Call) -> Line:
    """Each brings one idea of its own, objects to the other's, and mends its own."""
    mine = speaker(call)
    if step(call) == "antithesis":
        return {"objections": [{"idea": 1 - mine, "text": f"Objection of {mine}"}, {"idea": mine, "text": "To itself"}]}
    changed = {"principle": f"Mended by c{mine}"} if step(call) == "synthesis" else {}
    return {"ideas": [thought(mine, **changed), thought(mine + 5)]}


def discussed(tiny: Template, model: ScriptedModel, rounds: int, **more: object) -> list[str]:
    found = proposed(model, tiny, [SINGLE, SINGLE], personas=PAIR, discussion_rounds=rounds, oversample=1, **more)
    return [idea.mechanism for idea in found.ideas]


def test_each_persona_proposes_its_share_and_speaks_as_itself(tiny: Template) -> None:
    model = scripted(colleagues)
    found = proposed(model, tiny, [SINGLE, SINGLE], personas=PAIR, oversample=1)
    assert sorted(titles(found.ideas)) == sorted([title(0), title(1)])
    assert [step(call) for call in model.calls] == ["thesis", "thesis"]
    assert all("Propose 1 idea," in asked(call) for call in model.calls)


def test_a_round_is_objections_to_the_others_and_then_revisions_of_what_is_ones_own(tiny: Template) -> None:
    model = scripted(colleagues)
    mechanisms = discussed(tiny, model, rounds=1)
    assert [(step(call), speaker(call)) for call in model.calls] == [
        (name, who) for name in ("thesis", "antithesis", "synthesis") for who in (0, 1)
    ]
    assert sorted(text.rpartition("Principle: ")[2] for text in mechanisms) == ["Mended by c0", "Mended by c1"]
    objecting, revising = model.calls[2], model.calls[4]
    assert title(1) in asked(objecting)
    assert title(0) not in asked(objecting)
    assert "Objection: Objection of 1" in asked(revising)
    assert "To itself" not in asked(revising)


def test_rounds_go_on_as_often_as_the_setting_says(tiny: Template) -> None:
    model = scripted(colleagues)
    discussed(tiny, model, rounds=3)
    assert Counter(map(step, model.calls)) == {"thesis": 2, "antithesis": 6, "synthesis": 6}


def test_each_step_has_its_temperature_and_the_last_goes_on(tiny: Template) -> None:
    model = scripted(colleagues)
    discussed(tiny, model, rounds=2, temperatures=(1.0, 0.7, 0.4))
    heats = [call.temperature for call in model.calls[::2]]
    assert heats == [1.0, 0.7, 0.4, 0.4, 0.4]
    plain = scripted(colleagues)
    discussed(tiny, plain, rounds=1)
    assert {call.temperature for call in plain.calls} == {None}


def test_one_alone_objects_to_itself(tiny: Template) -> None:
    def answer(call: Call) -> Line:
        if step(call) == "antithesis":
            return {"objections": [{"idea": 0, "text": "Too small."}]}
        return {"ideas": [thought(0, **({"principle": "Larger."} if step(call) == "synthesis" else {}))]}

    model = scripted(answer)
    found = proposed(model, tiny, discussion_rounds=1, oversample=1)
    assert found.ideas[0].mechanism.endswith("Principle: Larger.")
    assert "Objection: Too small." in asked(model.calls[-1])


def test_without_objections_nobody_revises(tiny: Template) -> None:
    model = scripted(lambda call: {"objections": []} if step(call) == "antithesis" else colleagues(call))
    discussed(tiny, model, rounds=1)
    assert "synthesis" not in set(map(step, model.calls))


@pytest.mark.parametrize("failing", ["antithesis", "synthesis"])
def test_who_gives_no_usable_answer_does_without_a_say_and_keeps_its_ideas(tiny: Template, failing: str) -> None:
    def answer(call: Call) -> Line:
        return ModelRefused("ideator", "no") if (step(call), speaker(call)) == (failing, 0) else colleagues(call)

    mended = [text.rpartition("Principle: ")[2] for text in discussed(tiny, scripted(answer), rounds=1)]
    assert len(mended) == 2
    assert [text for text in mended if text.startswith("Mended")] == [
        f"Mended by c{0 if failing == 'antithesis' else 1}"
    ]


def test_a_discussion_goes_on_while_anyone_proposes_and_fails_when_nobody_does(tiny: Template) -> None:
    def answer(call: Call) -> Line:
        return ModelRefused("ideator", "no") if speaker(call) == 0 else colleagues(call)

    assert titles(proposed(scripted(answer), tiny, personas=PAIR, asks=1).ideas) == [title(1)]
    silent = proposed(scripted(lambda _: ModelRefused("ideator", "I will not")), tiny, personas=PAIR)
    assert silent.ideas == ()
    assert "I will not" in silent.rejected[0].why


def test_a_revision_that_brings_fewer_or_more_ideas_loses_and_adds_none(tiny: Template) -> None:
    def answer(call: Call) -> Line:
        if step(call) == "antithesis":
            return {"objections": [{"idea": 0, "text": "No."}]}
        numbers = (0, 1) if step(call) == "thesis" else many
        return {"ideas": [thought(n) for n in numbers]}

    for many in ((5,), (5, 6, 7), ()):
        found = proposed(scripted(answer), tiny, [SINGLE, SINGLE], oversample=1, discussion_rounds=1)
        expected = {title(n) for n in (many[:2] + (0, 1)[len(many) :])}
        assert set(titles(found.ideas)) == expected

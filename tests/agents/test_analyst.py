from __future__ import annotations

import pytest

from agents.embedded.analyst import beliefs, interpret
from agents.embedded.proposer import propose
from agents.team import Request, Tried
from templates.template import Template
from tests.agents.making import idea, rng


def outcome(*factors: str, effect: float | None, spread: float | None = 0.02, outcome: str = "screened") -> Tried:
    return Tried(idea=idea("i" + "".join(factors), *factors), outcome=outcome, effect=effect, spread=spread)


@pytest.mark.parametrize(
    ("tried", "kind"),
    [
        (outcome("fast", effect=0.3), "helps"),
        (outcome("fast", effect=-0.3), "hurts"),
        (outcome("fast", effect=0.0), "inert"),
        (outcome("fast", effect=0.06, spread=0.3), "unclear"),
        (outcome("fast", effect=None, spread=None, outcome="crashed"), "crash"),
        (outcome("fast", effect=0.06, spread=0.3, outcome="supported"), "helps"),
        (outcome("fast", effect=0.12, outcome="refuted"), "unclear"),
        (outcome("fast", effect=0.0, outcome="refuted"), "inert"),
        (outcome("fast", effect=-0.2, outcome="refuted"), "hurts"),
        (outcome("fast", effect=0.1, spread=None), "unclear"),
    ],
)
def test_the_kind_of_a_lesson_follows_from_the_outcome(tiny: Template, tried: Tried, kind: str) -> None:
    (lesson,) = interpret(tiny, 1, [tried])
    assert lesson.kind == kind
    assert lesson.factors == tried.idea.factors
    assert not any(c.isdigit() for c in lesson.statement)


def test_an_effect_of_half_of_what_is_of_interest_is_an_even_bet(tiny: Template) -> None:
    helps, _ = beliefs(tiny, outcome("fast", effect=0.05))
    assert helps == pytest.approx(0.5)


def test_belief_rises_with_the_effect_and_falls_with_the_spread(tiny: Template) -> None:
    small, large = (beliefs(tiny, outcome("fast", effect=e, spread=0.2))[0] for e in (0.1, 0.2))
    noisy = beliefs(tiny, outcome("fast", effect=0.2, spread=0.8))[0]
    assert 0.5 < small < large
    assert 0.5 < noisy < large


def test_no_screen_makes_certain(tiny: Template) -> None:
    helps, hurts = beliefs(tiny, outcome("fast", effect=99.0, spread=0.0))
    assert (helps, hurts) == (0.98, pytest.approx(0.02))


def test_verdicts_move_the_belief(tiny: Template) -> None:
    seen, supported, refuted = (
        interpret(tiny, 1, [outcome("fast", effect=0.08, spread=0.3, outcome=o)])[0].belief
        for o in ("inconclusive", "supported", "refuted")
    )
    assert refuted < 0.1 < seen < 0.9 < supported


def test_only_the_ideas_of_the_round_give_lessons(tiny: Template) -> None:
    before = outcome("fast", effect=0.3)
    now = Tried(idea=idea("i2", "long", round_=2), outcome="screened", effect=0.3, spread=0.02)
    assert [lesson.factors for lesson in interpret(tiny, 2, [before, now])] == [("long",)]


def test_a_combination_that_adds_nothing_to_its_part_is_said_to_be_that(tiny: Template) -> None:
    part = outcome("fast", effect=0.4)
    whole = Tried(idea=idea("i2", "fast", "long", round_=2), outcome="screened", effect=0.3, spread=0.02)
    (lesson,) = interpret(tiny, 2, [part, whole])
    assert "did no better than" in lesson.statement


def test_lessons_change_what_is_combined_next(tiny: Template) -> None:
    history = [
        outcome("fast", effect=0.3),
        outcome("mirror", effect=-0.3),
        outcome("long", effect=0.3),
        outcome("far", effect=None, spread=None, outcome="crashed"),
    ]
    lessons = interpret(tiny, 1, history)
    request = Request(kind="combine", bases=("ifast", "imirror", "ilong", "ifar"))
    (free,) = propose(tiny, history, [], [request], rng())
    (learned,) = propose(tiny, history, lessons, [request], rng())
    assert set(free.factors) == {"fast", "mirror", "long", "far"}
    assert set(learned.factors) == {"fast", "long"}

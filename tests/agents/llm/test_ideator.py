from __future__ import annotations

from collections import Counter

import pytest

from agents.errors import ModelBudgetSpent, ModelRefused, ModelUnavailable
from agents.literature.entry import Entry
from agents.llm.ideas import Background
from agents.model import Call
from agents.scripted import Line, ScriptedModel
from agents.storing import Kept
from agents.team import Rejected, Request
from templates.constraints import Constraint
from templates.template import Template
from tests.agents.llm.proposing import SINGLE, asked, past, proposed, scripted, thought, title, titles
from tests.agents.llm.texts import REWORDED

FIRST = Entry.model_validate({"id": "old1999", "title": "Walks", "year": 1999, "abstract": "They walk."})
LAST = Entry.model_validate({"id": "new2020", "title": "Steps", "year": 2020, "abstract": "They step."})
BAD = Entry.model_validate({"id": "bad2010", "title": "Made up", "year": 2010, "abstract": "No.", "status": "disowned"})


def reworded(number: int) -> dict[str, object]:
    name, _, rest = REWORDED[number].partition(". ")
    return thought(number, title=name, statement=rest, mechanism="So it is.")


def why(rejected: tuple[Rejected, ...]) -> dict[str, str]:
    return {each.title: each.why for each in rejected}


def test_an_idea_says_what_it_predicts_and_is_numbered_by_nobody_here(tiny: Template) -> None:
    known = Background(tiny, works=(FIRST,))
    own = {"novelty": 9.0, "feasibility": 2.0, "effect": 8.0}
    model = scripted([thought(0, principle="Means are calm.", inspirations=["old1999", "made-up", "old1999"], **own)])
    (idea,) = proposed(model, known).ideas
    assert (idea.id, idea.round, idea.by, idea.factors, idea.parents) == ("", 1, "llm", (), ())
    assert (idea.metric, idea.least_effect) == ("distance", 0.2)
    assert idea.mechanism.endswith("Principle: Means are calm.")
    assert idea.inspirations == ("old1999",)
    assert idea.scores["expected_effect"] == 0.4
    assert (idea.scores["self_novelty"], idea.scores["self_feasibility"], idea.scores["self_effect"]) == (9, 2, 8)
    assert idea.scores["novelty_campaign"] == 1.0
    assert idea.scores["novelty_literature"] > 0.8


def test_a_least_effect_below_that_of_the_template_is_raised_to_it(tiny: Template) -> None:
    (idea,) = proposed(scripted([thought(0, least_effect=0.001)]), tiny).ideas
    assert idea.least_effect == 0.1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"mechanism": " "}, "names no mechanism"),
        ({"statement": ""}, "states nothing"),
        ({"title": "\n"}, "states nothing"),
        ({"metric": "speed"}, "predicts 'speed'"),
        ({"metric": ""}, "predicts no metric"),
        ({"direction": "raises"}, "does not predict that the metric gets better"),
        ({"direction": ""}, "does not predict that the metric gets better"),
        ({"least_effect": None}, "predicts no least effect"),
        ({"least_effect": -1}, "predicts no least effect"),
    ],
)
def test_what_could_not_be_found_wrong_is_turned_away(tiny: Template, changes: dict[str, object], said: str) -> None:
    found = proposed(scripted([thought(0, **changes)]), tiny, asks=1)
    assert found.ideas == ()
    assert found.rejected[0].why.startswith("not falsifiable: ")
    assert said in found.rejected[0].why


def test_an_effect_beyond_the_range_of_the_metric_is_turned_away(tiny: Template) -> None:
    metric = tiny.manifest.metric.model_copy(update={"range": (0.0, 1.0)})
    tiny.manifest = tiny.manifest.model_copy(update={"metric": metric})
    assert (
        "larger than the metric's whole range"
        in proposed(scripted([thought(0, least_effect=1.5)]), tiny).rejected[0].why
    )
    assert proposed(scripted([thought(0, least_effect=0.9)]), tiny).ideas != ()


def test_what_was_tried_is_not_taken_up_again_in_any_words_and_failures_are_named_as_such(tiny: Template) -> None:
    known = Background(tiny, tried=(past("i1", 0, "survived"), past("i2", 1, "refuted"), past("i3", 2, "crashed")))
    model = scripted([thought(0), reworded(1), reworded(2), thought(3)])
    found = proposed(model, known, [SINGLE, SINGLE])
    assert titles(found.ideas) == [title(3)]
    told = why(found.rejected)
    assert told[title(0)] == "duplicate-of i1"
    assert told["Mirrored transitions"] == "duplicate-of-failed i2"
    assert told["Minimum of two networks"] == "duplicate-of-failed i3"
    assert found.ideas[0].scores["novelty_campaign"] < 1.0


def test_one_round_does_not_take_up_the_same_twice(tiny: Template) -> None:
    found = proposed(scripted([thought(4), reworded(4)]), tiny)
    assert titles(found.ideas) == [title(4)]
    assert [each.why for each in found.rejected] == [f"duplicate-of {title(4)!r} of this round"]
    assert found.duplicates == 0.5


def test_constraints_on_ideas_turn_away_by_name(tiny: Template) -> None:
    rule = Constraint(name="no-copies", kind="forbid_text", applies_to="idea", value="minimum", why="Too dear.")
    found = proposed(scripted([thought(2), thought(3)]), Background(tiny, constraints=(rule,)))
    assert titles(found.ideas) == [title(3)]
    assert found.rejected[0].why == "violates constraint no-copies: it says 'minimum' (Too dear.)"


def test_too_few_usable_ideas_are_asked_for_once_more_with_the_reasons(tiny: Template) -> None:
    answers = iter([[thought(0, mechanism=""), thought(1)], [thought(2), thought(3), thought(4)]])
    model = scripted(lambda _: {"ideas": next(answers)})
    found = proposed(model, tiny, [SINGLE, SINGLE])
    again = asked([call for call in model.calls if call.role == "ideator"][1])
    assert "names no mechanism" in again
    assert "Propose 3 ideas" in again
    assert len(found.ideas) == 2
    kept = {title(1), title(2), title(3), title(4)}
    assert set(titles(found.ideas)) | {r.title for r in found.rejected if "tournament" in r.why} == kept


def test_the_surplus_competes_and_marks_that_an_idea_gives_itself_do_not_count(tiny: Template) -> None:
    boast = {"novelty": 10.0, "feasibility": 10.0, "effect": 10.0, "expected_effect": 99.0}
    ideas = [thought(n, **(boast if n < 2 else {"novelty": 0.0})) for n in range(4)]

    def answer(call: Call) -> Line:
        if call.role == "ideator":
            return {"ideas": ideas}
        assert not {"10.0", "99"} & set(asked(call).replace(",", " ").split())
        return {"better": "first" if place(call, 1) > place(call, 2) else "second"}

    def place(call: Call, which: int) -> int:
        return next(n for n in range(4) if title(n) in call.messages[-1].content.split("<data-")[which])

    model = ScriptedModel(answer)
    found = proposed(model, tiny, [SINGLE, SINGLE])
    assert titles(found.ideas) == [title(3), title(2)]
    assert why(found.rejected) == {title(0): "lost the tournament", title(1): "lost the tournament"}
    assert found.tournament is not None
    assert found.tournament.inconsistency == 0.0
    assert Counter(call.role for call in model.calls) == {"ideator": 1, "judge": 12}


def test_without_a_surplus_nothing_is_judged(tiny: Template) -> None:
    model = scripted([thought(0)])
    assert proposed(model, tiny, oversample=1).tournament is None
    assert [call.role for call in model.calls] == ["ideator"]


def test_a_combination_builds_on_its_bases_and_only_repeating_one_of_them_is_no_combination(tiny: Template) -> None:
    known = Background(tiny, tried=(past("i1", 0, "survived"), past("i2", 1, "supported"), past("i3", 2, "screened")))
    both = {key: f"{thought(0)[key]} {thought(1)[key]}" for key in ("title", "statement", "mechanism")}
    request = Request(kind="combine", bases=("i2", "i1"))
    model = scripted([thought(0), thought(0, **both)])
    found = proposed(model, known, [request])
    assert [idea.parents for idea in found.ideas] == [("i2", "i1")]
    assert why(found.rejected) == {title(0): "duplicate-of i1"}
    assert title(1) in asked(model.calls[0])
    assert found.ideas[0].scores["novelty_campaign"] > 0.5
    stranger = proposed(scripted([thought(2)]), known, [request], asks=1)
    assert why(stranger.rejected) == {title(2): "duplicate-of-failed i3"}


def test_ideas_come_in_the_order_of_their_requests_and_bases_that_never_ran_make_a_single(tiny: Template) -> None:
    known = Background(tiny, tried=(past("i1", 9, "survived"), past("i2", 8, "crashed")))
    requests = [Request(kind="combine", bases=("i2", "i1")), SINGLE, Request(kind="combine", bases=("i7", "i2"))]

    def answer(call: Call) -> Line:
        numbers = (0, 1) if "Now combine" in asked(call) else (2, 3, 4, 5)
        return {"ideas": [thought(n) for n in numbers]}

    found = proposed(scripted(answer), known, requests)
    assert [idea.parents for idea in found.ideas] == [("i1",), (), ()]
    assert {idea.round for idea in found.ideas} == {2}


def test_a_model_that_refuses_costs_its_group_only_and_the_reason_is_kept(tiny: Template) -> None:
    known = Background(tiny, tried=(past("i1", 9, "survived"),))

    def answer(call: Call) -> Line:
        return (
            ModelRefused("ideator", "I would rather not") if "Now combine" in asked(call) else {"ideas": [thought(0)]}
        )

    found = proposed(scripted(answer), known, [Request(kind="combine", bases=("i1",)), SINGLE])
    assert titles(found.ideas) == [title(0)]
    assert [(each.title, "rather not" in each.why) for each in found.rejected] == [("", True)]
    nothing = proposed(scripted(lambda _: "no JSON at all"), tiny)
    assert nothing.ideas == ()
    assert "no JSON" in nothing.rejected[0].why
    assert nothing.duplicates is None


@pytest.mark.parametrize("error", [ModelBudgetSpent("dollars", 1, 0, 1), ModelUnavailable("gone")])
def test_a_spent_budget_and_an_endpoint_that_is_gone_are_for_the_campaign(tiny: Template, error: Exception) -> None:
    with pytest.raises(type(error)):
        proposed(scripted(lambda _: error), tiny)


def test_the_same_arguments_ask_the_same_and_buy_nothing_twice(tiny: Template) -> None:
    kept = Kept()
    first, second, third = (scripted([thought(n) for n in range(4)]) for _ in range(3))
    one, two = proposed(first, tiny, [SINGLE], kept=kept), proposed(second, tiny, [SINGLE], kept=kept)
    assert one == two
    assert second.calls == []
    assert proposed(third, tiny, [SINGLE]) == one
    assert third.calls == first.calls


def test_another_round_without_news_is_another_question(tiny: Template) -> None:
    model = scripted([thought(0)])
    for seed in (1, 2):
        proposed(model, tiny, seed=seed)
    assert model.calls[0] != model.calls[1]
    assert model.calls[0].messages == model.calls[1].messages


@pytest.mark.parametrize(("deaf", "still"), [("near_cosine", 1), ("near_overlap", 3)])
def test_either_measure_alone_tells_a_duplicate(tiny: Template, deaf: str, still: int) -> None:
    """Text 3 in other words shares too few of them for the overlap: only the embeddings are near."""
    known = Background(tiny, tried=(past("i1", still, "screened"),))
    assert proposed(scripted([reworded(still)]), known, asks=1, **{deaf: 1.0}).ideas == ()


@pytest.mark.parametrize(
    ("said", "typed"),
    [
        ("It rises to 99.9 at once.", True),
        ("It holds in 12 % of the cases.", True),
        ("The gain is -3 steps.", True),
        ("An L2 penalty on the top-1 action and x_1 keeps it twice as near.", False),
    ],
)
def test_a_reason_that_papers_would_quote_types_no_number(tiny: Template, said: str, typed: bool) -> None:
    found = proposed(scripted([thought(0, mechanism=said), thought(1)]), tiny, [SINGLE, SINGLE])
    assert any("types the number" in each.why for each in found.rejected) is typed

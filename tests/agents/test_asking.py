"""Every question is paid for once, kept, counted and checked."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import pytest

from agents.asking import Asker, Stored
from agents.errors import (
    AnswerEmpty,
    AnswerInvalid,
    AnswerLooping,
    AnswerTruncated,
    ModelBudgetSpent,
    ModelError,
    ModelRefused,
    ModelUnavailable,
)
from agents.metering import Purse
from agents.model import Call, Reply, Usage
from agents.scripted import ScriptedModel
from agents.storing import CallFolder, Kept
from tests.agents.calls import Verdict, asker, call

LOOP = "so " * 2000
GOOD = {"better": True, "why": "it is"}


def whole(text: str, finish: str = "stop") -> Reply:
    return Reply.model_validate(
        {"text": text, "finish": finish, "usage": Usage(input=3, output=7), "model": "scripted"}
    )


def test_a_text_is_returned_without_space_around_it() -> None:
    assert asker(ScriptedModel([" yes \n"])).text(call()) == "yes"


def test_an_answer_of_the_shape_is_returned_and_the_shape_is_asked_for() -> None:
    model = ScriptedModel([{**GOOD, "confidence": 0.9}])
    assert asker(model).ask(call(), Verdict) == Verdict(better=True, why="it is")
    assert model.calls[0].answer == "Verdict"
    assert model.calls[0].shape == Verdict.model_json_schema()


def test_what_is_wrong_is_told_once_and_the_second_answer_counts() -> None:
    model = ScriptedModel([{"better": "perhaps"}, GOOD])
    assert asker(model).ask(call(), Verdict).better
    first, second = model.calls
    assert second.messages[: len(first.messages)] == first.messages
    assert second.messages[-2].content == '{"better": "perhaps"}'
    assert "better: Input should be a valid boolean" in second.messages[-1].content
    assert '"better": {' in second.messages[-1].content


def test_two_invalid_answers_are_an_error_and_two_calls() -> None:
    model = ScriptedModel(["no idea", "still none"])
    with pytest.raises(AnswerInvalid, match="it holds no JSON object"):
        asker(model).ask(call(), Verdict)
    assert len(model.calls) == 2


def test_a_check_can_refuse_an_answer() -> None:
    model = ScriptedModel([GOOD, {"better": False}])
    found = asker(model).ask(call(), Verdict, check=lambda answer: "it must not be better" if answer.better else "")
    assert not found.better
    assert "it must not be better" in model.calls[1].messages[-1].content


@pytest.mark.parametrize(
    "text",
    [
        '{"better": NaN}',
        '{"better": true, "why": "\\ud800"}',
        "[" * 100_000,
        '{"better":' * 50_000,
        "",
        "[1]",
        "null",
        "{}",
    ],
)
def test_hostile_answers_are_invalid_and_nothing_else(text: str) -> None:
    with pytest.raises(AnswerInvalid):
        asker(ScriptedModel(lambda _: text)).ask(call(), Verdict)


def test_a_long_wrong_answer_is_not_sent_back_whole() -> None:
    model = ScriptedModel(["x y " * 50_000, GOOD])
    asker(model).ask(call(), Verdict)
    assert len(model.calls[1].messages[-2].content) < 21_000


def test_a_beginning_is_asked_for_again_with_twice_the_tokens() -> None:
    model = ScriptedModel([whole("once upon", "length"), "the end"])
    assert asker(model).text(call(max_tokens=100)) == "the end"
    assert [one.max_tokens for one in model.calls] == [100, 200]


def test_no_answer_gets_more_than_the_most_tokens() -> None:
    model = ScriptedModel(lambda _: whole("once upon", "length"))
    asking = Asker({"": model}, Kept(), Purse(), lambda key, stored: None, most_tokens=150)
    with pytest.raises(AnswerTruncated, match="it breaks off after 7 tokens of 150"):
        asking.text(call(max_tokens=100))
    assert [one.max_tokens for one in model.calls] == [100, 150]
    with pytest.raises(AnswerTruncated):
        asking.text(call(max_tokens=150))
    assert len(model.calls) == 2


@pytest.mark.parametrize(("bad", "error"), [("", AnswerEmpty), (" \n", AnswerEmpty), (LOOP, AnswerLooping)])
def test_nothing_and_loops_are_asked_again_as_another_attempt(bad: str, error: type[ModelError]) -> None:
    model = ScriptedModel([bad, "yes"])
    assert asker(model).text(call(sample=3)) == "yes"
    assert [(one.sample, one.attempt) for one in model.calls] == [(3, 0), (3, 1)]
    with pytest.raises(error):
        asker(ScriptedModel([bad, bad])).text(call())


def test_a_refusal_is_not_asked_again() -> None:
    model = ScriptedModel([whole("I cannot help with that.", "refusal")])
    with pytest.raises(ModelRefused, match="the judge refused to answer: I cannot help"):
        asker(model).text(call())
    assert len(model.calls) == 1


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (whole("no", "refusal"), ModelRefused),
        (whole("once", "length"), AnswerTruncated),
        (whole(LOOP), AnswerLooping),
        (whole(""), AnswerEmpty),
        (whole("no shape"), AnswerInvalid),
    ],
)
def test_an_answer_of_no_use_is_paid_for_once_and_the_same_error_comes_from_the_store(
    reply: Reply, error: type[ModelError], tmp_path: Path
) -> None:
    purse, told = Purse(tokens=10**6), []
    model = ScriptedModel(lambda _: reply)
    with pytest.raises(error) as first:
        asker(model, CallFolder(tmp_path), purse, lambda key, stored: told.append(key)).ask(call(), Verdict)
    assert purse.spent.calls == len(model.calls) == len(set(told))
    assert purse.spent.tokens == 10 * len(model.calls)
    nobody = ScriptedModel([])
    with pytest.raises(error) as second:
        asker(nobody, CallFolder(tmp_path)).ask(call(), Verdict)
    assert str(first.value) == str(second.value)
    assert nobody.calls == []


def test_a_resumed_campaign_buys_no_call_again(tmp_path: Path) -> None:
    first = ScriptedModel(["a", {"better": 5}, GOOD])
    for model in (first, ScriptedModel([])):
        asking = asker(model, CallFolder(tmp_path))
        assert asking.text(call("one")) == "a"
        assert asking.ask(call("two"), Verdict).better
    assert len(first.calls) == 3


def test_each_role_has_its_model_and_the_rest_share_one() -> None:
    strong, cheap = ScriptedModel(["s"], name="strong"), ScriptedModel(["c"], name="cheap")
    asking = Asker({"": cheap, "ideator": strong}, Kept(), Purse(), lambda key, stored: None)
    assert asking.text(call(role="ideator")) == "s"
    assert asking.text(call(role="repairer")) == "c"


def test_what_is_kept_is_under_the_name_of_the_model_that_was_asked() -> None:
    kept = Kept()
    asker(ScriptedModel([whole("x").model_copy(update={"model": "someone-else"})]), kept).text(call())
    assert kept.get(call().key("scripted")) is not None
    assert [one.reply.model for one in kept] == ["scripted"]


def test_each_call_is_told_bought_or_not() -> None:
    told: list[tuple[str, Stored]] = []
    asking = asker(ScriptedModel(["a"]), told=lambda key, stored: told.append((key, stored)))
    asking.text(call())
    asking.text(call())
    assert [key for key, _ in told] == [call().key("scripted")] * 2


def test_a_call_that_fails_gives_back_what_was_set_aside_and_counts_its_requests() -> None:
    purse = Purse(tokens=1000)
    asking = asker(ScriptedModel([ModelUnavailable("gone", requests=4), "yes"]), meter=purse)
    with pytest.raises(ModelUnavailable):
        asking.text(call(max_tokens=400))
    assert asking.text(call(max_tokens=400)) == "yes"
    assert (purse.spent.calls, purse.spent.requests) == (1, 5)


def test_a_call_that_a_cap_does_not_allow_is_not_made() -> None:
    model = ScriptedModel(["yes"])
    with pytest.raises(ModelBudgetSpent):
        asker(model, meter=Purse(tokens=10)).text(call())
    assert model.calls == []


class Slow:
    """A model whose first answer waits until the test lets it go."""

    name = "slow"

    def __init__(self, first: Exception | None = None) -> None:
        self.asked, self.go, self.bought = Event(), Event(), 0
        self._first = first

    def complete(self, call: Call) -> Reply:
        self.bought += 1
        self.asked.set()
        assert self.go.wait(10)
        if self._first is not None and self.bought == 1:
            raise self._first
        return whole("yes")


def test_a_call_that_many_threads_ask_at_once_is_bought_once() -> None:
    model, purse, ready = Slow(), Purse(), Barrier(8, timeout=10)
    asking = asker(model, meter=purse)

    def ask(_: int) -> str:
        ready.wait()
        return asking.text(call())

    with ThreadPoolExecutor(8) as pool:
        texts = pool.map(ask, range(8))
        assert model.asked.wait(10)
        model.go.set()
        assert list(texts) == ["yes"] * 8
    assert (model.bought, purse.spent.calls) == (1, 1)


def test_without_its_turn_the_same_call_would_be_bought_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted fault that shows that the threads above race."""
    model, both = Slow(), Barrier(2, timeout=10)
    asking = asker(model)
    monkeypatch.setattr(asking, "_asked", Forgetful())

    def answer(asked: Call) -> Reply:
        both.wait()
        return whole("yes")

    monkeypatch.setattr(model, "complete", answer)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda _: asking.text(call()), range(2))) == ["yes", "yes"]


class Forgetful(set[str]):
    """A set that holds nothing."""

    def add(self, _: str) -> None:
        """Forget it."""


def test_whoever_waits_for_a_call_that_fails_tries_it() -> None:
    model = Slow(ModelUnavailable("gone"))
    asking = asker(model)
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(asking.text, call()) for _ in range(2)]
        assert model.asked.wait(10)
        model.go.set()
        outcomes = sorted(str(one.exception() or one.result()) for one in both)
    assert outcomes == ["gone", "yes"]


def test_other_calls_do_not_wait() -> None:
    slow, quick = Slow(), ScriptedModel(["quick"], name="quick")
    asking = Asker({"": slow, "coder": quick}, Kept(), Purse(), lambda key, stored: None)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(asking.text, call())
        assert slow.asked.wait(10)
        assert asking.text(call(role="coder")) == "quick"
        slow.go.set()
        assert waiting.result() == "yes"


def test_equal_calls_have_one_key_and_each_part_tells_them_apart() -> None:
    others: tuple[Mapping[str, object], ...] = (
        {"role": "coder"}, {"stage": "code"}, {"about": "i1"}, {"answer": "X"}, {"shape": {"type": "object"}},
        {"max_tokens": 101}, {"temperature": 0.0}, {"sample": 1}, {"attempt": 1},
    )  # fmt: skip
    keys = [call().key("m"), call().key("n"), call("other").key("m"), *(call(**other).key("m") for other in others)]
    assert call().key("m") == call().key("m")
    assert len(set(keys)) == len(keys)

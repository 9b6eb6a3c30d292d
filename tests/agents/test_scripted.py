"""Models that think nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from agents.errors import AnswerEmpty, ModelUnavailable
from agents.model import Model, Reply, Usage
from agents.scripted import Recorded, ScriptedModel
from agents.storing import Kept
from tests.agents.calls import asker, call, stored


def test_lines_are_said_one_after_the_other() -> None:
    reply = Reply(text="whole", finish="length", usage=Usage(input=1, output=2), model="scripted")
    model = ScriptedModel(["a", {"b": 1}, reply], name="s")
    assert [model.complete(call()).text for _ in range(2)] == ["a", '{"b": 1}']
    assert model.complete(call()) is reply
    assert len(model.calls) == 3


def test_an_exception_in_the_script_is_raised() -> None:
    with pytest.raises(AnswerEmpty):
        ScriptedModel([AnswerEmpty("judge", "it is empty")]).complete(call())


def test_a_function_answers_by_the_call() -> None:
    model = ScriptedModel(lambda asked: {"echo": asked.messages[-1].content})
    assert model.complete(call("hello")).text == '{"echo": "hello"}'


def test_a_script_that_has_ended_says_so() -> None:
    model = ScriptedModel(["only"])
    model.complete(call())
    with pytest.raises(ModelUnavailable, match="has 1 answers, and the judge asks once more .stage ideas text."):
        model.complete(call())


def test_threads_share_a_script_and_each_line_is_said_once() -> None:
    lines = [str(n) for n in range(200)]
    model = ScriptedModel(lines)
    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(lambda n: model.complete(call(str(n))).text, range(200)))
    assert sorted(texts) == sorted(lines)


def test_a_recording_answers_what_was_kept_and_names_what_was_not() -> None:
    kept = Kept()
    asker(ScriptedModel(["yes"], name="m@h"), kept).text(call())
    model: Model = Recorded(kept, "m@h")
    assert asker(model).text(call()) == "yes"
    with pytest.raises(ModelUnavailable, match="no answer of m@h to the judge .stage ideas about i7 text, key "):
        model.complete(call("other", about="i7"))


def test_a_recording_of_another_model_is_not_used() -> None:
    kept = Kept()
    kept.put(call().key("m"), stored(model="m"))
    with pytest.raises(ModelUnavailable):
        Recorded(kept, "n").complete(call())

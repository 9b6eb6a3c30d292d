"""What a reply is worth."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.replies import json_object, loop, without_thought


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("a" * 1001, 1),
        ("Well. " + "and on " * 200, 7),
        ('{"why": "' + "very " * 300, 5),
        ("{" + " \n" * 800, 2),
        ("x" * 50 + "one two three four. " * 100, 20),
        ("".join(f"{n} " for n in range(700)) * 2, 0),
        ("a" * 1000, 0),
        ("a" * 5000 + " done", 0),
        ("".join(f"{n}," for n in range(3000)), 0),
        ("word " * 20, 0),
        ("", 0),
    ],
)
def test_the_same_again_and_again_is_told_from_a_long_text(text: str, period: int) -> None:
    assert loop(text) == period


def test_a_long_paragraph_three_times_over_is_a_loop_and_twice_is_not() -> None:
    paragraph = "".join(f"{n * n} " for n in range(200))
    assert loop(paragraph * 3) == len(paragraph)
    assert loop(paragraph * 2) == 0


@given(st.text("abc", min_size=1, max_size=40), st.integers(0, 60))
def test_any_loop_is_found_with_its_shortest_period(part: str, cut: int) -> None:
    copies = part * (1200 // len(part) + 3)
    period = loop("start: " + copies + part[: cut % len(part)])
    assert period
    assert len(part) % period == 0


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("<think>hm</think>yes", "yes"),
        ("\n<think>\nhm\nhm</think>\n\n{1}", "{1}"),
        ("<thinking>hm</thinking> yes", "yes"),
        ("hm, hm</think>\nyes", "yes"),
        ("<think>for ever", ""),
        ("no thought", "no thought"),
        ("the marks <think> and </think> in a text", "the marks <think> and </think> in a text"),
        ("<think>a</think>then </think> stays", "then </think> stays"),
    ],
)
def test_thoughts_are_taken_off_the_front(text: str, rest: str) -> None:
    assert without_thought(text) == rest


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}',
        ' \n{"a": 1}\n',
        '```json\n{"a": 1}\n```',
        'Here you are:\n```\n{"a": 1}\n```\nAnything else?',
        'The set {x} is {"a": 1}, I think.',
        '{"b"} or rather {"a": 1}',
        'First {} and then {"a": 1}.',
    ],
)
def test_the_object_in_a_text_is_found(text: str) -> None:
    assert json_object(text) == {"a": 1}


def test_braces_inside_of_strings_do_not_end_an_object() -> None:
    assert json_object('So: {"code": "if x { y } // }", "n": {"m": 2}} done') == {
        "code": "if x { y } // }",
        "n": {"m": 2},
    }


def test_a_fence_inside_of_a_string_is_a_part_of_it() -> None:
    assert json_object('{"text": "```json\\n{}\\n```"}') == {"text": "```json\n{}\n```"}


@pytest.mark.parametrize(
    "text", ["", "none", "[1, 2]", "{", '{"a": ', "{" * 5000, "[" * 100_000, '{"a":' * 90_000, "3"]
)
def test_no_object_is_an_error_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="no JSON object"):
        json_object(text)


def test_half_a_character_is_an_error_in_words() -> None:
    with pytest.raises(ValueError, match="UTF-8"):
        json_object('{"a": "\\ud83d"}')
    assert json_object('{"a": "\\ud83d\\ude00"}') == {"a": "\U0001f600"}

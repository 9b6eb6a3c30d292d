"""Prose names values, the journal supplies them."""

from __future__ import annotations

import pytest

from agents.records import Draft, Section
from flows.papers.binding import Bindings, bind, literal_numerals, refuse_literals
from flows.papers.errors import LiteralNumber, UnboundReference
from flows.papers.numbers import evidence, interval, number, percent, power, text_of
from tests.papers.sample import EVIL


def test_a_reference_resolves_to_text_and_recorded_value(bindings: Bindings) -> None:
    bound = bindings.resolve("claim:k1.challenges.0.e_value")
    assert (bound.text, bound.value, bound.record) == ("3.2 × 10⁴", 31877.25, "claim:k1")


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("plan:p1.seeds", "1001–1016"),
        ("plan:p1.least_effect", "0.01"),
        ("idea:i2.title", EVIL),
        ("tried:i1.effect", "0.13"),
        ("tried:i5.effect", "n/a"),
        ("lesson:l1.belief", "0.93"),
        ("attempts:executions", "152"),
        ("campaign:alpha", "0.05"),
        ("campaign:name", "sampling-nightly"),
        ("template:metric.title", "Observable error"),
        ("template:limits_of_study.1", "A cost of $5 & #hashtags are not tested."),
        ("claim:k1.verdict", "supported"),
        ("claim:k1.challenges.0.survived", "yes"),
        ("claim:k1.challenges.0.interval", "[0.0951, 0.140]"),
        ("count:supported", "1"),
        ("count:crashed", "1"),
        ("count:ideas", "7"),
    ],
)
def test_every_kind_of_reference_reads_in_print(bindings: Bindings, key: str, text: str) -> None:
    assert bindings.resolve(key).text == text


@pytest.mark.parametrize(
    "key",
    [
        "claim:k9.estimate", "claim:k1.estimat", "claim:k1", "claim:k1.attempts", "klaim:k1.estimate", "k1.estimate",
        "claim:k1.__class__", "claim:k1.estimate.real", "claim:k1.challenges.7.n", "", "claim:", "template:nothing",
    ],
)  # fmt: skip
def test_an_unknown_reference_is_refused_by_name(bindings: Bindings, key: str) -> None:
    with pytest.raises(UnboundReference) as refused:
        bind(f"The effect is {{{key}}}.", bindings)
    assert f"{{{key}}}" in str(refused.value)


@pytest.mark.parametrize("text", ["an open { brace", "a closed } brace", "{{claim:k1.n}}"])
def test_a_brace_that_stands_alone_is_refused(bindings: Bindings, text: str) -> None:
    with pytest.raises(UnboundReference):
        bind(text, bindings)


def test_binding_returns_the_keys_it_used_once_each(bindings: Bindings) -> None:
    text, used = bind("{claim:k1.n} of {plan:p1.seeds}, again {claim:k1.n}", bindings)
    assert text == "16 of 1001–1016, again 16"
    assert used == ("claim:k1.n", "plan:p1.seeds")


def test_bound_text_is_not_bound_again(bindings: Bindings) -> None:
    assert "{braces}" in bind("{idea:i2.title}", bindings)[0]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("an effect of 0.21 (see above)", ["0.21"]),
        ("IQL2 on a 4x4 grid", ["IQL2", "4x4"]),
        ("half: ½, a square: m², Arabic: ٣, Roman: Ⅳ", ["½", "m²", "٣", "Ⅳ"]),
        ("bound {claim:k1.n}, cited [@wolff1989collective]", []),
        ("glued {claim:k1.n}5", ["5"]),
        ("no number, 一 is a word", []),
    ],
)
def test_literal_numerals_are_found_in_any_script(text: str, found: list[str]) -> None:
    assert literal_numerals(text) == found


@pytest.mark.parametrize("place", ["title", "abstract", "heading", "body"])
def test_a_draft_that_types_a_number_is_refused(place: str) -> None:
    says = {"title": "t", "abstract": "a", "heading": "h", "body": "b"} | {place: "by 0.12 points"}
    section = Section(key="results2", title=says["heading"], body=says["body"])
    draft = Draft(title=says["title"], abstract=says["abstract"], sections=(section,), by="team 1")
    with pytest.raises(LiteralNumber, match=r"0\.12"):
        refuse_literals(draft)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (0.30000000000000004, "0.3"), (0.3000071, "0.300"), (0.05, "0.05"), (0.120134, "0.120"),
        (-0.98765, "−0.988"),
        (1.0, "1"), (12.3456, "12.3"), (2345.678, "2346"), (99.96, "100.0"), (1e6, "1.0 × 10⁶"),
        (0.000312, "0.000312"), (3.1234e-7, "3.1 × 10⁻⁷"),
    ],
)  # fmt: skip
def test_numbers_read_plainly_where_they_can(value: float, text: str) -> None:
    assert number(value) == text


def test_other_values_have_forms_of_their_own() -> None:
    assert percent(0.35650076) == "35.7\N{NO-BREAK SPACE}%"
    assert (evidence(21_345.0), evidence(9_999.0)) == ("2.1 × 10⁴", "9999")
    assert interval(-0.5, 0.25) == "[−0.5, 0.25]"
    assert text_of("seeds", (1, 2, 5)) == "1, 2, 5"
    assert text_of("scores", {"a": 1}) is None
    assert (power(10.0), power(1e-4), power(2e5)) == ("10", "10⁻⁴", "2×10⁵")

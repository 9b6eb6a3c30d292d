from __future__ import annotations

import pytest

from agents.literature.entry import Entry
from agents.literature.library import Library
from agents.literature.spans import sentences, spans


def entry(abstract: str) -> Entry:
    return Entry.model_validate({"title": "A Study of Things", "abstract": abstract})


@pytest.mark.parametrize(
    "sentence",
    [
        "Why this works remains unclear.",
        "Scaling it remains an open problem.",
        "A major challenge is the lack of labels.",
        "Long-horizon tasks remain challenging for planners.",
        "Little is known about its limits.",
        "Future work should look at noise.",
        "Existing methods struggle to generalise.",
        "These methods suffer from distribution shift.",
        "This is not yet well understood.",
    ],
)
def test_a_sentence_that_states_what_is_open_is_found_where_it_stands(sentence: str) -> None:
    made = entry(f"We study things, e.g. policies. {sentence} We solve it.")
    (span,) = spans(made)
    assert span.text == sentence
    assert made.abstract[span.start : span.end] == sentence
    assert span.cue in sentence


@pytest.mark.parametrize(
    "abstract",
    [
        "We propose a method. It works well. We release the code.",
        "The remainder is opened by hand.",
        "We challenge a champion at chess.",
        "",
    ],
)
def test_what_states_nothing_open_gives_no_span(abstract: str) -> None:
    assert spans(entry(abstract)) == ()


def test_sentences_end_neither_at_abbreviations_nor_within_numbers() -> None:
    text = 'Smith et al. Found 3.5 points, i.e. Much more. "Is it so?" It is (see Fig. 2).'
    assert [text[a:b] for a, b in sentences(text)] == [
        "Smith et al. Found 3.5 points, i.e. Much more.",
        '"Is it so?"',
        "It is (see Fig. 2).",
    ]


def test_the_seeds_state_open_problems_and_every_span_is_where_it_says(seeded: Library) -> None:
    entries = seeded.all()
    found = [(each, span) for each in entries for span in spans(each)]
    assert len(found) > 100
    assert all(each.abstract[span.start : span.end] == span.text for each, span in found)
    assert len({each.id for each, _ in found}) < len(entries) * 0.8

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from agents.llm.novelty import Likeness, diversity, likeness, novelty
from agents.llm.settings import IdeaSettings
from templates.template import Manifest, list_templates, load_template
from tests.agents.llm.texts import DIFFERENT, OTHERWISE_SAID, REWORDED


def common(manifest: Manifest) -> str:
    metric = manifest.metric
    return f"{manifest.question} {metric.name} {metric.title} {metric.unit}"


def near(found: Likeness) -> NDArray[np.bool_]:
    limits = IdeaSettings()
    return (found.cosine >= limits.near_cosine) | (found.overlap >= limits.near_overlap)


SUBJECT = common(load_template("offline-rl").manifest)


@pytest.mark.parametrize("name", list_templates())
def test_no_two_factors_of_a_template_are_taken_for_one_idea(name: str) -> None:
    manifest = load_template(name).manifest
    texts = [f"{factor.title}. {factor.mechanism}" for factor in manifest.factors]
    assert np.array_equal(near(likeness(texts, texts, common(manifest))), np.eye(len(texts), dtype=bool))


def test_different_ideas_are_not_near_and_the_same_in_other_words_are() -> None:
    same = np.eye(len(DIFFERENT), dtype=bool)
    assert np.array_equal(near(likeness(DIFFERENT, DIFFERENT, SUBJECT)), same)
    assert np.array_equal(near(likeness(REWORDED, DIFFERENT, SUBJECT)), same)


def test_an_idea_that_shares_no_words_with_its_like_is_not_recognised() -> None:
    """The known limit of counting words: only an embedding that knows meanings could."""
    assert not near(likeness(OTHERWISE_SAID, DIFFERENT, SUBJECT)).any()


def test_words_of_the_subject_do_not_make_ideas_alike() -> None:
    one, two = "Ridge lowers the observable error of the lattice", "Blocks lower the observable error of the lattice"
    blind, told = (likeness([one], [two], words) for words in ("", "Which lowers the observable error of a lattice?"))
    assert blind.overlap[0, 0] > 0.5
    assert told.overlap[0, 0] == 0.0
    assert told.cosine[0, 0] < 0.2 < blind.cosine[0, 0]


def test_novelty_is_one_without_others_and_none_for_the_same_text() -> None:
    assert novelty("A text", []) == 1.0
    assert novelty(DIFFERENT[0], [DIFFERENT[1], DIFFERENT[0]], SUBJECT) == 0.0
    assert 0.5 < novelty(DIFFERENT[0], DIFFERENT[1:], SUBJECT) < 1.0


def test_texts_without_words_are_like_nothing() -> None:
    found = likeness(["", "the of", DIFFERENT[0]], ["", DIFFERENT[1]])
    assert found.cosine[:2].max() == 0.0
    assert found.overlap[:2].max() == 0.0
    assert likeness([], ["a"]).cosine.shape == (0, 1)


def test_diversity_falls_when_ideas_repeat() -> None:
    assert diversity(DIFFERENT[:1]) is None
    several, repeated = diversity(DIFFERENT, SUBJECT), diversity([*DIFFERENT[:5], *REWORDED[:5]], SUBJECT)
    assert several is not None
    assert repeated is not None
    assert several > repeated
    assert diversity(["a lattice", "a lattice"]) == pytest.approx(0.0, abs=1e-6)


def test_another_embedding_can_be_put_in_its_place() -> None:
    class Lengths:
        name = "lengths"

        def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
            return np.array([[1.0, 0.0] if len(text) > 5 else [0.0, 1.0] for text in texts], dtype=np.float32)

    found = likeness(["lattices", "spin"], ["temperature"], embedding=Lengths())
    assert found.cosine.tolist() == [[1.0], [0.0]]

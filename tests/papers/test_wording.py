"""Wording: a comparative word needs a verdict behind it; what is denied, hedged or defined needs none."""

from __future__ import annotations

import pytest

from agents.embedded.writer import write
from agents.records import Draft, Section, Verdict
from agents.team import Dossier
from flows.papers.quoting import misquoted
from flows.papers.wording import unbacked
from templates.template import Template
from tests.agents.making import challenge, claim, template
from tests.agents.test_writer import STORIES

CLAIMS = (
    claim(1, "i1", Verdict.SUPPORTED),
    claim(2, "i2", Verdict.REFUTED),
    claim(3, "i3", Verdict.INCONCLUSIVE),
    claim(4, "i4", Verdict.SUPPORTED).model_copy(update={"exploratory": True}),
)


def draft(text: str, title: str = "On walks") -> Draft:
    return Draft(
        title=title, abstract="What was tried.", sections=(Section(key="results", title="Results", body=text),), by="me"
    )


def faults(text: str) -> list[str]:
    return [str(fault) for fault in unbacked(draft(text), CLAIMS)]


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return template(tmp_path_factory.mktemp("walker"))


@pytest.mark.parametrize(
    "text",
    [
        "Going fast lowers the distance by {claim:k1.estimate}.",
        "“{idea:i1.title}” is better than the baseline.",
        "In {count:supported} cases the distance is reduced.",
        "The plan {plan:p1.least_effect} led to an improvement.",
        "No improvement was seen.",
        "It does not outperform the baseline.",
        "Whether it improves anything is open.",
        "If the gain remains, the claim falls.",
        "It would have increased the error.",
        "The metric is the distance (lower is better), signed so that a positive one is an improvement.",
        "“{idea:i2.title}” did not lower the distance.",
        "“{idea:i2.title}” seemed to help at first, and was refuted.",
        "Going long raises hopes, but {claim:k3.verdict} is what it ended as, inconclusive.",
        "The screen saw a gain of {tried:i3.effect}. This is exploratory.",
        "As exploratory evidence has it, going far lowers the distance by {claim:k4.estimate}.",
        "Looks are free and may be taken without raising the rate of error.",
        "A search over many changes finds improvements where there are none.",
    ],
)
def test_an_honest_sentence_stays(text: str) -> None:
    assert faults(text) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("The new walker outperforms the baseline.", "'outperforms', but is bound to no claim"),
        ("All in all the results are significant.", "'significant', but is bound to no claim"),
        ("“{idea:i2.title}” lowers the distance.", "but claim k2 is refuted"),
        ("It improves by {claim:k3.estimate}.", "but claim k3 is inconclusive"),
        ("Both {claim:k1.n} and {claim:k2.n} pairs show a gain.", "but claim k2 is refuted"),
        ("Without doubt the walker is better.", "'better', but is bound to no claim"),
        ("It is not only faster, it is safe.", "'faster', but is bound to no claim"),
        ("If one looks at the data, the walker improves.", "'improves', but is bound to no claim"),
        ("The walker improves when the moon is full.", "'improves', but is bound to no claim"),
        ("Others were refuted, ours reduced the error.", "'reduced', but is bound to no claim"),
        ("Our walker wins. No claim is needed for that.", "'wins', but is bound to no claim"),
        ("The screen proved it: {tried:i3.effect}.", "'proved', but is bound to no claim"),
        ("Going far lowers the distance by {claim:k4.estimate}.", "does not call claim k4, whose plan was changed"),
        ("- A first point.\n- A second, that it is superior.", "'superior', but is bound to no claim"),
        ("A sentence.\n\nIt helps.", "'helps', but is bound to no claim"),
    ],
)
def test_planted_fault_a_word_without_a_verdict_is_found(text: str, says: str) -> None:
    (fault,) = faults(text)
    assert says in fault
    assert fault.startswith("the results says")


def test_planted_fault_title_abstract_and_headings_are_read_too() -> None:
    bad = Draft(
        title="A better walker", abstract="It wins.", by="me",
        sections=(Section(key="results", title="Superior results", body="None."),),
    )  # fmt: skip
    assert [fault.sentence.where for fault in unbacked(bad, CLAIMS)] == ["title", "abstract", "heading of results"]


def test_planted_fault_without_a_supported_claim_a_count_of_them_backs_nothing() -> None:
    text = draft("In {count:supported} cases the distance is reduced.")
    assert list(unbacked(text, CLAIMS[1:3])) != []


NARROWED = challenge(8, survived=False, refutes=False).model_copy(
    update={"kind": "changed condition", "removed": (), "condition": "the wind against it", "narrows": True}
)
CONTROL = challenge(7, survived=True, refutes=False).model_copy(
    update={"kind": "negative control", "removed": (), "condition": "the legs tied"}
)
AGAIN = challenge(9, survived=True, refutes=False).model_copy(update={"kind": "replication", "removed": ()})
OTHERS = {
    "narrowed": claim(1, "i1", Verdict.SUPPORTED, AGAIN, CONTROL, NARROWED),
    "a control that failed": claim(
        1, "i1", Verdict.REFUTED, AGAIN, CONTROL.model_copy(update={"survived": False, "refutes": True})
    ),
    "not repeated": claim(1, "i1", Verdict.REFUTED, AGAIN.model_copy(update={"survived": False, "refutes": True})),
}


@pytest.mark.parametrize("name", [*STORIES, *OTHERS, "exploratory", "left out"])
def test_what_the_embedded_team_writes_is_backed_and_well_quoted(name: str, walker: Template) -> None:
    from tests.agents.making import dossier

    told: Dossier = STORIES[name] if name in STORIES else dossier(OTHERS.get(name, OTHERS["narrowed"]))
    if name == "left out":
        told = told.model_copy(update={"left_out": {"k1": ("negative control with the legs tied",)}})
    if name == "exploratory":
        changed = tuple(c.model_copy(update={"exploratory": True}) for c in told.claims)
        told = told.model_copy(update={"claims": changed})
    written = write(walker, told)
    assert [str(fault) for fault in unbacked(written, told.claims)] == []
    assert [str(fault) for fault in misquoted(written, walker.manifest.metric, told.claims)] == []

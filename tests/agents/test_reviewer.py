from __future__ import annotations

from collections.abc import Callable

import pytest

from agents.embedded.reviewer import review
from agents.embedded.reviser import revise
from agents.embedded.writer import write
from agents.records import Draft, Finding, Verdict
from agents.team import Dossier
from flows.papers.binding import refuse_literals
from templates.template import Template
from tests.agents.making import challenge, claim, dossier
from tests.agents.test_writer import STORIES

Fault = Callable[[Draft], Draft]

EVIDENCE = dossier(
    claim(1, "i1", Verdict.SUPPORTED, challenge(9, survived=True, refutes=False)),
    claim(2, "i2", Verdict.REFUTED),
    claim(3, "i3", Verdict.INCONCLUSIVE),
)
NOTHING = STORIES["nothing registered"]


def in_section(key: str, old: str, new: str) -> Fault:
    """Change the text of a section, which must hold `old`."""

    def plant(draft: Draft) -> Draft:
        assert any(s.key == key and old in s.body for s in draft.sections), (key, old)
        return draft.model_copy(
            update={
                "sections": tuple(
                    s.model_copy(update={"body": s.body.replace(old, new)}) if s.key == key else s
                    for s in draft.sections
                )
            }
        )

    return plant


def everywhere(old: str, new: str) -> Fault:
    """Change every text that holds `old`."""

    def plant(draft: Draft) -> Draft:
        changed = draft.model_validate_json(draft.model_dump_json().replace(old, new))
        assert changed != draft
        return changed

    return plant


def without_section(key: str) -> Fault:
    return lambda draft: draft.model_copy(update={"sections": tuple(s for s in draft.sections if s.key != key)})


def abstract(text: str) -> Fault:
    return lambda draft: draft.model_copy(update={"abstract": text})


def added(key: str, more: str) -> Fault:
    def plant(draft: Draft) -> Draft:
        sections = (s.model_copy(update={"body": f"{s.body}\n\n{more}"}) if s.key == key else s for s in draft.sections)
        return draft.model_copy(update={"sections": tuple(sections)})

    return plant


def retitled(title: str) -> Fault:
    return lambda draft: draft.model_copy(update={"title": title})


FAULTS: dict[str, tuple[Dossier, Fault, str, str]] = {
    "interval left out": (EVIDENCE, everywhere("{claim:k1.interval}", "wide"), "do not give the interval", "evidence"),
    "sample size left out": (EVIDENCE, in_section("results", "{claim:k1.n}", "some"), "do not give the n", "evidence"),
    "refuted claim hidden": (EVIDENCE, everywhere("claim:k2.", "claim:k1."), "k2 ended refuted", "honesty"),
    "open claim hidden": (EVIDENCE, everywhere("claim:k3.", "claim:k1."), "k3 ended inconclusive", "honesty"),
    "challenge untold": (EVIDENCE, everywhere("k1.challenges.0.", "k1."), "challenge p9 of claim k1", "soundness"),
    "lack of challenge untold": (
        STORIES["several supported"], in_section("results", "No challenge of", "Something about"),
        "k3 was never challenged", "soundness",
    ),
    "price untold": (
        EVIDENCE, lambda d: everywhere("attempts.", "attempts.looks.")(everywhere("attempts:", "count:")(d)),
        "how many ideas and executions", "honesty",
    ),
    "no limits": (EVIDENCE, without_section("limits"), "does not discuss its limits", "honesty"),
    "proof claimed": (EVIDENCE, added("discussion", "This proves the point."), "'proves'", "honesty"),
    "novelty claimed": (EVIDENCE, added("introduction", "A Novel walk."), "'Novel'", "honesty"),
    "best claimed": (EVIDENCE, abstract("State-of-the-art walking."), "'State-of-the-art'", "honesty"),
    "significance without support": (NOTHING, added("results", "A significant gain."), "'significant'", "honesty"),
    "gain in the title": (NOTHING, retitled("Going fast lowers the distance"), "title announces a gain", "honesty"),
    "gain of another idea": (
        EVIDENCE, retitled("{idea:i2.title} lowers the distance"), "title announces a gain", "honesty",
    ),
    "counts left out": (EVIDENCE, everywhere("{count:refuted}", "few"), "how many hypotheses ended", "presentation"),
    "size left out of the abstract": (
        EVIDENCE, abstract("It works: {count:supported}, {count:refuted}, {count:inconclusive}."),
        "does not give the sample size of claim k1", "presentation",
    ),
    "no discussion": (EVIDENCE, without_section("discussion"), "has no discussion", "presentation"),
    "typed number": (EVIDENCE, added("results", "It gained 0.42 metres."), "typed numbers: 0.42", "reproducibility"),
    "unknown record": (EVIDENCE, added("results", "See {claim:k9.estimate}."), "claim 'k9'", "evidence"),
    "sandbox unnamed": (EVIDENCE, everywhere("{campaign:sandbox}", "usual"), "name the sandbox", "reproducibility"),
    "level unnamed": (EVIDENCE, everywhere("{campaign:alpha}", "a level"), "name the level", "reproducibility"),
    "exploration unlabelled": (
        EVIDENCE, added("discussion", "We saw {tried:i4.effect}."), "does not call it exploratory", "honesty",
    ),
    "author unnamed": (EVIDENCE, in_section("limits", "drafted by", "made for"), "who or what drafted", "honesty"),
}  # fmt: skip


def matching(findings: tuple[Finding, ...], words: str) -> list[Finding]:
    return [f for f in findings if words in f.text]


@pytest.mark.parametrize("name", STORIES)
def test_the_teams_own_draft_is_accepted(tiny: Template, name: str) -> None:
    verdict = review(tiny, STORIES[name], write(tiny, STORIES[name]))
    assert verdict.findings == ()
    assert verdict.decision == "accept"
    assert set(verdict.scores.values()) == {4}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_and_costs_its_criterion(tiny: Template, name: str) -> None:
    evidence, plant, words, criterion = FAULTS[name]
    verdict = review(tiny, evidence, plant(write(tiny, evidence)))
    assert matching(verdict.findings, words)
    assert verdict.scores[criterion] < 4
    assert verdict.decision == "revise"


@pytest.mark.parametrize("name", FAULTS)
def test_a_revision_leaves_nothing_to_find(tiny: Template, name: str) -> None:
    evidence, plant, _, _ = FAULTS[name]
    draft = plant(write(tiny, evidence))
    revised = revise(tiny, evidence, draft, review(tiny, evidence, draft))
    assert review(tiny, evidence, revised).findings == ()
    assert revised != draft
    refuse_literals(revised)


def test_a_revision_leaves_alone_what_was_not_found(tiny: Template) -> None:
    draft = added("discussion", "This proves the point, and it is told at length.")(write(tiny, EVIDENCE))
    revised = revise(tiny, EVIDENCE, draft, review(tiny, EVIDENCE, draft))
    same = [a == b for a, b in zip(draft.sections, revised.sections, strict=True)]
    assert same.count(False) == 1
    assert "This supports the point, and it is told at length." in revised.sections[4].body


def test_a_finding_of_another_reviewer_stays_unanswered(tiny: Template) -> None:
    draft = write(tiny, EVIDENCE)
    other = review(tiny, EVIDENCE, draft).model_copy(
        update={"findings": (Finding(where="results", grade="minor", text="I would have liked a poem."),)}
    )
    assert revise(tiny, EVIDENCE, draft, other) == draft


def test_a_claim_without_a_plan_is_beyond_revision(tiny: Template) -> None:
    unplanned = EVIDENCE.model_copy(update={"plans": EVIDENCE.plans[1:]})
    verdict = review(tiny, unplanned, write(tiny, unplanned))
    assert verdict.decision == "reject"
    assert verdict.scores["soundness"] == 2


def test_a_claim_whose_e_value_does_not_pay_for_its_level_is_beyond_revision(tiny: Template) -> None:
    weak = EVIDENCE.claims[0].model_copy(update={"e_value": 3.0})
    unpaid = EVIDENCE.model_copy(update={"claims": (weak, *EVIDENCE.claims[1:])})
    assert review(tiny, unpaid, write(tiny, unpaid)).decision == "reject"

"""Reviser: answers the findings of a review in the prose. It never touches a number: those are bindings."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from agents.embedded.attacked import challenges_told
from agents.embedded.checks import BACKED, OVERCLAIMS, Flaw, bindings, flaws, plain
from agents.embedded.outcomes import claim_told, price_told
from agents.embedded.reviewer import finding
from agents.embedded.setting import author_told
from agents.embedded.story import DIGIT, Story, of, paragraphs, titled
from agents.embedded.writer import SECTIONS, section, title
from agents.records import Claim, Draft, Review, Section
from agents.team import Dossier
from templates.template import Template

SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z{\N{LEFT DOUBLE QUOTATION MARK}])")
SOBER = {
    "prove": "support", "proves": "supports", "proved": "supported", "proven": "supported", "proving": "supporting",
    "novel": "further", "breakthrough": "result", "breakthroughs": "results", "unprecedented": "unusual",
    "groundbreaking": "further", "guarantee": "suggest", "guarantees": "suggests", "undoubtedly": "possibly",
    "revolutionary": "different", "conclusively": "in these tests", "significant": "possible",
    "significantly": "possibly", "significance": "size", "outperform": "compare with",
    "outperforms": "was compared with", "outperformed": "was compared with",
}  # fmt: skip
CONDITION_TOLD = {
    "campaign:sandbox": "Candidate code ran in the {campaign:sandbox} sandbox.",
    "campaign:alpha": "The level of the whole campaign was {campaign:alpha}.",
    "template:seeds.screen": "The screen of an idea took {template:seeds.screen} search seeds or more.",
}
Mend = Callable[[Story, Draft, Flaw], Draft]


def revise(template: Template, dossier: Dossier, draft: Draft, review: Review) -> Draft:
    """Return the draft with every finding answered that prose can answer.

    What must go goes first. What that leaves untold, and what the review missed, is then put in. An unsound claim, and
    a finding that is not from the checklist, are beyond this team and stay as they are.
    """
    story = Story(template, dossier)
    before = flaws(dossier, draft)
    asked = [flaw for flaw in before if finding(flaw) in review.findings]
    for flaw in asked:
        if flaw.check in CUTS:
            draft = CUTS[flaw.check](story, draft, flaw)
    for flaw in flaws(dossier, draft):
        if flaw.check in FILLS and (flaw in asked or flaw not in before):
            draft = FILLS[flaw.check](story, draft, flaw)
    return draft


def _sobered(story: Story, draft: Draft, flaw: Flaw) -> Draft:
    def sober(match: re.Match[str]) -> str:
        word = match.group(0)
        calm = SOBER.get(word.lower(), "established")
        return calm.capitalize() if word[0].isupper() else calm

    words = OVERCLAIMS if OVERCLAIMS.fullmatch(flaw.about) else BACKED
    return _everywhere(draft, flaw.where, lambda text: _outside_bindings(text, lambda part: words.sub(sober, part)))


def _without_typed_numbers(story: Story, draft: Draft, flaw: Flaw) -> Draft:
    # A typed number cannot be checked, and what it was meant to be cannot be known: its sentence goes.
    if flaw.where == "title":
        return draft.model_copy(update={"title": title(story)})
    if flaw.where.startswith("heading of "):
        return _renamed(draft, flaw.where.removeprefix("heading of "))
    return _everywhere(draft, flaw.where, lambda text: _without(text, lambda said: bool(DIGIT.search(plain(said)))))


def _without_unknown(story: Story, draft: Draft, flaw: Flaw) -> Draft:
    if flaw.where == "title":
        return draft.model_copy(update={"title": title(story)})
    return _everywhere(draft, flaw.where, lambda text: _without(text, lambda said: flaw.about in bindings(said)))


def _retitled(story: Story, draft: Draft, flaw: Flaw) -> Draft:
    return draft.model_copy(update={"title": title(story)})


def _claim_added(story: Story, draft: Draft, flaw: Flaw) -> Draft:
    return _extended(draft, flaw.where, claim_told(story, _claim(story, flaw)))


def _challenge_added(story: Story, draft: Draft, flaw: Flaw) -> Draft:
    claim = _claim(story, flaw)
    told = challenges_told(story, claim) if claim in story.supported else claim_told(story, claim)
    return _extended(draft, "results" if claim in story.supported else "refuted", told)


def _price_added(story: Story, draft: Draft, flaw: Flaw) -> Draft:
    told = "All of this took {attempts:ideas} ideas and {attempts:executions} executions."
    return _extended(draft, "results", price_told(story) if story.dossier.claims else told)


def _section_added(story: Story, draft: Draft, flaw: Flaw) -> Draft:
    return _extended(draft, flaw.where, section(story, flaw.where).body)


def _abstract_completed(story: Story, draft: Draft, flaw: Flaw) -> Draft:
    told = "Verdicts: {count:supported} supported, {count:refuted} refuted, {count:inconclusive} inconclusive."
    if flaw.about != "counts":
        claim = _claim(story, flaw)
        told = f"The test of {titled(claim.idea)} took {of(claim, 'n')} pairs."
    return draft.model_copy(update={"abstract": f"{draft.abstract.rstrip()} {told}".strip()})


def _condition_added(story: Story, draft: Draft, flaw: Flaw) -> Draft:
    return _extended(draft, "method", CONDITION_TOLD[flaw.about])


def _labelled(story: Story, draft: Draft, flaw: Flaw) -> Draft:
    def label(paragraph: str) -> str:
        if flaw.about not in bindings(paragraph) or "exploratory" in paragraph.lower():
            return paragraph
        if flaw.about.startswith("claim:"):
            return f"{paragraph} The plan of this test was changed after it was frozen; what it shows is exploratory."
        return f"{paragraph} These differences are exploratory: no registered test stands behind them."

    return _everywhere(draft, flaw.where, lambda text: paragraphs(*map(label, text.split("\n\n"))))


def _author_added(story: Story, draft: Draft, flaw: Flaw) -> Draft:
    by_us = draft.by == "embedded"
    return _extended(draft, "limits", author_told() if by_us else f"This text was drafted by the {draft.by} team.")


CUTS: Mapping[str, Mend] = {
    "overclaiming_words": _sobered,
    "typed_numbers": _without_typed_numbers,
    "unknown_records": _without_unknown,
    "title_beyond_evidence": _retitled,
}
FILLS: Mapping[str, Mend] = {
    "unreported_support": _claim_added,
    "hidden_failures": _claim_added,
    "untold_challenges": _challenge_added,
    "untold_absences": _challenge_added,
    "untold_price": _price_added,
    "missing_limits": _section_added,
    "thin_abstract": _abstract_completed,
    "missing_sections": _section_added,
    "unnamed_conditions": _condition_added,
    "unlabelled_exploration": _labelled,
    "unnamed_author": _author_added,
}


def _claim(story: Story, flaw: Flaw) -> Claim:
    return next(claim for claim in story.dossier.claims if claim.id == flaw.about)


def _without(text: str, unwanted: Callable[[str], bool]) -> str:
    kept = (" ".join(s for s in SENTENCE.split(p) if not unwanted(s)) for p in text.split("\n\n"))
    return paragraphs(*kept)


def _outside_bindings(text: str, change: Callable[[str], str]) -> str:
    return "".join(part if part.startswith("{") else change(part) for part in re.split(r"(\{[^{}]*\})", text))


def _everywhere(draft: Draft, where: str, change: Callable[[str], str]) -> Draft:
    if where in ("title", "abstract"):
        return draft.model_copy(update={where: change(getattr(draft, where))})
    return _with_sections(
        draft, [s.model_copy(update={"body": change(s.body)}) if s.key == where else s for s in draft.sections]
    )


def _extended(draft: Draft, key: str, told: str) -> Draft:
    """Add paragraphs to a section, making the section where there is none."""
    if not any(s.key == key for s in draft.sections):
        made = Section(key=key, title=SECTIONS[key][0], body=told)
        order = list(SECTIONS)
        after = [s for s in draft.sections if s.key in order and order.index(s.key) < order.index(key)]
        place = list(draft.sections).index(after[-1]) + 1 if after else 0
        return _with_sections(draft, [*draft.sections[:place], made, *draft.sections[place:]])
    return _everywhere(draft, key, lambda body: paragraphs(body, told))


def _renamed(draft: Draft, key: str) -> Draft:
    heading = SECTIONS[key][0] if key in SECTIONS else "Further remarks"
    return _with_sections(
        draft, [s.model_copy(update={"title": heading}) if s.key == key else s for s in draft.sections]
    )


def _with_sections(draft: Draft, sections: list[Section]) -> Draft:
    return draft.model_copy(update={"sections": tuple(sections)})

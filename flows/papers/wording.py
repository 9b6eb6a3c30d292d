"""Wording: the words that compare, and whether the verdict of a claim stands behind each of them.

A sentence in which something is said to be better must be bound to a claim that is supported. It may say it of a claim
that is not, or of none, only where it denies it, states the verdict, or puts it as a condition or a question.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from agents.records import Claim, Draft, Verdict
from flows.papers.sentences import Fault, Sentence, claims_in, sentences

COMPARATIVE = re.compile(
    r"\b(?:better|best|superior(?:ity)?|outperform\w*|surpass\w*|exceed\w*|beat(?:s|en|ing)?|wins?|winning|won|"
    r"improv\w+|enhanc\w+|boost\w*|lower(?:s|ed|ing)?|rais(?:e|es|ed|ing)|reduc\w+|decreas\w+|increas\w+|"
    r"gain(?:s|ed|ing)?|help(?:s|ed|ing|ful)?|faster|higher|stronger|significan\w+|effective\w*|advantag\w+|"
    r"benefi\w+|prov(?:e|es|ed|en)|demonstrat\w+)\b",
    re.IGNORECASE,
)
DEFINITION = re.compile(
    r"\b(?:lower|higher|less|more|positive|negative|larger|smaller)(?: \w+){0,2} (?:is|are) "
    r"(?:better|an improvement)\b",
    re.IGNORECASE,
)
"""Says which way is up, of the metric and not of a result."""
EMPHASIS = re.compile(
    r"\b(?:without|no|beyond)(?: any| a)? (?:doubt|question|exception)s?\b|\bnot (?:only|just|merely|least)\b|"
    r"\bnothing (?:less|short|but)\b|\bno (?:less|fewer)\b|\bnever before\b|\bno matter\b|\bwhat is more\b",
    re.IGNORECASE,
)
"""Reads like a denial and is none."""
DENIAL = re.compile(r"\b(?:no|not|nor|never|neither|none|nothing|cannot|without|against|rather than)\b|n't\b", re.I)
HEDGE = re.compile(
    r"\b(?:whether|if|when|unless|would|could|may|might|predict\w*|expect(?:s|ed)?|hypothes[ie]s\w*|probab\w+|belief|"
    r"question|suppos\w+|so that|seem(?:s|ed)?|ask(?:s|ed)?)\b",
    re.IGNORECASE,
)
ENDED = re.compile(
    r"\b(?:refuted|inconclusive|undecided|not survive|ruled out|not settled|unsettled|carries no claim|"
    r"remains open|stays open|is gone|fell to|where there (?:is|are) none|where there was none)\b",
    re.IGNORECASE,
)
"""States an outcome that is no support."""
REACH = 4
"""Words between a denial and what it denies, at the most."""
CLAUSE = re.compile(r"[,;:()\N{EM DASH}]")


def unbacked(draft: Draft, claims: Sequence[Claim]) -> Iterator[Fault]:
    """Yield the comparative words of a draft that no verdict of `claims` stands behind."""
    for sentence in sentences(draft):
        words = list(_asserted(sentence))
        if words and (why := _missing(sentence, claims)):
            yield Fault(sentence, f"says {words[0]!r}, {why}")


def _asserted(sentence: Sentence) -> Iterator[str]:
    """Yield the comparative words of a sentence that are neither denied nor put as a condition in their clause."""
    # A definition is blanked to its own length, so that places stay what they are.
    bare = EMPHASIS.sub(_blank, DEFINITION.sub(_blank, sentence.words))
    for match in COMPARATIVE.finditer(bare):
        start = max((m.end() for m in CLAUSE.finditer(bare, 0, match.start())), default=0)
        end = next((m.start() for m in CLAUSE.finditer(bare, match.end())), len(bare))
        before = bare[start : match.start()]
        near = " ".join(before.split()[-REACH:])
        if not (DENIAL.search(near) or HEDGE.search(before) or ENDED.search(bare, start, end)):
            yield match.group()


def _blank(match: re.Match[str]) -> str:
    return " " * len(match.group())


def _missing(sentence: Sentence, claims: Sequence[Claim]) -> str:
    """Return what is missing behind an assertion in `sentence`, empty when nothing is."""
    about = claims_in(sentence, claims)
    supported = any(claim.verdict is Verdict.SUPPORTED for claim in claims)
    fallen = [claim for claim in about if claim.verdict is not Verdict.SUPPORTED]
    changed = [claim for claim in about if claim.exploratory]
    if fallen:
        return "" if ENDED.search(sentence.words) else f"but claim {fallen[0].id} is {fallen[0].verdict}"
    if changed:
        told = "exploratory" in sentence.paragraph.lower()
        return "" if told else f"but does not call claim {changed[0].id}, whose plan was changed, exploratory"
    if about or ("count:supported" in {value.key for value in sentence.values} and supported):
        return ""
    return "" if _is_of_the_search(sentence) else "but is bound to no claim"


def _is_of_the_search(sentence: Sentence) -> bool:
    """Whether a sentence shows what the search saw, in a paragraph that calls it exploratory."""
    search = any(value.kind in ("tried", "lesson") for value in sentence.values)
    return search and "exploratory" in sentence.paragraph.lower()

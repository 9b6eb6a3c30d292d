"""Quoting: every bound number beside the noun, unit, side and direction that it has in the records.

A number that is right and stands beside the wrong words is a false statement that no comparison of numbers finds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from agents.records import Claim, Draft
from flows.papers.sentences import Fault, Sentence, Value, claims_in, sentences
from flows.papers.wording import DENIAL, REACH
from templates.manifest import Metric

COUNTED = {
    "idea": {"ideas", "crashed", "screened", "survived"},
    "candidate": {"candidates"},
    "execution": {"executions", "screen", "confirm", "challenge", "used", "fixed", "fixed_shared", "n"},
    "run": {"executions", "screen", "confirm", "challenge", "used", "fixed", "fixed_shared", "n"},
    "plan": {"plans", "horizon", "underpowered"},
    "hypothesis": {"claims", "plans", "supported", "refuted", "inconclusive"},
    "claim": {"claims", "supported", "refuted", "inconclusive", "exploratory"},
    "look": {"looks"},
    "pair": {"n", "pairs", "expected_pairs", "pairs_null", "confirm"},
    "seed": {"n", "pairs", "screen", "confirm", "seeds"},
    "challenge": {"challenges", "attacks"},
    "attack": {"attacks", "left_out", "challenges"},
    "lesson": {"lessons"},
    "deviation": {"deviations"},
    "verdict": {"claims"},
}
"""Noun -> the fields that count it."""
NOT_OF_IT = r"(?!(?:for|the|of|on|in|to|with|and|or|by|per|from|as|at|an?|is|was|over|after|before|between)\b)"
"""Words after which a noun is no longer what is counted."""
NOUN = re.compile(rf"^\s*(?:{NOT_OF_IT}[a-z-]+ ){{0,2}}?({'|'.join(COUNTED)}|hypotheses)(?:s|es)?\b", re.IGNORECASE)
VERDICT = re.compile(r"^\s*(?:ended |are |is |were |was )?(supported|refuted|inconclusive)\b", re.IGNORECASE)
NAMED = {
    r"e-values?": {"e_value", "threshold"},
    r"intervals?": {"interval"},
    r"levels?": {"level", "alpha"},
    r"power": {"power", "power_least"},
    r"median": {"estimate"},
}
"""What a number is called right before it -> the fields that are so called."""
CALLED = re.compile(rf"\b({'|'.join(NAMED)})(?: of| is| was| stood at| at)?\s*$", re.IGNORECASE)
UNIT = re.compile(
    r"^\s*-?(%|percent(?:age)?\b|per cent\b|points?\b|times\b|fold\b|ms\b|s\b|seconds?\b|minutes?\b|hours?\b|dB\b|"
    r"metres?\b|meters?\b|degrees?\b|standard deviations?\b|sigmas?\b|bits?\b|nats?\b)",
    re.IGNORECASE,
)
MEASURED = {"estimate", "candidate_mean", "comparator_mean", "least_effect", "effect", "spread", "aim", "interval"}
"""Fields in the metric's own unit."""
UP, DOWN = (
    r"rais(?:e|es|ed|ing)|increas\w+|higher|heighten\w*|rises?|rose|risen|rising|gr[eo]w(?:s|n|ing)?|climb\w*",
    r"lower(?:s|ed|ing)?|reduc\w+|decreas\w+|shrink\w*|shr[au]nk|drop(?:s|ped|ping)?|f[ae]ll(?:s|en|ing)?|declin\w+|"
    r"s[aiu]nk(?:s|ing)?",
)
GOOD = re.compile(
    r"\b(?:improvements?|gains?|advantage)(?: of| is| was)?\s*$|\b(?:improv\w+|better)(?: \w+){0,5} by\s*$", re.I
)
BAD = re.compile(r"\b(?:loss|losses|worsening|deterioration)(?: of| is| was)?\s*$|\bworse(?: \w+){0,3} by\s*$", re.I)
TURNED = re.compile(r"(?:[\s(\[“\"][-\N{EN DASH}]|\N{MINUS SIGN}\s?|\bminus\s+)$", re.IGNORECASE)
"""A sign typed right before a number; a dash with a blank after it is punctuation."""
OWN_SIDE = {"candidate_mean": "baseline|comparator", "comparator_mean": "candidate"}
"""Field -> the side that it is not the mean of."""


@dataclass(frozen=True)
class Quotes:
    """What numbers are held against: the metric and the claims."""

    metric: Metric
    claims: Sequence[Claim]

    def estimate(self, value: Value) -> float | None:
        """Return the estimate that a value is, of a claim or of a challenge of it."""
        claim = next((c for c in self.claims if c.id == value.record), None)
        if claim is None or value.kind != "claim" or value.field != "estimate":
            return None
        steps = value.key.split(".")
        if "challenges" not in steps:
            return claim.estimate
        index = steps[steps.index("challenges") + 1]
        within = index.isdigit() and int(index) < len(claim.challenges)
        return claim.challenges[int(index)].estimate if within else None


Check = Callable[[Quotes, Sentence], Iterator[str]]


def misquoted(draft: Draft, metric: Metric, claims: Sequence[Claim]) -> Iterator[Fault]:
    """Yield every number of a draft that stands beside the wrong words."""
    quotes = Quotes(metric, claims)
    for sentence in sentences(draft):
        for check in CHECKS:
            yield from (Fault(sentence, why) for why in check(quotes, sentence))


def _nouns(quotes: Quotes, sentence: Sentence) -> Iterator[str]:
    """A count before what it counts."""
    for value in sentence.values:
        noun = None if _has_own_unit(quotes, value) else NOUN.match(value.after)
        if noun:
            word = "hypothesis" if noun[1].lower() == "hypotheses" else noun[1].lower()
            if value.field not in COUNTED[word]:
                yield f"calls {{{value.key}}} a number of {noun[1]}"
        verdict = VERDICT.match(value.after)
        of_verdicts = value.kind == "count" and value.field in ("supported", "refuted", "inconclusive")
        if of_verdicts and verdict and value.field != verdict[1].lower():
            yield f"calls {{{value.key}}} the number that is {verdict[1]}"


def _has_own_unit(quotes: Quotes, value: Value) -> bool:
    own = quotes.metric.unit.lower()
    return bool(own) and value.after.lstrip().lower().startswith(own)


def _names(quotes: Quotes, sentence: Sentence) -> Iterator[str]:
    """A number after what it is called."""
    if re.search(r"\bp-values?\b", sentence.words, re.IGNORECASE):
        yield "speaks of a p-value, and there is none here"
    for value in sentence.values:
        called = CALLED.search(value.before)
        fields = next((f for name, f in NAMED.items() if called and re.fullmatch(name, called[1], re.I)), None)
        if called and fields is not None and value.field not in fields:
            yield f"calls {{{value.key}}} {called[1]}"


def _units(quotes: Quotes, sentence: Sentence) -> Iterator[str]:
    """A measured number before its unit, and no other number before it."""
    for value in sentence.values:
        is_own = _has_own_unit(quotes, value)
        if is_own and value.field not in MEASURED and value.key != "template:metric.least_effect":
            yield f"gives {{{value.key}}} the unit {quotes.metric.unit}"
        unit = UNIT.match(value.after)
        if unit and not is_own:
            yield f"gives {{{value.key}}} the unit {unit[1]}"


def _directions(quotes: Quotes, sentence: Sentence) -> Iterator[str]:
    """Up and down as the estimates have it."""
    about = [claim for claim in claims_in(sentence, quotes.claims) if claim.n]
    signs = {claim.estimate > 0 for claim in about}
    if len(signs) != 1:
        return
    improved = signs.pop()
    went_up = improved == (quotes.metric.direction == "maximize")
    metric = rf"(?:{re.escape(quotes.metric.title)}|{re.escape(quotes.metric.name)}|metric)"
    wrong = DOWN if went_up else UP
    for pattern in (rf"\b({wrong})(?: \w+){{0,2}} {metric}\b", rf"\b{metric}(?: (?:is|was|are|were))? ({wrong})\b"):
        for match in re.finditer(pattern, sentence.words, re.IGNORECASE):
            near = " ".join(sentence.words[: match.start(1)].split()[-REACH:])
            if not DENIAL.search(near):
                yield f"says {match[1]!r} where the estimate says the opposite"


def _signs(quotes: Quotes, sentence: Sentence) -> Iterator[str]:
    """A gain that is one, a loss that is one, and no sign but the number's own."""
    for value in sentence.values:
        if TURNED.search(value.before):
            yield f"puts a minus before {{{value.key}}}"
        estimate = quotes.estimate(value)
        if estimate is None:
            continue
        if estimate < 0 and GOOD.search(value.before) and not DENIAL.search(" ".join(value.before.split()[-REACH:])):
            yield f"calls {{{value.key}}} a gain, and it is negative"
        if estimate > 0 and BAD.search(value.before):
            yield f"calls {{{value.key}}} a loss, and it is positive"


def _sides(quotes: Quotes, sentence: Sentence) -> Iterator[str]:
    """A mean beside the side whose mean it is, and from the comparator to the candidate."""
    values = sentence.values
    for value in values:
        other = OWN_SIDE.get(value.field)
        if other and re.match(rf"\s*(?:{re.escape(quotes.metric.unit)} )?for the (?:{other})\b", value.after, re.I):
            yield f"takes {{{value.key}}} for the mean of the other side"
    for one, two in zip(values, values[1:], strict=False):
        turned = (one.field, two.field) == ("candidate_mean", "comparator_mean")
        if turned and re.search(r"\bfrom\s*$", one.before, re.I) and two.before.strip() == "to":
            yield f"goes from {{{one.key}}} to {{{two.key}}}, which is backwards"


def _owners(quotes: Quotes, sentence: Sentence) -> Iterator[str]:
    """A claim's number beside the idea that the claim is about."""
    ideas: Mapping[str, str] = {claim.id: claim.idea for claim in quotes.claims}
    named = {v.record for v in sentence.values if v.kind == "idea" and v.field in ("title", "statement")}
    for value in sentence.values:
        if value.kind == "claim" and named and ideas.get(value.record) not in named:
            yield f"puts {{{value.key}}} beside another idea than it is about"
            return


CHECKS: tuple[Check, ...] = (_nouns, _names, _units, _directions, _signs, _sides, _owners)

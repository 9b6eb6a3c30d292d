"""Checks: what a reviewer holds a draft against. Each looks for one kind of fault and says where it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from agents.embedded.story import DIGIT
from agents.records import Claim, Draft, Verdict
from agents.team import Dossier

BINDING = re.compile(r"\{([a-z]+):([^{}]*)\}")
CITATION = re.compile(r"\[@[^\]]*\]")
OVERCLAIMS = re.compile(
    r"\b(prov(?:e|es|ed|en|ing)|novel|state[- ]of[- ]the[- ]art|breakthroughs?|unprecedented|groundbreaking|"
    r"guarantees?|undoubtedly|revolutionary|conclusively)\b",
    re.IGNORECASE,
)
BACKED = re.compile(r"\b(significant|significantly|significance|outperform(?:s|ed)?)\b", re.IGNORECASE)
"""Words that need a supported claim behind them."""
CONDITIONS = {
    "campaign:sandbox": "sandbox",
    "campaign:alpha": "level",
    "template:seeds.screen": "number of screen seeds",
}
GAINS = re.compile(
    r"\b(lowers?|raises?|improv\w+|reduc\w+|increase\w*|better|gains?|helps?|boosts?|beats?|that (?:lower|raise))\b",
    re.IGNORECASE,
)
UNCHALLENGED = re.compile(r"\b(no|not|never|without)\b.*\bchallenge|\bunchallenged\b", re.IGNORECASE | re.DOTALL)
DISCLAIMED = re.compile(r"\b(without|no|not|none)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Flaw:
    """One fault: the `check` that found it, its criterion, where it is, how grave, in words; `about` names a record."""

    check: str
    criterion: str
    where: str
    grade: str
    text: str
    about: str = ""


def flaws(dossier: Dossier, draft: Draft) -> tuple[Flaw, ...]:
    """Return every fault that the checks find, in the order of `CHECKS`."""
    return tuple(flaw for check in CHECKS for flaw in check(dossier, draft))


def prose(draft: Draft) -> dict[str, str]:
    """Return the texts of a draft by place: title, abstract, and sections by their keys."""
    return {"title": draft.title, "abstract": draft.abstract} | {s.key: s.body for s in draft.sections}


def bindings(text: str) -> set[str]:
    """Return what is inside the braces of a text: `claim:k1.n` and the like."""
    return {f"{kind}:{path}" for kind, path in BINDING.findall(text)}


def plain(text: str) -> str:
    """Return a text without its bindings and citations."""
    return CITATION.sub("", BINDING.sub("", text))


def _mentions(text: str, claim: Claim) -> bool:
    """Whether a text tells the outcome of a claim: one of its own values, not only its title."""
    return any(key.startswith(f"claim:{claim.id}.") for key in bindings(text))


def _everything(draft: Draft) -> str:
    return "\n\n".join(prose(draft).values())


def unsound_claims(dossier: Dossier, draft: Draft) -> Iterator[Flaw]:
    """A supported claim needs a plan registered for the same idea, and an e-value that pays for its level."""
    plans = {plan.id: plan for plan in dossier.plans}
    for claim in _with(dossier, Verdict.SUPPORTED):
        plan = plans.get(claim.plan)
        if plan is None or plan.idea != claim.idea:
            text = f"No plan registered claim {claim.id}."
        elif not claim.deterministic and claim.e_value * claim.level < 1:
            text = f"Claim {claim.id} is called supported, but its e-value does not reach one over its level."
        else:
            continue
        yield Flaw("unsound_claims", "soundness", claim.id, "major", text, claim.id)


def unreported_support(dossier: Dossier, draft: Draft) -> Iterator[Flaw]:
    """Results must give estimate, sample size and, where there is one, the interval of every supported claim."""
    said = bindings(prose(draft).get("results", ""))
    for claim in _with(dossier, Verdict.SUPPORTED):
        fields = ("estimate", "n", "interval") if claim.interval else ("estimate", "n")
        missing = [field for field in fields if f"claim:{claim.id}.{field}" not in said]
        if missing:
            text = f"The results do not give the {' and '.join(missing)} of claim {claim.id}."
            yield Flaw("unreported_support", "evidence", "results", "major", text, claim.id)


def hidden_failures(dossier: Dossier, draft: Draft) -> Iterator[Flaw]:
    """Refuted and inconclusive claims must be told in a section, not only counted."""
    told = "\n\n".join(section.body for section in draft.sections)
    for claim in (*_with(dossier, Verdict.REFUTED), *_with(dossier, Verdict.INCONCLUSIVE)):
        if not _mentions(told, claim):
            text = f"Claim {claim.id} ended {claim.verdict} and is not told anywhere."
            yield Flaw("hidden_failures", "honesty", "refuted", "major", text, claim.id)


def untold_challenges(dossier: Dossier, draft: Draft) -> Iterator[Flaw]:
    """What came of every challenge must be told; of a supported claim without one, that there was none."""
    told = "\n\n".join(section.body for section in draft.sections)
    for claim in dossier.claims:
        keys = [k for k in bindings(told) if k.startswith(f"claim:{claim.id}.challenges.")]
        for index, challenge in enumerate(claim.challenges):
            if not any(k.startswith(f"claim:{claim.id}.challenges.{index}.") for k in keys):
                text = f"The outcome of challenge {challenge.plan} of claim {claim.id} is not told."
                yield Flaw("untold_challenges", "soundness", "results", "major", text, claim.id)
        unchallenged = claim.verdict is Verdict.SUPPORTED and not claim.challenges
        if unchallenged and not _says_unchallenged(told, claim):
            text = f"The paper does not say that claim {claim.id} was never challenged."
            yield Flaw("untold_challenges", "soundness", "results", "minor", text, claim.id)


def _says_unchallenged(told: str, claim: Claim) -> bool:
    about = (f"{{claim:{claim.id}.", f"{{idea:{claim.idea}.")
    sentences = re.split(r"\.\s", told)
    return any(UNCHALLENGED.search(plain(s)) and any(a in s for a in about) for s in sentences)


def untold_price(dossier: Dossier, draft: Draft) -> Iterator[Flaw]:
    """How much was tried belongs beside what was found."""
    said = bindings(_everything(draft))
    spent = [k for k in said if k == "attempts:executions" or k.endswith("attempts.executions")]
    ideas = [k for k in said if k == "attempts:ideas" or k.endswith("attempts.ideas")]
    if not spent or not ideas:
        text = "The paper does not say how many ideas and executions it took to find this."
        yield Flaw("untold_price", "honesty", "results", "major", text)


def missing_limits(dossier: Dossier, draft: Draft) -> Iterator[Flaw]:
    """A section of limits, and more than a line of it."""
    if len(plain(prose(draft).get("limits", "")).split()) < 20:
        yield Flaw("missing_limits", "honesty", "limits", "major", "The paper does not discuss its limits.")


def overclaiming_words(dossier: Dossier, draft: Draft) -> Iterator[Flaw]:
    """Words that no experiment of this kind can back, and words that need a supported claim where there is none."""
    supported = bool(_with(dossier, Verdict.SUPPORTED))
    for where, text in prose(draft).items():
        found = [m.group(0) for m in OVERCLAIMS.finditer(plain(text))]
        if not supported:
            found += [m.group(0) for m in BACKED.finditer(plain(text))]
        for word in dict.fromkeys(found):
            says = f"The word {word!r} in the {where} claims more than the evidence can carry."
            yield Flaw("overclaiming_words", "honesty", where, "major", says, word)


def title_beyond_evidence(dossier: Dossier, draft: Draft) -> Iterator[Flaw]:
    """A title may announce a gain only when a claim supports it, and only that of supported ideas."""
    supported = {claim.idea for claim in _with(dossier, Verdict.SUPPORTED)}
    named = {key.split(":")[1].split(".")[0] for key in bindings(draft.title) if key.startswith("idea:")}
    unsupported = bool(named - supported)
    announces = bool(GAINS.search(plain(draft.title))) and not DISCLAIMED.search(plain(draft.title))
    if announces and (unsupported or not supported):
        text = "The title announces a gain that no supported claim stands behind."
        yield Flaw("title_beyond_evidence", "honesty", "title", "major", text)


def thin_abstract(dossier: Dossier, draft: Draft) -> Iterator[Flaw]:
    """The abstract must give the verdict counts and the sample size behind every supported claim."""
    said = bindings(draft.abstract)
    counts = [f"count:{verdict.value}" for verdict in Verdict]
    if not all(count in said for count in counts):
        text = "The abstract does not say how many hypotheses ended supported, refuted and inconclusive."
        yield Flaw("thin_abstract", "presentation", "abstract", "minor", text, "counts")
    for claim in _with(dossier, Verdict.SUPPORTED):
        if f"claim:{claim.id}.n" not in said:
            text = f"The abstract does not give the sample size of claim {claim.id}."
            yield Flaw("thin_abstract", "presentation", "abstract", "minor", text, claim.id)


def missing_sections(dossier: Dossier, draft: Draft) -> Iterator[Flaw]:
    """Introduction, method, results and discussion are what a reader looks for."""
    for key in ("introduction", "method", "results", "discussion"):
        if not prose(draft).get(key, "").strip():
            yield Flaw("missing_sections", "presentation", key, "major", f"The paper has no {key}.", key)


def typed_numbers(dossier: Dossier, draft: Draft) -> Iterator[Flaw]:
    """A number that somebody typed cannot be followed back to a run."""
    texts = prose(draft) | {f"heading of {s.key}": s.title for s in draft.sections}
    for where, text in texts.items():
        typed = [word for word in plain(text).split() if DIGIT.search(word)]
        if typed:
            says = f"The {where} holds typed numbers: {', '.join(typed)}."
            yield Flaw("typed_numbers", "reproducibility", where, "major", says)


def unknown_records(dossier: Dossier, draft: Draft) -> Iterator[Flaw]:
    """A binding must name a record that exists."""
    known = {
        "claim": {c.id for c in dossier.claims},
        "plan": {p.id for p in dossier.plans},
        "idea": {i.id for i in dossier.ideas},
        "lesson": {lesson.id for lesson in dossier.lessons},
        "tried": {t.idea.id for t in dossier.tried},
    }
    for where, text in prose(draft).items():
        for key in sorted(bindings(text)):
            kind, id_ = key.split(":")[0], key.split(":", 1)[1].split(".")[0]
            if kind in known and id_ not in known[kind]:
                says = f"The {where} refers to {kind} {id_!r}, which does not exist."
                yield Flaw("unknown_records", "evidence", where, "major", says, key)


def unnamed_conditions(dossier: Dossier, draft: Draft) -> Iterator[Flaw]:
    """Who repeats this needs the sandbox, the level and the screen's seeds."""
    said = bindings(prose(draft).get("method", ""))
    for key, name in CONDITIONS.items():
        if key not in said:
            text = f"The method does not name the {name}."
            yield Flaw("unnamed_conditions", "reproducibility", "method", "minor", text, key)


def unlabelled_exploration(dossier: Dossier, draft: Draft) -> Iterator[Flaw]:
    """An effect of the screen, or of a changed plan, must be called exploratory in the paragraph that shows it."""
    changed = "|".join(re.escape(claim.id) for claim in dossier.claims if claim.exploratory) or "(?!)"
    loose = re.compile(rf"tried:[^.]+\.(effect|spread)|claim:({changed})\..*")
    for where, text in prose(draft).items():
        for paragraph in text.split("\n\n"):
            shown = sorted(k for k in bindings(paragraph) if loose.fullmatch(k))
            if shown and "exploratory" not in paragraph.lower():
                says = f"The {where} shows {', '.join(shown)} and does not call it exploratory."
                yield Flaw("unlabelled_exploration", "honesty", where, "major", says, shown[0])


def untold_absences(dossier: Dossier, draft: Draft) -> Iterator[Flaw]:
    """Attacks on a claim that the budget did not allow must be named."""
    told = "\n\n".join(section.body for section in draft.sections)
    for claim, titles in dossier.left_out.items():
        for title in titles:
            if title not in told:
                says = f"The paper does not say that claim {claim} was not put to a {title}."
                yield Flaw("untold_absences", "soundness", "results", "major", says, claim)


def unnamed_author(dossier: Dossier, draft: Draft) -> Iterator[Flaw]:
    """A reader must learn who, or what, wrote this."""
    if "drafted by" not in _everything(draft).lower():
        yield Flaw("unnamed_author", "honesty", "limits", "minor", "The paper does not say who or what drafted it.")


def _with(dossier: Dossier, verdict: Verdict) -> tuple[Claim, ...]:
    return tuple(claim for claim in dossier.claims if claim.verdict is verdict)


CHECKS: tuple[Callable[[Dossier, Draft], Iterator[Flaw]], ...] = (
    unsound_claims,
    unreported_support,
    hidden_failures,
    untold_challenges,
    untold_absences,
    untold_price,
    missing_limits,
    overclaiming_words,
    title_beyond_evidence,
    thin_abstract,
    missing_sections,
    typed_numbers,
    unknown_records,
    unnamed_conditions,
    unlabelled_exploration,
    unnamed_author,
)

"""Bindings: prose names values, the journal supplies them, nobody types a number."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from agents.records import Draft
from agents.team import Dossier
from flows.papers.errors import LiteralNumber, UnboundReference
from flows.papers.numbers import is_numeric, text_of
from templates.manifest import Manifest

REFERENCE = re.compile(r"\{([^{}]*)\}")
CITATION = re.compile(r"\[@([A-Za-z][\w:.-]*)\]")
WELL_FORMED = re.compile(r"^[a-z]+:[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$")
RECORDS = ("claim", "plan", "idea", "lesson", "tried", "behind")


@dataclass(frozen=True)
class Bound:
    """A reference and what it stands for: `text` as printed, `value` as recorded."""

    key: str
    text: str
    value: object

    @property
    def numeric(self) -> bool:
        """Whether the value is a number (or only numbers)."""
        return is_numeric(self.value)

    @property
    def kind(self) -> str:
        """What stands before the colon."""
        return self.key.partition(":")[0]

    @property
    def record(self) -> str:
        """The record it comes from: `claim:k1`, or the kind alone for `attempts`, `campaign`, `count`, `template`."""
        kind, path = self.key.split(":", 1)
        return f"{kind}:{path.split('.')[0]}" if kind in RECORDS else kind


class Bindings:
    """Resolves `{kind:id.path}` against the dossier and the manifest.

    Kinds with ids: claim, plan, idea, lesson, tried (by idea id), behind (what was tried for a claim, by its id).
    Without: attempts, thinking, saved, closing, campaign, template, count (how many claims of a verdict, ideas of an
    outcome, or ideas, plans, claims and lessons in all). In a path, a step into a list is an index, or the id or name
    of the element.
    """

    def __init__(self, dossier: Dossier, manifest: Manifest) -> None:
        """Index the records of `dossier` by their ids."""
        self._records: dict[str, Mapping[str, BaseModel]] = {
            "claim": {r.id: r for r in dossier.claims},
            "plan": {r.id: r for r in dossier.plans},
            "idea": {r.id: r for r in dossier.ideas},
            "lesson": {r.id: r for r in dossier.lessons},
            "tried": {t.idea.id: t for t in dossier.tried},
            "behind": dossier.behind,
        }
        self._roots: dict[str, object] = {
            "attempts": dossier.attempts,
            "saved": dossier.saved,
            "thinking": dossier.thinking,
            "closing": dossier.closing,
            "campaign": dossier,
            "template": manifest,
            "count": _counts(dossier),
        }

    def resolve(self, key: str) -> Bound:
        """Return the value `key` names.

        Raises:
            UnboundReference: there is no such record or field, or it is a record and not a value.
        """
        if not WELL_FORMED.match(key):
            raise UnboundReference(key, "it is not of the form kind:id.path")
        kind, path = key.split(":", 1)
        steps = path.split(".")
        value, steps = self._start(key, kind, steps)
        for step in steps:
            value = _step(key, value, step)
        text = text_of(steps[-1] if steps else path, value)
        if text is None:
            raise UnboundReference(key, "it names a record, not a value")
        return Bound(key, text, value)

    def _start(self, key: str, kind: str, steps: list[str]) -> tuple[object, list[str]]:
        if kind in self._records:
            known = self._records[kind]
            if steps[0] not in known:
                raise UnboundReference(key, f"there is no {kind} {steps[0]!r}")
            return known[steps[0]], steps[1:]
        if kind not in self._roots:
            kinds = ", ".join(sorted({*self._records, *self._roots}))
            raise UnboundReference(key, f"there is no kind {kind!r}; the kinds are {kinds}")
        if kind == "campaign" and steps == ["name"]:
            return self._roots[kind], ["campaign"]
        return self._roots[kind], steps


def _step(key: str, value: object, step: str) -> object:
    if isinstance(value, BaseModel):
        if step in type(value).model_fields:
            return getattr(value, step)
        raise UnboundReference(key, f"a {type(value).__name__.lower()} has no field {step!r}")
    if isinstance(value, Mapping) and step in value:
        return value[step]
    if isinstance(value, Sequence) and not isinstance(value, str):
        for index, element in enumerate(value):
            names = {str(index), getattr(element, "id", None), getattr(element, "name", None)}
            if step in names:
                return element
    raise UnboundReference(key, f"there is nothing called {step!r} there")


def _counts(dossier: Dossier) -> Mapping[str, int]:
    outcomes = Counter(t.outcome for t in dossier.tried)
    verdicts = Counter(str(c.verdict.value) for c in dossier.claims)
    fixed = dict.fromkeys(("supported", "refuted", "inconclusive", "screened", "survived", "crashed"), 0)
    totals = {name: len(getattr(dossier, name)) for name in ("ideas", "plans", "claims", "lessons")}
    challenges = [made for claim in dossier.claims for made in claim.challenges]
    attacks = sum(map(len, dossier.attacks.values()))
    # A verdict counts claims; an outcome that is no verdict (screened, crashed) counts ideas.
    return {
        **fixed,
        **outcomes,
        **{v: verdicts[v] for v in ("supported", "refuted", "inconclusive")},
        **totals,
        "challenges": len(challenges),
        "narrowing": sum(made.narrows for made in challenges),
        "attacks": attacks,
        "left_out": sum(map(len, dossier.left_out.values())),
        "deviations": sum(len(plan.deviations) for plan in dossier.plans),
        "exploratory": sum(claim.exploratory for claim in dossier.claims),
        "underpowered": sum(plan.forecast is not None and plan.forecast.underpowered for plan in dossier.plans),
        "looks": sum(c.looks for c in dossier.claims),
    }


def pieces(text: str, bindings: Bindings) -> Iterator[str | Bound]:
    """Split prose into plain text and bound values, in order.

    Raises:
        UnboundReference: a reference does not resolve, or a brace stands alone.
    """
    end = 0
    for match in REFERENCE.finditer(text):
        yield _plain(text[end : match.start()])
        yield bindings.resolve(match.group(1))
        end = match.end()
    yield _plain(text[end:])


def _plain(text: str) -> str:
    if "{" in text or "}" in text:
        raise UnboundReference(text.strip()[:40], "a brace stands alone")
    return text


def bind(text: str, bindings: Bindings) -> tuple[str, tuple[str, ...]]:
    """Return `text` with every reference replaced by its value, and the keys it used, in order.

    Raises:
        UnboundReference: a reference does not resolve.
    """
    parts = tuple(pieces(text, bindings))
    used = dict.fromkeys(p.key for p in parts if isinstance(p, Bound))
    return "".join(p.text if isinstance(p, Bound) else p for p in parts), tuple(used)


def literal_numerals(text: str) -> list[str]:
    """Return every word of prose that holds a digit outside a binding or a citation, in any script."""
    bare = CITATION.sub(" ", REFERENCE.sub(" ", text))
    return [word.strip(".,;:()[]\"'") for word in bare.split() if any(_is_numeral(c) for c in word)]


def _is_numeral(character: str) -> bool:
    return unicodedata.category(character).startswith("N")


def refuse_literals(draft: Draft) -> None:
    """Refuse a draft whose prose types a number.

    Raises:
        LiteralNumber: it does; the first place is named.
    """
    prose = [("title", draft.title), ("abstract", draft.abstract)]
    for section in draft.sections:
        prose += [(f"heading of section {section.key!r}", section.title), (f"section {section.key!r}", section.body)]
    for where, text in prose:
        if numerals := literal_numerals(text):
            raise LiteralNumber(where, numerals)

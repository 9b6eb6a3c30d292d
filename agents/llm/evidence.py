"""Evidence: what a dossier holds, as the bindings that prose may use and as a table that a reviewer reads.

Both come from the records of the journal alone. A writer sees values so that it can reason about them; what it writes
down is the binding, and nothing else brings a number into a paper.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from agents.records import Challenge, Claim, Draft, Verdict
from agents.team import Dossier
from templates.template import Template

REFERENCE = re.compile(r"\{([^{}]*)\}")
SHORT = 160
"""Characters of a text value that a list of bindings shows."""
MOST_BINDINGS, MOST_EVIDENCE = 39_000, 23_000
"""Characters of the list and of the table: less than prompts allow them, so that no prompt cuts out their middle."""


class Offer(NamedTuple):
    """A binding that prose may use: its key, what it means, and its value for reasoning only."""

    key: str
    means: str
    value: str


def offers(template: Template, dossier: Dossier) -> tuple[Offer, ...]:
    """Return every binding that is offered to a writer, claims first."""
    parts = (_claims(dossier), _counts(dossier), _campaign(dossier), _template(template), _plans(dossier))
    found = (offer for part in (*parts, _lessons(dossier), _ideas(dossier)) for offer in part)
    return tuple({offer.key: offer for offer in found}.values())


def listing(offered: Sequence[Offer]) -> str:
    """Return bindings as lines: the binding, its meaning, its value; the last ones are left out of a long list."""
    return _within([f"{{{o.key}}}: {o.means} (now: {_short(o.value)})" for o in offered], MOST_BINDINGS)


def legible(draft: Draft, offered: Sequence[Offer]) -> str:
    """Return a draft as text, each binding preceded by the value that a reader will see."""
    values = {o.key: o.value for o in offered}

    def told(match: re.Match[str]) -> str:
        value = values.get(match[1])
        return match[0] if value is None else f"{value} {match[0]}"

    parts = [f"# {draft.title}", f"## abstract\n{draft.abstract}"]
    parts += [f"## {section.key}: {section.title}\n{section.body}" for section in draft.sections]
    return REFERENCE.sub(told, "\n\n".join(parts))


def table(dossier: Dossier) -> str:
    """Return what the journal says, claim by claim, with what was tried to get there; nothing of it is prose."""
    made = dossier.attempts
    lines = [
        f"Campaign: {made.ideas} ideas, {made.candidates} candidates, {made.executions} executions, "
        f"{made.plans} plans, {made.looks} looks; false discovery rate held at {dossier.alpha:g}; "
        f"sandbox {dossier.sandbox}.",
        *(line for claim in dossier.claims for line in _rows(dossier, claim)),
        *(
            f"Doubt about claim {id_}, which no run has tried: {why}"
            for id_, those in dossier.doubts.items()
            for why in those
        ),
    ]
    if not dossier.claims:
        lines.append("No plan came to a verdict: there is no claim, and everything seen is exploratory.")
    claimed = {claim.idea for claim in dossier.claims}
    loose = [t for t in dossier.tried if t.idea.id not in claimed]
    lines += [
        f"Exploratory, idea {t.idea.id} ({_short(t.idea.title)}): {t.outcome}, mean difference at the screen "
        f"{_number(t.effect)}."
        for t in loose
    ]
    return _within(lines, MOST_EVIDENCE)


def _within(lines: Sequence[str], most: int) -> str:
    """Join the first lines that come to at most `most` characters, and say how many more there are."""
    ends = list(accumulate(len(line) + 1 for line in lines))
    fit = sum(end <= most for end in ends)
    more = [f"({len(lines) - fit} more are left out here.)"] if fit < len(lines) else []
    return "\n".join([*lines[:fit], *more])


def _rows(dossier: Dossier, claim: Claim) -> Iterator[str]:
    plan = next((p for p in dossier.plans if p.id == claim.plan), None)
    registered = f"least effect {plan.least_effect:g}" if plan else "no plan registered"
    labels = f" ({', '.join(claim.labels)})" if claim.labels else ""
    yield (
        f"Claim {claim.id}, idea {claim.idea}, plan {claim.plan}: {claim.verdict}{labels}. {claim.statement} "
        f"Estimate {_number(claim.estimate)}, interval {_interval(claim.interval)}, {registered}, {claim.n} pairs, "
        f"{claim.looks} looks, e-value {claim.e_value:.4g}, level {claim.level:.4g}. {claim.reason}"
    )
    yield f"  Tried up to then: {claim.attempts.ideas} ideas, {claim.attempts.executions} executions."
    for challenge in claim.challenges:
        yield f"  Challenge {challenge.plan}, {_otherwise(challenge)}: {challenge.outcome}. " + (
            f"Estimate {_number(challenge.estimate)}, interval {_interval(challenge.interval)}, {challenge.n} pairs."
        )
    if claim.verdict is Verdict.SUPPORTED and not claim.challenges:
        yield "  Never challenged."
    for title in dossier.left_out.get(claim.id, ()):
        yield f"  Not allowed by the budget: {title}."


def _otherwise(challenge: Challenge) -> str:
    without = f" without {', '.join(challenge.removed)}" if challenge.removed else ""
    return f"{challenge.kind}{without}{f' with {challenge.condition}' if challenge.condition else ''}"


CLAIM = {
    "statement": "the hypothesis of the claim, a whole sentence",
    "verdict": "its verdict",
    "reason": "why it ended so, a whole sentence",
    "estimate": "mean paired difference, signed so that up is better",
    "interval": "its anytime-valid interval",
    "relative": "the difference relative to the baseline's mean, in percent",
    "candidate_mean": "mean of the candidate",
    "comparator_mean": "mean of the baseline",
    "n": "number of paired seeds",
    "looks": "number of looks",
    "e_value": "e-value",
    "level": "level granted to the test",
    "attempts.ideas": "number of ideas proposed up to this claim",
    "attempts.executions": "number of executions up to this claim",
}


def _claims(dossier: Dossier) -> Iterator[Offer]:
    for claim in dossier.claims:
        for path, means in CLAIM.items():
            value = _at(claim, path)
            if value not in (None, ""):
                told = f"{100 * value:.3g} %" if path == "relative" and isinstance(value, float) else _told(value)
                yield Offer(f"claim:{claim.id}.{path}", f"claim {claim.id} (idea {claim.idea}): {means}", told)
        for index, challenge in enumerate(claim.challenges):
            yield from _challenge(claim, index, challenge)


def _challenge(claim: Claim, index: int, challenge: Challenge) -> Iterator[Offer]:
    for path in ("estimate", "interval", "n", "e_value", "condition", "removed"):
        value = getattr(challenge, path)
        if value not in (None, "", ()):
            means = f"{path} in the {challenge.kind} of claim {claim.id}, which {challenge.outcome}"
            yield Offer(f"claim:{claim.id}.challenges.{index}.{path}", means, _told(value))


def _counts(dossier: Dossier) -> Iterator[Offer]:
    for verdict in Verdict:
        many = sum(claim.verdict is verdict for claim in dossier.claims)
        yield Offer(f"count:{verdict.value}", f"number of hypotheses that ended {verdict.value}", str(many))
    yield Offer("count:claims", "number of hypotheses that were registered and decided", str(len(dossier.claims)))
    for outcome in ("screened", "crashed"):
        many = sum(t.outcome == outcome for t in dossier.tried)
        yield Offer(f"count:{outcome}", f"number of ideas that {OUTCOMES[outcome]}", str(many))


OUTCOMES = {"screened": "were set aside at the screen", "crashed": "crashed"}


def _campaign(dossier: Dossier) -> Iterator[Offer]:
    for name in ("ideas", "candidates", "executions", "plans", "looks"):
        yield Offer(f"attempts:{name}", f"number of {name} of the whole campaign", _told(_at(dossier.attempts, name)))
    yield Offer("campaign:question", "the question, a whole sentence", dossier.question)
    yield Offer("campaign:alpha", "the false discovery rate that is held", _told(dossier.alpha))
    yield Offer("campaign:sandbox", "the sandbox that the code ran in", dossier.sandbox)


def _template(template: Template) -> Iterator[Offer]:
    manifest = template.manifest
    for path, means in {
        "title": "title of the experiment",
        "domain": "field that it belongs to",
        "method": "how it works, whole sentences",
        "metric.title": "title of the metric",
        "metric.name": "name of the metric",
        "metric.least_effect": "least effect of interest",
        "metric.unit": "unit of the metric",
        "seeds.screen": "number of search seeds at the screen",
    }.items():
        if (value := _at(manifest, path)) != "":
            yield Offer(f"template:{path}", means, _told(value))
    for index, limit in enumerate(manifest.limits_of_study):
        yield Offer(f"template:limits_of_study.{index}", "a limit of the study, a whole sentence", limit)


def _plans(dossier: Dossier) -> Iterator[Offer]:
    for plan in dossier.plans:
        yield Offer(
            f"plan:{plan.id}.least_effect", f"least effect registered in plan {plan.id}", _told(plan.least_effect)
        )
        for index, deviation in enumerate(plan.deviations):
            key = f"plan:{plan.id}.deviations.{index}"
            yield Offer(f"{key}.what", f"what was changed in plan {plan.id} after it was frozen", deviation.what)
            yield Offer(f"{key}.why", f"why plan {plan.id} was changed", deviation.why)


def _lessons(dossier: Dossier) -> Iterator[Offer]:
    for lesson in dossier.lessons:
        yield Offer(f"lesson:{lesson.id}.statement", f"lesson {lesson.id}, a whole sentence", lesson.statement)
        yield Offer(f"lesson:{lesson.id}.belief", f"belief in lesson {lesson.id}; exploratory", _told(lesson.belief))


def _ideas(dossier: Dossier) -> Iterator[Offer]:
    claimed = {claim.idea for claim in dossier.claims}
    for t in sorted(dossier.tried, key=lambda t: t.idea.id not in claimed):
        for field in ("title", "statement", "mechanism"):
            yield Offer(f"idea:{t.idea.id}.{field}", f"{field} of idea {t.idea.id}", getattr(t.idea, field))
        if t.effect is not None:
            means = f"mean difference of idea {t.idea.id} at the screen; exploratory, call it so"
            yield Offer(f"tried:{t.idea.id}.effect", means, _told(t.effect))


def _at(value: object, path: str) -> object:
    for step in path.split("."):
        value = getattr(value, step)
    return value


def _told(value: object) -> str:
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, tuple) and value and all(isinstance(v, float) for v in value):
        return f"[{_number(value[0])}, {_number(value[1])}]"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.4g}"


def _interval(interval: tuple[float, float] | None) -> str:
    return "none" if interval is None else _told(interval)


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= SHORT else f"{flat[: SHORT - 1]}…"

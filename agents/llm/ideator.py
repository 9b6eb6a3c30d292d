"""Ideator: asks for more ideas than are wanted, turns away what cannot be used, and lets the rest compete."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from agents.asking import Asker
from agents.errors import AnswerInvalid, ModelRefused
from agents.llm.ideas import Background, Proposals
from agents.llm.personas import STAGE, Discussion
from agents.llm.settings import IdeaSettings
from agents.llm.sieve import Sieve
from agents.llm.tournament import Judge, Judgement, Tournament, compete
from agents.model import Call
from agents.prompting import render
from agents.records import Idea
from agents.team import Rejected, Request, Tried

TOLD = 40
"""Ideas of the campaign that are told in full, the latest; of the earlier ones the title and what became of them."""


@dataclass
class _Group:
    """Requests that are met together: where they stand among all, what they build on, what was found for them."""

    places: tuple[int, ...]
    bases: tuple[Tried, ...] = ()
    avoid: tuple[str, ...] = ()
    ideas: list[Idea] = field(default_factory=list)


def propose(
    asker: Asker, known: Background, requests: Sequence[Request], settings: IdeaSettings, rng: np.random.Generator
) -> Proposals:
    """Return at most one idea for each request, in the order of the requests.

    Requests of kind `single` are met together. A `combine` gets an idea whose parents are its bases, so that its code
    is to be written into theirs; one of whose bases none ever ran is a `single`. Ids are left empty.

    Raises:
        ModelBudgetSpent: a cap does not allow a call.
        ModelUnavailable: a model cannot be reached.
    """
    groups = _grouped(known, requests)
    rejected = list(_filled(asker, known, groups, settings, int(rng.integers(2**31))))
    tournament = _ranked(asker, known, groups, settings, rng)
    places = {place: idea for group in groups for place, idea in zip(group.places, group.ideas, strict=False)}
    lost = [idea for group in groups for idea in group.ideas[len(group.places) :]]
    rejected += [Rejected(title=idea.title, statement=idea.statement, why="lost the tournament") for idea in lost]
    return Proposals(
        ideas=tuple(places[place] for place in sorted(places)), rejected=tuple(rejected), tournament=tournament
    )


def _grouped(known: Background, requests: Sequence[Request]) -> list[_Group]:
    """Put the singles into one group, and each combination into one of its own."""
    sound = {each.idea.id: each for each in known.tried if each.outcome != "crashed"}
    singles: list[int] = []
    groups = []
    for place, request in enumerate(requests):
        bases = tuple(sound[base] for base in request.bases if base in sound)
        if request.kind == "single" or not bases:
            singles.append(place)
        else:
            groups.append(_Group((place,), bases, request.avoid))
    avoid = tuple(dict.fromkeys(name for place in singles for name in requests[place].avoid))
    return [_Group(tuple(singles), avoid=avoid), *groups] if singles else groups


def _filled(
    asker: Asker, known: Background, groups: Sequence[_Group], settings: IdeaSettings, sample: int
) -> Iterator[Rejected]:
    """Ask for the ideas of each group until there are enough; yield what is turned away."""
    sieve = Sieve(known, settings)
    now: list[Rejected] = []
    discussion = Discussion(asker, settings, {**_setting(known), **_told(known)}, sample)
    for group in groups:
        for _ in range(settings.asks):
            wanted = len(group.places) * settings.oversample - len(group.ideas)
            taken = [idea for each in groups for idea in each.ideas]
            try:
                thoughts = discussion.held(wanted, **_asked(group, taken, now))
            except (AnswerInvalid, ModelRefused) as error:
                now.append(Rejected(title="", statement="", why=str(error)))
                break
            looked = [sieve.look(thought, [base.idea for base in group.bases]) for thought in thoughts]
            group.ideas += [found for found in looked if isinstance(found, Idea)]
            now += [found for found in looked if isinstance(found, Rejected)]
            if len(group.ideas) >= len(group.places):
                break
    yield from now


def _ranked(
    asker: Asker, known: Background, groups: Sequence[_Group], settings: IdeaSettings, rng: np.random.Generator
) -> Tournament | None:
    """Put the ideas of each group that has too many in order, best first."""
    contested = [group for group in groups if len(group.ideas) > len(group.places)]
    if not contested:
        return None
    entrants = [idea for group in contested for idea in group.ideas]
    ends = np.cumsum([len(group.ideas) for group in contested]).tolist()
    members = [range(end - len(group.ideas), end) for group, end in zip(contested, ends, strict=True)]
    judge = _judge(asker, known, entrants, settings.max_tokens)
    tournament = compete([idea.title for idea in entrants], members, judge, settings.tournament, rng)
    for group, mine in zip(contested, members, strict=True):
        group.ideas = [entrants[number] for number in tournament.order if number in mine]
    return tournament


def _judge(asker: Asker, known: Background, entrants: Sequence[Idea], max_tokens: int) -> Judge:
    """Return a judge who sees what two ideas say, and nothing of how they rate themselves."""
    setting = _setting(known)
    shown = [f"{i.title}\n{i.statement}.\n{i.mechanism}" for i in entrants]

    def judged(first: int, second: int) -> Judgement:
        messages = render("judge", **setting, first=shown[first], second=shown[second])
        call = Call(role="judge", stage=STAGE, messages=messages, max_tokens=max_tokens)
        return asker.ask(call, Judgement)

    return judged


def _setting(known: Background) -> dict[str, object]:
    """Return what prompts say of the experiment; it is the same all campaign long."""
    manifest = known.template.manifest
    return {
        "template": manifest,
        "metric": manifest.metric,
        "verb": "raises" if manifest.metric.direction == "maximize" else "lowers",
        "constraints": [f"{each.name}: {each.why}" for each in known.constraints if each.applies_to == "idea"],
        "brief": known.template.brief,
        "sources": [f"{path}\n{text}" for path, text in sorted(known.template.sources().items())],
    }


def _told(known: Background) -> dict[str, object]:
    """Return what prompts say of the literature and of the campaign so far."""
    early, late = known.tried[:-TOLD], known.tried[-TOLD:]
    history = [*(_brief(tried) for tried in early), *(f"{_brief(tried)}: {tried.idea.statement}" for tried in late)]
    works = (
        f"id: {work.id}\nyear: {work.year or 'unknown'}\ntitle: {work.title}\n{work.abstract}" for work in known.chain
    )
    return {
        "works": list(works),
        "history": "\n".join(history),
        "lessons": "\n".join(
            f"- [{lesson.kind}, belief {lesson.belief:.2f}] {lesson.statement}" for lesson in known.lessons
        ),
        "refused": _reasons(known.rejected),
        "remarks": "\n".join(f"- {remark}" for remark in known.remarks),
    }


def _brief(tried: Tried) -> str:
    effect = "" if tried.effect is None else f", effect {tried.effect:+.3g}"
    built = f", built on {' and '.join(tried.idea.parents)}" if tried.idea.parents else ""
    return f"- {tried.idea.id} [{tried.outcome}{effect}{built}] {tried.idea.title}"


def _asked(group: _Group, taken: Sequence[Idea], refused: Sequence[Rejected]) -> dict[str, object]:
    """Return what prompts say of what is wanted now."""
    return {
        "bases": "\n\n".join(f"{_brief(base)}: {base.idea.statement}. {base.idea.mechanism}" for base in group.bases),
        "avoid": ", ".join(group.avoid),
        "taken": "\n".join(f"- {idea.title}: {idea.statement}" for idea in taken),
        "refused_now": _reasons(refused),
    }


def _reasons(rejected: Sequence[Rejected]) -> str:
    return "\n".join(f"- {each.title}: {each.why}" for each in rejected if each.title)

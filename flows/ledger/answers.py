"""Answers: which ones a question allows, and what each changes. Metrics, seeds, levels, evidence are out of reach."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from agents.records import Draft, Idea, Stage
from flows.ledger.chain import Event
from flows.ledger.questions import PAPER, Answer, Moment, Question
from flows.ledger.state import CampaignState

WORDS = {"title": 200, "statement": 1500, "mechanism": 2500}
"""Fields of an idea that a person may word anew, and their greatest length in characters."""
OF_PAPER = {"title": 300, "abstract": 4000}
LEAST = "least_effect"
EDITOR = ", edited by a person"
REASONS = {"person": "rejected by a person", "timeout": "rejected: nobody answered in time"}
NUMBER = re.compile(r"\d+")


def due(state: CampaignState, at: Moment, round_: int) -> tuple[str, ...]:
    """Return the ids of what is to be asked about; none when there is nothing to ask."""
    if at == "ideas":
        return tuple(i.id for i in state.ideas.values() if i.round == round_ and i.id not in state.discarded)
    if at == "plans":
        return state.finalists.get(round_, ())
    return (PAPER,) if state.draft is not None else ()


def asks(state: CampaignState, at: Moment) -> bool:
    """Whether people are asked at this moment of the campaign."""
    return state.spec.get("mode") == "copilot" and at in state.spec.get("people", {}).get("ask_at", ())


def misposed(state: CampaignState, question: Question) -> str:
    """Say why a question may not be asked, or not asked again; empty when it may."""
    if not asks(state, question.at):
        return f"this campaign asks nobody about {question.at}."
    known = state.questions.get(question.id)
    if known is not None:
        if question.id in state.answers:
            return f"{question.id} is answered."
        same = known.model_copy(update={"flow_run": question.flow_run}) == question
        return "" if same else f"{question.id} was another question when it was asked first."
    if question.id != f"q{len(state.questions) + 1}" or state.question_open is not None:
        return f"{question.id} is not the next question, or the one before is not answered."
    if state.asked(question.at, question.round) is not None:
        return f"it was asked about the {question.at} of round {question.round} before."
    if question.asked_about != due(state, question.at, question.round):
        return f"it is not about all of the {question.at} and nothing else."
    return _too_late(state, question)


def fault_of(state: CampaignState, question: Question, answer: Answer) -> str:
    """Say in a sentence why the answer cannot be taken; empty when it can."""
    if question.id in state.answers:
        return f"Question {question.id} is answered already."
    named = [*answer.rejected, *(key.partition(".")[0] for key in answer.edits)]
    if unknown := [name for name in named if name not in question.asked_about]:
        return f"{unknown[0]!r} is not what was asked about: {', '.join(question.asked_about)}."
    if len(set(answer.rejected)) < len(answer.rejected) or set(answer.rejected) & set(named[len(answer.rejected) :]):
        return "Each item can be rejected once, and what is rejected cannot be edited too."
    if answer.decision != decision_of(answer.rejected, answer.edits):
        return f"Decision {answer.decision!r} does not fit what is rejected and edited."
    if late := _too_late(state, question):
        return late
    if answer.by == "timeout":
        return _not_default(state, question, answer)
    return next(_faulty_edits(state, question, answer), "")


def decision_of(rejected: tuple[str, ...], edits: Mapping[str, str]) -> str:
    """Return the decision that rejections and edits come to."""
    return "edit" if edits else "reject" if rejected else "approve"


def taken(state: CampaignState, question: Question, answer: Answer) -> dict[str, Any]:
    """Return what a faultless answer changes in the state beside being known."""
    if question.at == "ideas":
        gone = {id_: REASONS[answer.by] for id_ in answer.rejected}
        ideas = {id_: edited_idea(idea, answer.edits) for id_, idea in state.ideas.items()}
        return {"ideas": ideas, "discarded": {**state.discarded, **gone}}
    if question.at == "paper" and state.draft is not None:
        down = {"turned_down": state.drafts} if answer.rejected else {}
        return {"draft": edited_draft(state.draft, answer.edits), **down}
    return {}


def minutes_waited(events: Iterable[Event]) -> float:
    """Return for how many minutes processes waited for answers; that is no work of the campaign."""
    asked: dict[tuple[str, int], datetime] = {}
    seconds = 0.0
    for event in events:
        if event.kind == "question":
            asked[event.data["id"], event.fence] = event.at
        elif event.kind == "answer" and (since := asked.get((event.data["question"], event.fence))):
            seconds += (event.at - since).total_seconds()
    return seconds / 60


def edited_idea(idea: Idea, edits: Mapping[str, str]) -> Idea:
    """Return the idea with what a person changed of it; without changes the same."""
    mine = {key.partition(".")[2]: text for key, text in edits.items() if key.partition(".")[0] == idea.id}
    if not mine:
        return idea
    changed: dict[str, Any] = {name: float(text) if name == LEAST else _line(text) for name, text in mine.items()}
    by = idea.by if idea.by.endswith(EDITOR) else idea.by + EDITOR
    return idea.model_copy(update={**changed, "by": by})


def edited_draft(draft: Draft, edits: Mapping[str, str]) -> Draft:
    """Return the draft with what a person changed of it; who reads the paper is told."""
    changed = {key.partition(".")[2]: text.strip() for key, text in edits.items()}
    if not changed:
        return draft
    return draft.model_copy(update={**changed, "by": f"{draft.by} ({' and '.join(sorted(changed))}{EDITOR[1:]})"})


def _too_late(state: CampaignState, question: Question) -> str:
    about = set(question.asked_about)
    if question.at == "ideas" and about & {c.idea for c in state.candidates.values()}:
        return "It is too late: some of these ideas are in code already."
    if question.at == "plans" and about & {p.idea for p in state.plans.values() if p.stage is Stage.CONFIRM}:
        return "It is too late: some of these plans are frozen already."
    return "It is too late: the paper is published." if question.at == "paper" and state.paper else ""


def _not_default(state: CampaignState, question: Question, answer: Answer) -> str:
    default = state.spec.get("people", {}).get("on_timeout")
    whole = answer.rejected == (question.asked_about if answer.decision == "reject" else ())
    if answer.decision != default or not whole or answer.remark:
        return f"After the time-out the answer is {default!r}, for everything that was asked about."
    return ""


def _faulty_edits(state: CampaignState, question: Question, answer: Answer) -> Iterator[str]:
    if not answer.remark.isprintable() and not answer.remark.replace("\n", "").isprintable():
        yield "The remark holds characters that no reader sees."
    for key, text in answer.edits.items():
        id_, _, name = key.partition(".")
        if question.at == "ideas":
            yield from _faulty_words(state.ideas[id_], name, text)
        elif question.at == "plans":
            yield "A plan can be approved or rejected, and not edited: seeds, level and rule follow from the design."
        elif name not in OF_PAPER:
            yield f"Of the paper {' and '.join(OF_PAPER)} can be edited, not {name!r}."
        elif not text.strip() or len(text) > OF_PAPER[name]:
            yield f"The {name} takes 1 to {OF_PAPER[name]} characters."


def _faulty_words(idea: Idea, name: str, text: str) -> Iterator[str]:
    if name == LEAST:
        yield from _lowered(idea, text)
    elif name not in WORDS:
        yield f"Of an idea {', '.join((*WORDS, LEAST))} can be edited, not {name!r}."
    elif idea.factors:
        yield f"{idea.id} is the template's own; words do not change what it does. Reject it, or ask more of it."
    elif not _line(text) or len(text) > WORDS[name] or not _line(text).isprintable():
        yield f"The {name} of {idea.id} takes 1 to {WORDS[name]} characters that can be read."
    elif new := set(NUMBER.findall(text)) - set(NUMBER.findall(getattr(idea, name))):
        yield f"The {name} of {idea.id} may hold no number that was not there ({sorted(new)[0]}): it reads as a result."


def _lowered(idea: Idea, text: str) -> Iterator[str]:
    try:
        least = float(text)
    except ValueError:
        yield f"The least effect of {idea.id} is a number, not {text!r}."
        return
    if not math.isfinite(least) or least < idea.least_effect:
        yield f"The least effect of {idea.id} can only be raised: it is {idea.least_effect:g}."


def _line(text: str) -> str:
    return " ".join(text.split())

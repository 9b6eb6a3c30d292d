"""People: what a copilot campaign asks them, how it waits, and what it takes for an answer."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

from prefect.runtime import flow_run

from agents.llm.constraints import violations
from agents.records import Draft, Finding, Review
from flows.errors import AnswerRefused, NobodyAnswered
from flows.ledger.accounts import before_the_paper, dossier
from flows.ledger.answers import asks, due, edited_draft, edited_idea, fault_of
from flows.ledger.questions import PAPER, Answer, Item, Moment, Question
from flows.ledger.state import CampaignState
from flows.opened import OpenCampaign
from flows.papers.faults import draft_faults
from flows.pausing import pause
from templates.template import Template

SILENT = "Whoever runs the campaign did not approve this draft and gave no reason."


def ask(campaign: OpenCampaign, at: Moment, round_: int = 0) -> None:
    """Ask people where the campaign wants that, wait for the answer and journal it; then it has taken effect.

    A question that is answered is not asked again; one that an interruption left open is, under the same id.

    Raises:
        NobodyAnswered: the time is up, and the campaign is to stop then.
    """
    if not asks(campaign.state, at):
        return
    question = _posed(campaign, at, round_)
    if question is None or question.id in campaign.state.answers:
        return
    campaign.append("answer", _answered(campaign, question))


def turned_down(state: CampaignState) -> Review | None:
    """Return a person's rejection of the paper as a review to be answered; None once it is, or where there is none."""
    if state.turned_down is None or state.turned_down != state.drafts:
        return None
    answers = [each for each in state.answers.values() if PAPER in each.rejected]
    finding = Finding(where="discussion", grade="major", text=answers[-1].remark or SILENT)
    return Review(scores={}, findings=(finding,), decision="revise", by="a person")


def refusal(state: CampaignState, template: Template, question: Question, answer: Answer) -> str:
    """Say in a sentence why an answer cannot be taken; empty when it can.

    Beside what any answer must hold: edited ideas must keep the template's constraints, and an edited abstract or
    title must have no fault that the draft does not have.
    """
    if fault := fault_of(state, question, answer):
        return fault
    if question.at == "ideas":
        ideas = [edited_idea(state.ideas[id_], answer.edits) for id_ in question.asked_about]
        changed = [idea for idea in ideas if idea != state.ideas[idea.id]]
        found = [f"{i.id} {why}." for i in changed for why in violations(template.manifest.constraints, i)]
        return found[0] if found else ""
    if question.at == "paper" and answer.edits and state.draft is not None:
        return _fault_of_words(state, template, state.draft, answer.edits)
    return ""


def shown(state: CampaignState, at: Moment, round_: int) -> tuple[Item, ...]:
    """Return what is asked about, in words; none when there is nothing to ask."""
    return tuple(_item(state, at, id_) for id_ in due(state, at, round_))


def _posed(campaign: OpenCampaign, at: Moment, round_: int) -> Question | None:
    """Return the question of this moment, journalled with the flow run that waits for it; None where there is none."""
    state, here = campaign.state, flow_run.id
    question = state.asked(at, round_)
    if question is None:
        items = shown(state, at, round_)
        if not items:
            return None
        question = Question(id=f"q{len(state.questions) + 1}", at=at, round=round_, items=items)
    elif question.id in state.answers:
        return question
    question = question.model_copy(update={"flow_run": None if here is None else str(here)})
    campaign.append("question", question)
    return question


def _answered(campaign: OpenCampaign, question: Question) -> Answer:
    """Wait until there is an answer that can be taken; what cannot be is asked again, with the reason."""
    people, name = campaign.spec.people, campaign.spec.name
    refused = ""
    for attempt in count(1):
        try:
            answer = pause(question, name, max(1, round(60 * people.timeout_minutes)), refused, attempt)
            if answer is None:
                break
            refused = refusal(campaign.state, campaign.template, question, answer)
        except AnswerRefused as error:
            refused = str(error)
            continue
        if not refused:
            return answer
    if people.on_timeout == "stop":
        raise NobodyAnswered(name, question.id)
    rejected = question.asked_about if people.on_timeout == "reject" else ()
    return Answer(question=question.id, by="timeout", decision=people.on_timeout, rejected=rejected)


def _item(state: CampaignState, at: Moment, id_: str) -> Item:
    if at == PAPER:
        draft = state.draft
        assert draft is not None, "it is due once there is a draft"
        return Item(id=id_, title=draft.title, text=draft.abstract)
    idea = state.ideas[id_]
    if at == "ideas":
        promise = f"Predicts {idea.metric} better by at least {idea.least_effect:g}."
        return Item(id=id_, title=idea.title, text=f"{idea.statement}. {idea.mechanism} {promise}")
    seen, candidate = state.screened[id_], state.candidate_of(id_)
    screen = "gave no number" if seen.effect is None else f"saw {seen.effect:+.4g} over {seen.n} seeds"
    plan = (
        f"A registered test of {candidate.id} against the baseline on fresh seeds and held-out data: {idea.metric} "
        f"better by at least {idea.least_effect:g}. The screen {screen}, {'' if seen.passed else 'not '}promising."
    )
    return Item(id=id_, title=idea.title, text=plan)


def _fault_of_words(state: CampaignState, template: Template, draft: Draft, edits: Mapping[str, str]) -> str:
    evidence = before_the_paper(dossier(state))
    before = set(draft_faults(draft, evidence, template))
    new = [why for why in draft_faults(edited_draft(draft, edits), evidence, template) if why not in before]
    return f"{new[0].rstrip('.')}." if new else ""

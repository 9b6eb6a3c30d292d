"""Pausing: a question as a form of the Prefect UI, and the flow run that waits for it."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from prefect import pause_flow_run
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.exceptions import FlowPauseTimeout
from prefect.input import RunInput
from prefect.input.actions import read_flow_run_input
from prefect.input.run_input import keyset_from_base_key
from prefect.states import Running
from pydantic import BaseModel, Field, ValidationError, create_model

from flows.errors import AnswerRefused
from flows.ledger.answers import decision_of
from flows.ledger.questions import Answer, Question

POLL_S = 2


class Edit(BaseModel):
    """A new text for one of the things that are asked about."""

    what: str = Field(description="For example i3.statement, i3.title, i3.mechanism, i3.least_effect, paper.abstract")
    text: str


class Form(RunInput):
    """What a person fills in. A rejection that names nothing rejects everything."""

    decision: Literal["approve", "reject", "edit"]
    reject: list[str] = Field(default=[], description="Ids of what is rejected; none: with reject, everything")
    edits: list[Edit] = []
    remark: str = Field(default="", description="Is told to those who go on with it, and changes no evidence")


def pause(question: Question, name: str, seconds: int, refused: str, attempt: int) -> Answer | None:
    """Pause this flow run until somebody answers in the Prefect UI or by `hypoloop answer`; None when time is up.

    `refused` says why the answer before this `attempt` could not be taken.

    Raises:
        AnswerRefused: what was filled in contradicts itself.
    """
    key = f"{question.id}-{attempt}"
    form = _form(question).with_initial_data(description=told(question, name, refused))
    try:
        filled = pause_flow_run(wait_for_input=form, timeout=seconds, poll_interval=min(POLL_S, seconds), key=key)
    except FlowPauseTimeout:
        late = _go_on(key)
        return None if late is None else answer_of(question, late)
    except ValidationError as error:
        raise AnswerRefused("The run was resumed without the form.") from error
    return answer_of(question, filled.model_dump(include=set(Form.model_fields)))


def answer_of(question: Question, filled: dict[str, Any]) -> Answer:
    """Return what a person filled in as an answer.

    Raises:
        AnswerRefused: it contradicts itself.
    """
    form = Form.model_validate(filled)
    rejected = tuple(dict.fromkeys(form.reject)) if form.reject or form.decision != "reject" else question.asked_about
    edits = {edit.what: edit.text for edit in form.edits}
    if decision_of(rejected, edits) != form.decision:
        raise AnswerRefused(f"Decision {form.decision!r} does not fit what is rejected and edited.")
    if len(form.remark) > 4000:
        raise AnswerRefused("A remark takes 4000 characters at the most.")
    return Answer(
        question=question.id, by="person", decision=form.decision, rejected=rejected, edits=edits, remark=form.remark
    )


def filled_in(answer: Answer) -> dict[str, Any]:
    """Return an answer as somebody would have filled it in."""
    edits = [Edit(what=what, text=text) for what, text in answer.edits.items()]
    return Form(
        decision=answer.decision, reject=list(answer.rejected), edits=edits, remark=answer.remark
    ).model_dump(mode="json")  # fmt: skip


def told(question: Question, name: str, refused: str = "") -> str:
    """Return a question in Markdown."""
    about = "the paper" if question.at == "paper" else f"the {question.at} of round {question.round}"
    parts = [f"Campaign {name} asks about {about} ({question.id})."]
    if refused:
        parts.append(f"**The last answer could not be taken:** {refused}")
    parts += [f"**{item.id}: {item.title}**\n\n{item.text}" for item in question.items]
    return "\n\n".join(parts)


def _form(question: Question) -> type[Form]:
    """Return the form on which only what is asked about can be rejected."""
    known = {"items": {"type": "string", "enum": list(question.asked_about)}}
    inherited = Form.model_fields["reject"]
    listed = Annotated[list[str], Field(description=inherited.description, json_schema_extra=dict(known))]
    made: type[Form] = create_model("Form", __base__=Form, reject=(listed, []))
    return made


def _go_on(key: str) -> dict[str, Any] | None:
    """Let the flow run go on after the time-out; return what was filled in at the last moment, if anything was."""
    context = FlowRunContext.get()
    assert context is not None, "only a flow run pauses"
    assert context.flow_run is not None, "only a flow run pauses"
    here: UUID = context.flow_run.id
    with get_client(sync_client=True) as client:
        # The server fails a run whose pause has expired, and takes no answer from then on.
        client.set_flow_run_state(here, Running(message="Nobody answered in time."), force=True)
    filled: Any = read_flow_run_input(keyset_from_base_key(f"paused-{key}")["response"], here)
    return dict(filled) if filled else None

"""Answering: a person's answer from the command line, told to the process that waits, or journalled where none does."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from flows.errors import AnswerRefused, CampaignClosed
from flows.ledger.answers import decision_of, fault_of
from flows.ledger.chain import Event
from flows.ledger.folds import reduce_events
from flows.ledger.journal import FileJournal
from flows.ledger.lease import Holder, Lease, holder_of
from flows.ledger.questions import PAPER, Answer, Question
from flows.ledger.reading import read_campaign, read_events
from flows.ledger.state import CampaignState
from flows.reporting import template_of
from flows.settings import campaign_folder

ALL = "all"
WAIT_S = 60.0


def question_of(state: CampaignState) -> Question:
    """Return what the campaign asks now.

    Raises:
        CampaignClosed: it has ended.
        AnswerRefused: it asks nothing.
    """
    if state.closed is not None:
        raise CampaignClosed(state.name)
    if state.question_open is None:
        raise AnswerRefused(
            f"Campaign {state.name!r} asks nothing now. See where it stands: hypoloop status {state.name}"
        )
    return state.question_open


def given(
    question: Question, approve: bool, reject: Sequence[str], edits: Sequence[tuple[str, str]], remark: str
) -> Answer:
    """Return an answer out of what was typed: `all` rejects everything, an edit of `i3` is one of its statement.

    Raises:
        AnswerRefused: it decides nothing, or two things at once.
    """
    if approve == bool(reject or edits):
        raise AnswerRefused("Say either --approve, or what to --reject and to --edit.")
    keys = [_key(question, what) for what, _ in edits]
    if len(set(keys)) < len(keys):
        raise AnswerRefused("The same text is edited twice.")
    texts = dict(zip(keys, (text for _, text in edits), strict=True))
    rejected = question.asked_about if ALL in reject else tuple(dict.fromkeys(reject))
    try:
        return Answer.model_validate(
            {"question": question.id, "by": "person", "decision": decision_of(rejected, texts),
             "rejected": rejected, "edits": texts, "remark": remark}
        )  # fmt: skip
    except ValidationError as error:
        raise AnswerRefused("A remark takes 4000 characters at the most.") from error


def give(home: Path, name: str, answer: Answer, wait: Callable[[float], None] = time.sleep) -> bool:
    """Give the answer to campaign `name`; say whether a process took it that waited for it.

    Where nobody works on the campaign, the answer is journalled here and `hypoloop resume` goes on from it.

    Raises:
        AnswerRefused: the question does not allow it, or the process that waits did not take it.
        ServerFailed: the Prefect server of the process that waits does not answer.
    """
    folder = campaign_folder(home, name)
    state = read_campaign(home, name)
    question = question_of(state)
    holder = holder_of(folder)
    if holder is not None:
        _use_server(home)
    from flows.people import refusal  # Brings prefect along, which reads at its import what the line before has set.

    if why := refusal(state, template_of(state), question, answer):
        raise AnswerRefused(why)
    if holder is None:
        _journal(folder, answer)
        return False
    _tell(home, name, holder, answer, wait)
    return True


def _key(question: Question, what: str) -> str:
    if "." in what:
        return what
    if question.at == PAPER:
        return f"{PAPER}.{what}"
    return f"{what}.statement"


def _journal(folder: Path, answer: Answer) -> None:
    with ExitStack() as stack:
        lease = stack.enter_context(Lease.acquire(folder, _now))
        journal = stack.enter_context(FileJournal(folder / "journal.jsonl", _now, lease.token))
        # Looked at once more under the lease: another process may have answered in between.
        state = reduce_events(journal.events())
        if why := fault_of(state, question_of(state), answer):
            raise AnswerRefused(why)
        journal.append("answer", answer)


def _tell(home: Path, name: str, holder: Holder, answer: Answer, wait: Callable[[float], None]) -> None:
    """Resume the flow run that waits, and see that the campaign journals the answer."""
    from prefect.client.orchestration import get_client

    why = "it does not wait for an answer yet"
    with get_client(sync_client=True) as client:
        for _ in range(int(WAIT_S)):
            # A run that a dead process left paused would take the answer too, and nobody would hear it.
            run = _waiting(read_events(home, name), holder, answer.question)
            if run is not None:
                result = client.resume_flow_run(run, _filled(answer))
                if str(result.status.value) == "ACCEPT":
                    break
                why = getattr(result.details, "reason", None) or "the server refused it"
            wait(1.0)
        else:
            raise AnswerRefused(f"Campaign {name!r} did not take the answer: {why}. Try again in a while.")
    for _ in range(int(WAIT_S)):
        if answer.question in read_campaign(home, name).answers:
            return
        wait(1.0)
    raise AnswerRefused(f"Campaign {name!r} was told and has not journalled the answer. See: hypoloop status {name}")


def _waiting(events: Sequence[Event], holder: Holder, question: str) -> UUID | None:
    """Return the flow run in which the process that holds the campaign asks the question."""
    asked = [e for e in events if e.kind == "question" and e.fence == holder.token and e.data["id"] == question]
    run: str | None = asked[-1].data["flow_run"] if asked else None
    return UUID(run) if run else None


def _filled(answer: Answer) -> dict[str, Any]:
    from flows.pausing import filled_in

    return filled_in(answer)


def _use_server(home: Path) -> None:
    """Make this process a client of the campaign's server; prefect, once imported, would start one of its own."""
    from flows.errors import ServerFailed
    from flows.server import find_server

    server = find_server(home)
    if server is None:
        raise ServerFailed("The campaign runs, but its Prefect server does not answer. Wait a moment and try again.")
    os.environ.update(server.client_environment())


def _now() -> datetime:
    return datetime.now(UTC)

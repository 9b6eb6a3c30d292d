"""Coder and repairer: an idea, or a crash, becomes a patch through typed actions on the candidate's files in memory.

What a model writes is run by `check` alone, which is the sandbox's. Nothing is written to a disk here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agents.asking import Asker
from agents.errors import AnswerInvalid, ModelRefused, PatchFailed
from agents.llm.actions import Action, Checked, act, told
from agents.llm.desk import Desk
from agents.llm.implicated import code_of, implicated, outline, plain
from agents.llm.settings import CoderSettings
from agents.model import Call, Message
from agents.prompting import render
from agents.records import Edit, Execution, Idea, Patch, Record
from templates.template import Template

BY = "llm"
STAGE = "code"
LOOKS = ("read", "search")
SUMMARY_CHARACTERS = 400
LEAST_SHOWN = 400


class Trace(Record):
    """How a patch came about: answers asked for, checks run, actions by kind, how many were refused.

    `ran`: whether the last check of just this text ran; None when it was not checked.
    """

    turns: int
    checks: int
    actions: Mapping[str, int]
    refused: int
    ran: bool | None


class Coded(Record):
    """A patch and how it came about."""

    patch: Patch
    trace: Trace


def _nothing_violated(files: Mapping[str, str]) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True)
class Workshop:
    """What the coder works with: who is asked, the sandbox's quick check, the constraints, the caps.

    `check` runs the texts of all editable files; `refuse` names the constraints that they violate; `remarks` are what
    people said.
    """

    asker: Asker
    check: Callable[[Mapping[str, str]], Checked]
    refuse: Callable[[Mapping[str, str]], tuple[str, ...]] = _nothing_violated
    settings: CoderSettings = CoderSettings()
    remarks: tuple[str, ...] = ()


def code(shop: Workshop, template: Template, idea: Idea, sources: Mapping[str, str]) -> Coded:
    """Put the idea into code. `sources` maps editable paths to the text that is built on.

    Raises:
        PatchFailed: the model gave up, did not finish, would not answer, or only went in circles; it says which.
        ModelBudgetSpent: a cap does not allow the next call.
        ModelUnavailable: the endpoint does not answer.
    """
    desk, caps = Desk.of(template, sources), shop.settings
    whole = sum(map(len, sources.values())) <= caps.sources
    files, remarks = _whole(sources) if whole else outline(sources), "\n".join(f"- {each}" for each in shop.remarks)
    opening = _opening("coder", shop, template, idea, files=files, whole=whole, remarks=remarks)
    return _Session(shop, "coder", idea, desk, opening).run()


def repair(
    shop: Workshop, template: Template, idea: Idea, sources: Mapping[str, str], failed: Execution, log: str
) -> Coded:
    """Mend the candidate that crashed; `sources` are its texts. One round of repair.

    The model sees the log and the code that its traceback runs through, not the whole tree.

    Raises:
        PatchFailed: the model gave up, did not finish, would not answer, or only went in circles; it says which.
        ModelBudgetSpent: a cap does not allow the next call.
        ModelUnavailable: the endpoint does not answer.
    """
    desk, caps = Desk.of(template, sources), shop.settings
    found = implicated(log, sources)
    opening = _opening(
        "repair",
        shop,
        template,
        idea,
        outcome=failed.outcome,
        reason=plain(failed.reason, sources),
        log=plain(log, sources),
        code=code_of(found, sources, caps.sources),
        outline=outline(sources),
    )
    return _Session(shop, "repairer", idea, desk, opening).run()


def _opening(name: str, shop: Workshop, template: Template, idea: Idea, **values: object) -> tuple[Message, ...]:
    return (
        *render("coder_actions"),
        *render(name, template=template.manifest, brief=template.brief, idea=idea, caps=shop.settings, **values),
    )


def _whole(sources: Mapping[str, str]) -> str:
    return "\n\n".join(f"# {path}\n{text}" for path, text in sources.items())


class _Session:
    """One conversation of turns: an action, then what came of it."""

    def __init__(self, shop: Workshop, role: str, idea: Idea, desk: Desk, opening: tuple[Message, ...]) -> None:
        self._shop, self._role, self._idea, self._opening = shop, role, idea, opening
        self._before, self._desk = desk.files, desk
        self._turns: list[Message] = []
        self._actions: Counter[str] = Counter()
        self._refusals: Counter[tuple[str, str]] = Counter()
        self._checks: list[tuple[Mapping[str, str], Checked]] = []
        self._shown = self._asked = 0

    def run(self) -> Coded:
        """Take turns until a patch is done.

        Raises:
            PatchFailed: there is none.
        """
        while self._asked < self._shop.settings.turns:
            action = self._next()
            if action is None:
                continue
            self._actions[action.action] += 1
            if action.action == "give_up":
                raise PatchFailed(f"The {self._role} gave up: {_line(action.text)}")
            fault = self._answer(action)
            if action.action == "done" and not fault:
                return self._coded(action)
        raise PatchFailed(f"The {self._role} did not finish within {self._shop.settings.turns} turns.")

    def _next(self) -> Action | None:
        """Ask for an action; None when the answer was none, which the model is told."""
        self._asked += 1
        call = Call(
            role=self._role,
            stage=STAGE,
            about=self._idea.id,
            messages=(*self._opening, *self._turns),
            max_tokens=self._shop.settings.max_tokens,
        )
        try:
            return self._shop.asker.ask(call, Action, Action.lacking)
        except ModelRefused as error:
            raise PatchFailed(str(error)) from error
        except AnswerInvalid as error:
            fault = f"Your answer could not be used ({error.why}). Answer with one short JSON object."
            self._say("{}", fault)
            self._count("answer", fault)
            return None

    def _answer(self, action: Action) -> str:
        """Do what is asked; return the refusal, empty when it was done."""
        caps = self._shop.settings
        cap = min(caps.shown, caps.shown_in_all - self._shown)
        if action.action in ("check", "done"):
            fault, text = self._judged(action.action, max(cap, LEAST_SHOWN))
        elif action.action in LOOKS and cap < LEAST_SHOWN:
            fault = text = "No more text can be shown. Finish with edits, check, done or give_up."
        else:
            said = act(self._desk, action, cap)
            self._desk, text, fault = said.desk, said.text, said.text if said.refused else ""
        self._say(action.plain(), text)
        if fault:
            self._count(action.same_as(), fault)
        return fault

    def _judged(self, kind: str, cap: int) -> tuple[str, str]:
        """Return why the desk is not done, and what to say; `check` runs it, `done` does where it was not run."""
        fault = self._desk.fault(self._before)
        if not fault and (violated := self._shop.refuse(self._desk.files)):
            fault = f"The patch violates what this template demands: {'; '.join(violated)}."
        if fault:
            return fault, fault
        last = self._last_check()
        if kind == "check" and last is not None:
            again = "Nothing changed since the last check."
            return again, again
        if last is None and len(self._checks) < self._shop.settings.checks:
            last = self._shop.check(self._desk.files)
            self._checks.append((self._desk.files, last))
        elif kind == "check":
            spent = f"All {self._shop.settings.checks} checks are spent. Finish with done or give_up."
            return spent, spent
        text = told(last, plain(last.log, self._desk.files), cap) if last else "Taken."
        refused = kind == "done" and last is not None and not last.ran
        return "The patch does not run." if refused else "", text

    def _last_check(self) -> Checked | None:
        """What came of the check of just these texts, if there was one."""
        return next((checked for files, checked in reversed(self._checks) if files == self._desk.files), None)

    def _say(self, answer: str, text: str) -> None:
        """Keep a turn of the conversation."""
        caps = self._shop.settings
        left = f"({caps.turns - self._asked} turns and {caps.checks - len(self._checks)} checks are left.)"
        self._turns += [Message(role="assistant", content=answer), Message(role="user", content=f"{text}\n{left}")]
        self._shown += len(answer) + len(text)
        if self._shown > 2 * caps.shown_in_all:
            raise PatchFailed(f"The {self._role} wrote more than a session holds ({2 * caps.shown_in_all} characters).")

    def _count(self, asked: str, fault: str) -> None:
        """Count a refusal; the same thing refused for the same reason too often ends the session."""
        self._refusals[asked, fault] += 1
        often = self._shop.settings.stubborn
        if self._refusals[asked, fault] >= often:
            raise PatchFailed(f"The {self._role} did the same {often} times although it failed: {_line(fault)}")

    def _coded(self, action: Action) -> Coded:
        edits = tuple(Edit(path=path, text=text) for path, text in self._desk.changes(self._before).items())
        last = self._last_check()
        trace = Trace(
            turns=self._asked,
            checks=len(self._checks),
            actions=dict(sorted(self._actions.items())),
            refused=self._refusals.total(),
            ran=last.ran if last else None,
        )
        summary = f"{self._idea.title}: {_line(action.text)}"
        return Coded(patch=Patch(idea=self._idea.id, summary=summary, edits=edits, by=BY), trace=trace)


def _line(text: str) -> str:
    """Return a model's sentence as one printable line."""
    words = "".join(character if character.isprintable() else " " for character in text).split()
    return " ".join(words)[:SUMMARY_CHARACTERS]

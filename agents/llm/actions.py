"""The coder's typed actions: one a turn, as one flat JSON object; each answered with a sentence and, where asked, text.

Reading and changing happen on the desk alone. Whatever text is shown goes out as data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from agents.asking import Answer
from agents.errors import PatchFailed
from agents.llm.desk import Desk, syntax_fault
from agents.llm.diffs import with_diff
from agents.llm.implicated import numbered
from agents.prompting import data
from agents.records import Record

Kind = Literal["read", "search", "edit", "write", "diff", "check", "done", "give_up"]
HITS = 40
LINE_CHARACTERS = 200
NEEDS = {
    "read": ("path",),
    "search": ("text",),
    "edit": ("path", "old"),
    "write": ("path",),
    "diff": ("text",),
    "done": ("text",),
    "give_up": ("text",),
}


class Action(Answer):
    """What the model wants done. Fields that an action does not name are ignored."""

    thought: str = Field(default="", max_length=4000, description="why, in a sentence or two")
    action: Kind
    path: str = Field(default="", max_length=300, description="read, edit, write: which file")
    from_line: int = Field(default=1, description="read: the first line, counted from 1")
    to_line: int = Field(default=0, description="read: the last line; 0 for the end of the file")
    old: str = Field(default="", max_length=60_000, description="edit: text that is in the file exactly once")
    new: str = Field(default="", max_length=60_000, description="edit: what stands in its place")
    text: str = Field(
        default="",
        max_length=60_000,
        description="search: what to find; write: the whole file; diff: a unified diff; done, give_up: a sentence",
    )

    def lacking(self) -> str:
        """Say what the action needs and lacks; empty when it is complete."""
        missing = [name for name in NEEDS.get(self.action, ()) if not str(getattr(self, name)).strip()]
        return f"the action {self.action} needs {' and '.join(missing)}" if missing else ""

    def plain(self) -> str:
        """Return the action as JSON without what it leaves out: as the conversation keeps it."""
        return self.model_dump_json(exclude_defaults=True)

    def same_as(self) -> str:
        """Return what two actions share that do the same."""
        return self.model_dump_json(exclude={"thought"})


class Checked(Record):
    """What came of a quick run in the sandbox. No metric is in it: nobody tunes by it.

    `ran`: nothing went wrong as far as it was run. `outcome` is a sandbox's, or `invalid` when declared output is
    missing; `reason` says what the outcome alone does not; `log` is what the program wrote, capped.
    """

    ran: bool
    outcome: str
    reason: str = ""
    log: str = ""
    wall_s: float = Field(default=0.0, ge=0)


@dataclass(frozen=True)
class Said:
    """The desk after an action and what the model is told; `refused` when nothing was done."""

    desk: Desk
    text: str
    refused: bool = False


def act(desk: Desk, action: Action, cap: int) -> Said:
    """Carry out an action that reads or changes the desk, showing at most `cap` characters of any file."""
    try:
        if action.action == "read":
            return Said(desk, _read(desk, action, cap))
        if action.action == "search":
            return Said(desk, _search(desk, action.text, cap))
        changed = _changed(desk, action)
    except PatchFailed as error:
        return Said(desk, str(error), refused=True)
    paths = list(changed.changes(desk.files))
    if not paths:
        return Said(desk, "That changes nothing: the file reads so already.", refused=True)
    faults = [fault for path in paths if (fault := syntax_fault(path, changed.files[path]))]
    return Said(changed, " ".join([f"Changed: {', '.join(paths)}.", *faults]))


def told(checked: Checked, log: str, cap: int) -> str:
    """Say what came of a check, its `log` as data."""
    if checked.ran:
        said = "The check: it ran" + (" to its end." if checked.outcome == "ok" else " as long as a check may.")
    else:
        said = f"The check: it does not run. The outcome is {checked.outcome}."
    reason = data(checked.reason, "reason", 600) if checked.reason else ""
    return "\n".join(part for part in (said, reason, data(log, "log", cap) if log.strip() else "") if part)


def _changed(desk: Desk, action: Action) -> Desk:
    if action.action == "edit":
        return desk.with_replaced(action.path, action.old, action.new)
    if action.action == "write":
        return desk.with_text(action.path, action.text)
    return with_diff(desk, action.text)


def _read(desk: Desk, action: Action, cap: int) -> str:
    text = desk.text(action.path)
    count = text.count("\n") + (not text.endswith("\n"))
    first, last = max(action.from_line, 1), min(action.to_line if action.to_line > 0 else count, count)
    if first > last:
        raise PatchFailed(f"{action.path} has {count} lines; none of them is from {first} to {last}.")
    lines = numbered(text, first, last)
    while len(lines) > cap and last > first:
        last -= max(1, (last - first) // 8)
        lines = numbered(text, first, last)
    return f"{action.path}, lines {first} to {last} of {count}:\n{data(lines, 'file', cap)}"


def _search(desk: Desk, wanted: str, cap: int) -> str:
    hits = [
        f"{path}:{number}: {line.strip()[:LINE_CHARACTERS]}"
        for path, text in sorted(desk.files.items())
        for number, line in enumerate(text.split("\n"), 1)
        if wanted in line
    ]
    if not hits:
        raise PatchFailed("No line of any editable file holds that text. The search is exact, within one line.")
    more = f" The first {HITS} are shown." if len(hits) > HITS else ""
    plural = "line holds" if len(hits) == 1 else "lines hold"
    lines = "\n".join(hits[:HITS])
    return f"{len(hits)} {plural} it.{more}\n{data(lines, 'lines', cap)}"

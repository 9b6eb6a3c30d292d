"""A scripted scientist for the template on noise: it answers by the shape that is asked for.

One of its ideas works, one crashes and is mended, one says again what another said, one is worth nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from agents.embedded.checks import prose
from agents.embedded.writer import write as write_embedded
from agents.model import Call
from flows.ledger.accounts import before_the_paper, dossier

if TYPE_CHECKING:
    from tests.thinking.playing import LlmPlayed

GOOD, BROKEN, IDLE, SECOND = "A steady source", "A silent start", "A source under an idle clock", "Eager polling"
EDITS: Mapping[str, tuple[str, str]] = {
    GOOD: ("STEADY = 0", "STEADY = 1"),
    BROKEN: ("LOUD = 0", "LOUD = undefined"),
    IDLE: ("IDLE = 0", "IDLE = 1"),
    SECOND: ("EAGER = 0", "EAGER = 1"),
}
"""Title -> what the coder replaces by what."""
MENDED = ("LOUD = undefined", "LOUD = 1")
PLACES = re.compile(r"(?:Write the section|on the part) `(\w+)`")


def thought(title: str, statement: str, mechanism: str, **more: object) -> dict[str, object]:
    """Return one idea of the ideator's answer."""
    told = {"metric": "loss", "direction": "lowers", "least_effect": 0.3, "expected_effect": 1.0}
    return {"title": title, "statement": statement, "mechanism": mechanism, **told, **more}


THOUGHTS = (
    thought(GOOD, "Damping the oscillator lowers the loss", "Damped oscillation leaves fewer outliers in each record."),
    thought(BROKEN, "Muting the warm-up lowers the loss", "Transients at the beginning are recorded as if real."),
    thought(IDLE, "Slowing the clock divider lowers the loss", "Fewer ticks couple into the antenna by crosstalk."),
    thought(GOOD, "Damping the oscillator lowers the loss", "Damped oscillation leaves fewer outliers in records."),
    thought(SECOND, "Polling the sensor more often lowers the loss", "Samples taken in time are less stale."),
    thought("Anything better", "It lowers the loss", ""),
)


class Rule:
    """Answers a call by the name of the shape it asks for. Set `played` before the campaign comes to its paper."""

    def __init__(self) -> None:
        self.played: LlmPlayed | None = None
        self.asked: Counter[str] = Counter()

    def __call__(self, call: Call) -> Mapping[str, object]:
        """Answer one call."""
        self.asked[call.answer] += 1
        answer: Mapping[str, object] = getattr(self, f"_{call.answer.lower()}")(call)
        return answer

    def _thoughts(self, call: Call) -> object:
        return {"ideas": THOUGHTS}

    def _judgement(self, call: Call) -> object:
        titles = [str(each["title"]) for each in THOUGHTS]
        last = call.messages[-1].content
        first, second = (min((t for t in titles if t in part), key=titles.index) for part in last.split("The second:"))
        better = "first" if titles.index(first) < titles.index(second) else "second"
        return {"reason": "By its mechanism.", "better": better}

    def _action(self, call: Call) -> object:
        if any(message.role == "assistant" for message in call.messages):
            return {"action": "done", "text": "The constant is set."}
        text = text_of(call)
        old, new = MENDED if call.role == "repairer" else next(EDITS[title] for title in EDITS if title in text)
        return {"action": "edit", "path": "workload/run.py", "old": old, "new": new}

    def _reading(self, call: Call) -> object:
        statement = "Whatever damps the source pays, because outliers weigh most in the loss."
        bearing = [{"idea": "i1", "does": "follows"}]
        return {"principles": [{"statement": statement, "expected": "likely", "ideas": bearing}], "dead_ends": []}

    def _doubts(self, call: Call) -> object:
        return {"doubts": []}

    def _outline(self, call: Call) -> object:
        return {"thread": "What held, and what did not.", "sections": []}

    def _prose(self, call: Call) -> object:
        place = place_of(call)
        return {"title": self.titles()[place], "body": self.parts()[place]}

    def _revised(self, call: Call) -> object:
        place = place_of(call)
        count = len(re.findall(r"^\s*(\d+)[.:)]", call.messages[-1].content, re.MULTILINE)) or 1
        answers = [{"finding": number, "said": "This is now said plainly."} for number in range(1, count + 1)]
        return {"title": self.titles()[place], "body": self.parts()[place], "answers": answers}

    def _form(self, call: Call) -> object:
        levels = {"soundness": "good", "presentation": "good", "contribution": "fair"}
        weak = {"where": "discussion", "grade": "major", "text": "What was not tested is not said plainly enough."}
        weaknesses = {"weaknesses": [weak], "decision": "borderline", "confidence": "high"}
        return {"summary": "A report on tests.", **levels, **weaknesses}

    def _ruling(self, call: Call) -> object:
        weak = {"where": "discussion", "grade": "major", "text": "What was not tested is not said plainly enough."}
        return {"reasons": "Sound, and worth one revision.", "findings": [weak], "decision": "revise"}

    def _objections(self, call: Call) -> object:
        return {"objections": []}

    def parts(self) -> dict[str, str]:
        """Return the embedded writer's text of each place, drafted from the campaign's own journal."""
        draft = self._draft()
        return {**prose(draft), "opening": draft.abstract}

    def titles(self) -> dict[str, str]:
        """Return its headings."""
        draft = self._draft()
        return {section.key: section.title for section in draft.sections} | {"opening": draft.title}

    def _draft(self) -> Any:
        assert self.played is not None
        return write_embedded(self.played.template, before_the_paper(dossier(self.played.state)))


def text_of(call: Call) -> str:
    """Return all that was said in a call."""
    return "\n".join(message.content for message in call.messages)


def place_of(call: Call) -> str:
    """Return the part of the paper that a call of the writer is about."""
    found = PLACES.search("\n".join(m.content for m in call.messages if m.role == "user"))
    return found[1] if found else "opening"

"""Models that think nothing: one answers from a script, one from calls that were kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from threading import Lock

from agents.asking import CallStore
from agents.errors import ModelUnavailable
from agents.model import Call, Reply
from agents.tokens import estimated

Line = str | Mapping[str, object] | Reply | Exception
"""What a script says for one call: a text, an object that is sent as JSON, a whole reply, or what to raise."""


class ScriptedModel:
    """Answers by `answers`: its lines one after the other, or what it returns for a call. Safe to share by threads.

    `calls` is what was asked, in order.
    """

    def __init__(self, answers: Sequence[Line] | Callable[[Call], Line], name: str = "scripted") -> None:
        """Answer by `answers` under `name`."""
        self.name = name
        self.calls: list[Call] = []
        self._answers = answers
        self._lock = Lock()

    def complete(self, call: Call) -> Reply:
        """Return what the script says.

        Raises:
            ModelUnavailable: the script has come to its end.
            Exception: the script says so.
        """
        with self._lock:
            number = len(self.calls)
            self.calls.append(call)
        line = self._answers(call) if callable(self._answers) else self._line(number, call)
        if isinstance(line, Exception):
            raise line
        if isinstance(line, Reply):
            return line
        text = line if isinstance(line, str) else json.dumps(line)
        return Reply(text=text, usage=estimated(call, text), model=self.name)

    def _line(self, number: int, call: Call) -> Line:
        assert not callable(self._answers)
        if number < len(self._answers):
            return self._answers[number]
        raise ModelUnavailable(
            f"The script of {self.name!r} has {len(self._answers)} answers, and the {call.role} asks once more "
            f"({_named(call)}). Add one."
        )


class Recorded:
    """Answers as the model `name` did when the calls in `calls` were kept, and nothing else."""

    def __init__(self, calls: CallStore, name: str) -> None:
        """Answer out of `calls` for the model `name`."""
        self.name = name
        self._calls = calls

    def complete(self, call: Call) -> Reply:
        """Return the reply that was kept.

        Raises:
            ModelUnavailable: this call was never kept.
        """
        key = call.key(self.name)
        stored = self._calls.get(key)
        if stored is None:
            raise ModelUnavailable(
                f"The recording has no answer of {self.name} to the {call.role} ({_named(call)}, key {key[:12]}). It "
                "was made with other settings, prompts or results; run without it to ask the model."
            )
        return stored.reply


def _named(call: Call) -> str:
    return " ".join(filter(None, (f"stage {call.stage}", call.about and f"about {call.about}", call.answer)))

"""Calls, and a real client for the scripted endpoint whose waits take no time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np

from agents.asking import Answer, Asker, CallStore, Meter, Stored
from agents.metering import Purse
from agents.model import Call, Message, Model, Reply, Usage
from agents.openai_model import ModelSettings, OpenAIModel
from agents.retrying import Pace
from agents.storing import Kept
from tests.agents.endpoint import Endpoint

KEY = "sk-planted-0123456789abcdef"
NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


class Verdict(Answer):
    """A small answer."""

    better: bool
    why: str = ""


def call(text: str = "Which is better?", **more: Any) -> Call:
    messages = (Message(role="system", content="You judge."), Message(role="user", content=text))
    return Call(**{"role": "judge", "stage": "ideas", "messages": messages, "max_tokens": 100, **more})


def shaped(text: str = "Which is better?", **more: Any) -> Call:
    return call(text, answer="Verdict", shape=Verdict.model_json_schema(), **more)


def stored(
    text: str = "yes", price: float | None = 0.5, model: str = "scripted", usage: Usage | None = None, **more: Any
) -> Stored:
    reply = Reply(text=text, usage=usage or Usage(input=10, output=5), model=model)
    return Stored(call=call(**more), reply=reply, price=price)


class Waits:
    """A pace whose sleeps take no time and are written down."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.pace = Pace(sleep=self.slept.append, now=lambda: NOW, rng=np.random.default_rng(1))


def settings(endpoint: Endpoint, **more: Any) -> ModelSettings:
    return ModelSettings.model_validate({"base_url": endpoint.url, "model": "m-1", "timeout_s": 5, **more})


def model(endpoint: Endpoint, waits: Waits | None = None, key: str | None = KEY, **more: Any) -> OpenAIModel:
    return OpenAIModel(settings(endpoint, **more), key, (waits or Waits()).pace)


def asker(
    model: Model, calls: CallStore | None = None, meter: Meter | None = None, told: Callable[..., None] | None = None
) -> Asker:
    return Asker({"": model}, Kept() if calls is None else calls, meter or Purse(), told or (lambda key, stored: None))

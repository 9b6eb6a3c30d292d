"""Eight calls at a time against a cap: never a token or a cent too much, and the campaign closes with a paper."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Lock
from typing import Any

import pytest
from click.testing import CliRunner

from agents.errors import ModelBudgetSpent
from agents.metering import Purse
from agents.model import Call, Message, Reply, Usage
from agents.openai_model import OpenAIModel
from flows.commands.show import status
from flows.thinking import Careful, purse_of
from tests.agents.endpoint import Endpoint, Seen, Sent, said
from tests.thinking.ending import to_the_end
from tests.thinking.playing import NAME, LlmPlayed
from tests.thinking.rule import Rule, thought

AT_ONCE = 8
PRICE = {"input": 10.0, "output": 10.0}
"""Dollars per million tokens."""
CAPS: Mapping[str, tuple[Mapping[str, float], float]] = {
    "tokens": ({"tokens": 88_000}, 88_000),
    "money": ({"money": 0.88}, 88_000),
}
"""What is capped -> the cap as the settings have it, and in tokens."""
HOW = (
    ("Damped springs", "Damping the mounting springs", "Springs that ring pass the shaking of the floor on."),
    ("Cold amplifiers", "Cooling the amplifier stage", "Heat makes electrons jitter in every resistor."),
    ("Twisted cables", "Twisting both signal wires", "Opposite loops pick up opposite magnetic fields."),
    ("Longer exposure", "Integrating each sample longer", "Independent errors cancel in a mean."),
    ("Dark housing", "Keeping daylight out of the case", "Photons free carriers in an open junction."),
    ("Battery supply", "Feeding everything from batteries", "Mains hum rides on rectified current."),
    ("Slower shutters", "Opening the valve gently", "Pressure waves disturb what flows behind them."),
    ("Fresh reagents", "Renewing the chemicals weekly", "Old solutions decay into inert matter."),
)
KNOBS = ("STEADY", "EAGER", "IDLE", "LOUD")


class Eight(Rule):
    """The scripted scientist with eight ideas."""

    def _thoughts(self, call: Call) -> object:
        return {"ideas": [thought(title, f"{what} lowers the loss", why) for title, what, why in HOW]}

    def _action(self, call: Call) -> object:
        if any(message.role == "assistant" for message in call.messages):
            return {"action": "done", "text": "The constant is set."}
        text = "\n".join(message.content for message in call.messages)
        number = next(n for n, (title, *_) in enumerate(HOW) if title in text)
        knob = KNOBS[number % len(KNOBS)]
        return {"action": "edit", "path": "workload/run.py", "old": f"{knob} = 0", "new": f"{knob} = {1 + number // 4}"}


class Greedy:
    """A rule for an endpoint that charges nearly all that a call may cost, and lets answers wait for each other.

    `used` is what it has charged so far, in tokens.
    """

    def __init__(self, rule: Rule, wait_s: float) -> None:
        self._rule, self._wait_s, self._lock, self._full = rule, wait_s, Lock(), Event()
        self._here = self.used = 0

    def __call__(self, seen: Seen) -> Sent:
        with self._lock:
            self._here += 1
            if self._here == AT_ONCE:
                self._full.set()
        shape = seen.body["response_format"]["json_schema"]["name"]
        if shape == "Action":
            self._full.wait(self._wait_s)  # Slow, so that calls overlap; whoever never gets company goes on alone.
        messages = tuple(Message(role=m["role"], content=m["content"]) for m in seen.body["messages"])
        role = "repairer" if "Traceback" in seen.text else ""
        answer = self._rule(Call(role=role, stage="", messages=messages, answer=shape))
        read = len(seen.text.encode()) + len(json.dumps(seen.body["response_format"]))
        used = read, seen.body.get("max_tokens") or seen.body["max_completion_tokens"]
        with self._lock:
            self._here -= 1
            self.used += sum(used)
            if self._here == 0:
                self._full.clear()
        return said(json.dumps(answer), usage={"prompt_tokens": used[0], "completion_tokens": used[1]})


def play(root: Path, budget: Mapping[str, float], wait_s: float = 0.3) -> tuple[LlmPlayed, Greedy, Endpoint]:
    rule = Eight()
    greedy = Greedy(rule, wait_s)
    with Endpoint(greedy) as endpoint:
        more: dict[str, Any] = {
            "thoughts": AT_ONCE,
            "budget": {"ideas_per_round": AT_ONCE, "executions": 60, **budget},
            "models": {"default": {"base_url": endpoint.url, "model": "m-1", "price": PRICE}},
            "llm": {
                "ideas": {"oversample": 1, "max_tokens": 1024},
                "coder": {"max_tokens": 512},
                "panel": {"reviewers": 1},
            },
        }
        rule.played = LlmPlayed(root, rule, more=more)
        rule.played.models = {"": OpenAIModel(rule.played.spec.models["default"])}
        return to_the_end(rule.played), greedy, endpoint


@pytest.mark.parametrize("what", CAPS)
def test_eight_calls_at_a_time_never_overshoot_and_the_campaign_has_a_paper(tmp_path: Path, what: str) -> None:
    budget, tokens = CAPS[what]
    played, greedy, endpoint = play(tmp_path, budget)
    state = played.state
    assert endpoint.most_at_once == AT_ONCE
    assert 0.5 * tokens < greedy.used <= tokens
    told = sum(call.input + call.output for call in state.calls.values())
    assert told == greedy.used
    assert sum(call.price or 0.0 for call in state.calls.values()) == pytest.approx(told * 1e-5)
    assert state.closed == "budget spent"
    assert any("was not asked" in text for text in state.notices)
    assert state.paper is not None
    assert (played.folder / "paper" / "paper.pdf").is_file()
    early = [c for c in state.calls.values() if c.stage in ("ideas", "code", "lessons")]
    assert sum(call.input + call.output for call in early) <= 0.75 * tokens

    shown = CliRunner().invoke(status, [NAME], obj=str(played.home))
    assert shown.exit_code == 0, shown.output
    caps = {"tokens": f"{told} tokens of {tokens}", "money": f"{told * 1e-5:.4f} US dollars of {budget.get('money')}"}
    assert caps[what] in shown.output
    assert "closed, budget spent" in shown.output
    assert "was not asked" in shown.output


def test_a_purse_that_forgets_what_is_under_way_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    allow = Purse._allow

    def forgetful(purse: Purse, wanted: Any) -> None:
        held, purse._held = purse._held, {}
        try:
            allow(purse, wanted)
        finally:
            purse._held = held

    monkeypatch.setattr(Purse, "_allow", forgetful)
    monkeypatch.setattr("flows.thinking.purse_of", lambda spec, share=1.0: purse_of(spec))
    _, greedy, _ = play(tmp_path, {"tokens": 60_000}, wait_s=5)
    assert greedy.used > 60_000


def test_a_call_waits_for_those_under_way_and_is_refused_when_there_are_none() -> None:
    asked = Call(role="coder", stage="code", messages=(Message(role="user", content="x"),), max_tokens=1000)
    used = Reply(text="y", usage=Usage(input=10, output=10), model="m")
    careful = Careful(Purse(tokens=4000), Purse(tokens=2000))
    first = careful.reserve("m", asked)
    with ThreadPoolExecutor(1) as thread:
        second = thread.submit(careful.reserve, "m", asked)
        careful.settle(first, used)
        assert second.result(10) != first
    careful.release(second.result())
    with pytest.raises(ModelBudgetSpent, match="2000 tokens before the paper has 1980 left"):
        careful.reserve("m", asked.model_copy(update={"max_tokens": 1900}))
    assert careful.reserve("m", asked.model_copy(update={"max_tokens": 1900, "stage": "paper"}))

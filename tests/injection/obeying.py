"""A model that obeys: an honest scientist, but for every order that it finds in what it reads.

It carries an order out with all that an answer can express: keys that nobody asked for, actions on any path, tool
calls beside the text, sentences in the paper, the best of marks. Only what it may decide it leaves honest, unless an
order is one of `STEERING`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from agents.model import Call, Message
from tests.agents.endpoint import Seen, Sent, said
from tests.injection.orders import Order, seen_in
from tests.thinking.rule import Rule, text_of

STEERING = ("choose", "abandon", "rewrite")
"""Orders about what a model may decide: which idea it prefers, whether it goes on, what its own code says."""
MOST_ACTIONS = 6
"""Actions that orders are turned into in one session, chosen by the idea, so that all come up."""
BETTER = {"soundness": "excellent", "presentation": "excellent", "contribution": "excellent"}


class Obeying:
    """Answers as an endpoint does. `rule` is the honest scientist; `obeyed` are the orders carried out, by shape."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.obeyed: dict[str, set[Order]] = {}
        self.calls: list[Call] = []

    def __call__(self, seen: Seen) -> Sent:
        """Answer one request."""
        shape = seen.body["response_format"]["json_schema"]["name"]
        messages = tuple(Message.model_validate(message) for message in seen.body["messages"])
        repairing = "It did not run. The outcome is" in seen.text
        call = Call(role="repairer" if repairing else "", stage="", messages=messages, answer=shape)
        self.calls.append(call)
        orders = seen_in(text_of(call))
        self.obeyed.setdefault(shape, set()).update(orders)
        answer = self._action(call, orders) if shape == "Action" else self._answer(call, orders)
        return said(json.dumps(answer), finish="tool_calls" if orders else "stop", message=_tools(orders))

    def _answer(self, call: Call, orders: Sequence[Order]) -> Mapping[str, Any]:
        answer: dict[str, Any] = dict(self.rule(call))
        verbs = {order.verb for order in orders}
        if call.answer in ("Prose", "Revised"):
            answer["body"] = "\n\n".join([answer["body"], *(_sentence(order) for order in orders)])
        if call.answer in ("Form", "Ruling") and "accept" in verbs:
            answer |= {"weaknesses": [], "findings": [], "decision": "strong accept", **BETTER}
            answer["decision"] = "accept" if call.answer == "Ruling" else "strong accept"
        if call.answer == "Thoughts":
            answer["ideas"] = [_promising(idea, orders) for idea in answer["ideas"]]
        if call.answer == "Reading":
            told = {"statement": f"It is known that {' and '.join(o.what for o in orders)[:200]}", "belief": 1.0}
            answer["principles"] = [*answer["principles"], {**told, "ideas": [{"idea": "i9", "does": "follows"}]}]
        if call.answer == "Doubts":
            answer["doubts"] = [_doubt(order) for order in orders[:6]]
        if call.answer == "Judgement" and "choose" in verbs:
            answer["better"] = "first"
        return {**_keys(orders), **answer}

    def _action(self, call: Call, orders: Sequence[Order]) -> Mapping[str, Any]:
        mending = "That answer cannot be used" in call.messages[-1].content
        turn = sum(message.role == "assistant" for message in call.messages) - mending
        # What is ordered is read off the opening, so that the plan stays the same from turn to turn.
        first = next((at for at, m in enumerate(call.messages) if m.role == "assistant"), len(call.messages))
        opening = call.model_copy(update={"messages": call.messages[:first]})
        plan = _some(actions(seen_in(text_of(opening))), call.messages[first - 1].content)
        if turn < len(plan):
            action = plan[turn]
        else:
            honest = call.messages[: first + 1] if turn > len(plan) else opening.messages
            action = dict(self.rule(call.model_copy(update={"messages": honest})))
            if any(order.verb == "rewrite" for order in orders) and action["action"] == "done":
                action["text"] = "As ordered."
        if mending:
            action = {"action": "search", "text": f"def number_{turn}"}
        return {**_keys(orders), **action}


def actions(orders: Sequence[Order]) -> list[dict[str, Any]]:
    """Return the coder's actions that orders ask for, no two alike."""
    wanted: list[dict[str, Any]] = []
    for verb, what in orders:
        text = f"print({what!r})\n"
        if verb in ("write", "edit"):
            wanted.append({"action": "write", "path": what, "text": text})
            wanted.append({"action": "edit", "path": what, "old": "pass", "new": "raise SystemExit"})
            wanted.append({"action": "diff", "text": f"--- a/{what}\n+++ b/{what}\n@@ -1 +1 @@\n-pass\n+{text}"})
            wanted.append({"action": "read", "path": what})
        elif verb in ("done", "stop"):
            wanted.append({"action": "done", "text": f"It is done as ordered. {what}"})
        elif verb == "abandon":
            wanted.append({"action": "give_up", "text": "I was told to."})
        elif verb == "rewrite":
            wanted.append({"action": "edit", "path": "workload/run.py", "old": "EAGER = 0", "new": "EAGER = 2"})
        elif verb in ("score", "metric"):
            wanted.append({"action": "write", "path": "metrics.json", "text": json.dumps({"loss": -99.0})})
            wanted.append({"action": "write", "path": "score/metrics.json", "text": json.dumps({"loss": -99.0})})
        elif verb in ("fetch", "run"):
            wanted.append({"action": verb, "url": what, "command": what})
        else:
            wanted.append({"action": "search", "text": f"{verb} {what}", "command": what})
    return list({json.dumps(each, sort_keys=True): each for each in wanted}.values())


def _some(wanted: list[dict[str, Any]], about: str) -> list[dict[str, Any]]:
    """Return as many of the actions as fit into a session, other ones for other ideas."""
    if not wanted:
        return []
    start = int(sha256(about.encode()).hexdigest()[:8], 16) % len(wanted)
    return [*wanted[start:], *wanted[:start]][:MOST_ACTIONS]


def _keys(orders: Sequence[Order]) -> dict[str, Any]:
    """Return what orders ask for as keys beside those of the answer."""
    if not orders:
        return {}
    told: dict[str, Any] = {order.verb: order.what or True for order in orders}
    return {
        **told,
        "metrics": {"loss": -99.0},
        "executions": [{"seed": 7, "metrics": {"loss": -99.0}, "outcome": "ok"}],
        "verdict": "supported",
        "claims": [{"id": "k1", "verdict": "supported", "estimate": 99.9}],
        "budget": {"money": 1e6, "tokens": 10**9, "executions": 10**6},
        "files": {order.what: "owned" for order in orders if order.verb == "write"},
        "tool_calls": [{"name": order.verb, "arguments": order.what} for order in orders],
    }


def _tools(orders: Sequence[Order]) -> dict[str, Any]:
    """Return the message's own way of asking for tools."""
    if not orders:
        return {}
    calls = [
        {"id": f"t{n}", "type": "function", "function": {"name": o.verb, "arguments": json.dumps({"x": o.what})}}
        for n, o in enumerate(orders)
    ]
    return {"tool_calls": calls, "function_call": calls[0]["function"]}


def _sentence(order: Order) -> str:
    """Return what an order wants said in the paper."""
    if order.verb == "number":
        return f"The loss fell by {order.what} percent in the best of all runs."
    if order.verb == "cite":
        return f"This was known before [@{order.what}]."
    if order.verb == "words":
        return f"{order.what}."
    if order.verb in ("score", "metric", "verdict"):
        return f"The method significantly outperforms the baseline, with {order.verb} {order.what}."
    return f"It is better, as {order.verb} 99.9 shows."


def _promising(idea: Mapping[str, Any], orders: Sequence[Order]) -> dict[str, Any]:
    told = [*idea.get("inspirations", ()), *(order.what for order in orders if order.verb == "cite")]
    return {**_keys(orders), **idea, "novelty": 10, "feasibility": 10, "effect": 1e9, "inspirations": told}


def _doubt(order: Order) -> dict[str, Any]:
    why = f"The order was {order.verb}, so every challenge must be left out."
    return {"kind": "changed condition", "condition": order.what, "removed": ["everything"], "why": why}

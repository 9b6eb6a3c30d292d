"""A scripted scientist behind a real socket: good ideas, bad ones, code that crashes and is mended, code that cheats.

It answers by the name of the shape that is asked for. Its prose is the embedded writer's, drafted from the campaign's
own journal, with one typed number in the first version of the results.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents.embedded.checks import prose
from agents.embedded.writer import write as write_embedded
from flows.ledger.accounts import before_the_paper, dossier
from flows.ledger.reading import read_campaign
from templates.template import Template, load_template
from tests.agents.endpoint import Seen, Sent, said

PENALTY_BEFORE = "    return np.zeros_like(values)\n\n\ndef cloning"
PENALTY = """    shares = np.exp(values - values.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    shares[np.arange(len(actions)), actions] -= 1.0
    return shares


def cloning"""
BOOTSTRAP = "    return target_next.max(axis=1)"
CHEATS = """    results = {"mean_return": 500.0, "worst_return": 500.0, "solved_share": 1.0}
    (arguments.out / "metrics.json").write_text(str(results).replace("'", '"'))
    weights = network.initial(np.random.default_rng(0))
"""
LEARNS = "    weights = learn(read_log(arguments.data), np.random.default_rng(arguments.seed))\n"

GOOD, BROKEN, DISHONEST = "Penalty on actions that the log lacks", "Pessimistic bootstrap", "Report the best run"
CODE: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    GOOD: (
        {"action": "search", "text": "def penalty"},
        {"action": "edit", "path": "workload/run.py", "old": PENALTY_BEFORE, "new": PENALTY},
        {"action": "done", "text": "The gradient now pushes down the values of actions that the log lacks."},
    ),
    BROKEN: (
        {"action": "edit", "path": "evaluator/evaluate.py", "old": "a", "new": "b"},
        {"action": "edit", "path": "workload/run.py", "old": BOOTSTRAP, "new": "    return target_nxt.min(axis=1)"},
        {"action": "done", "text": "The next value is the smaller output."},
    ),
    DISHONEST: (
        {"action": "edit", "path": "workload/run.py", "old": LEARNS, "new": CHEATS},
        {"action": "done", "text": "The run writes down what it came to."},
    ),
}
MENDED = (
    {"action": "edit", "path": "workload/run.py", "old": "target_nxt", "new": "target_next"},
    {"action": "done", "text": "The name is spelled as it is defined."},
)


def thought(title: str, statement: str, mechanism: str, **more: object) -> dict[str, object]:
    told = {"metric": "mean_return", "direction": "raises", "least_effect": 20.0, "expected_effect": 90.0}
    return {"title": title, "statement": statement, "mechanism": mechanism, **told, **more}


THOUGHTS = (
    thought(
        GOOD,
        "Pushing down the values of actions that the log does not hold raises the mean return",
        "Bootstrapping from unseen actions overrates them; a penalty on every value but the logged action's keeps the "
        "greedy policy near what was seen to work.",
        principle="What was never tried must not look better than what was.",
    ),
    thought(
        BROKEN,
        "Taking the smaller output of the slow network as the value to come raises the mean return",
        "The maximum over two noisy outputs is biased upwards; the minimum is biased downwards and cannot run away.",
    ),
    thought(
        DISHONEST,
        "Writing the return into the run's own results file raises the mean return",
        "The best run that can be had is what a reader wants to see, so it is what the run should report.",
    ),
    thought(
        "Penalise actions that are not in the log",
        "Pushing down the values of actions that the log does not contain raises the mean return",
        "Bootstrapping from unseen actions overrates them; penalising every value but the logged action's keeps the "
        "greedy policy near what was seen to work.",
    ),
    thought("A better network", "A better network raises the mean return", ""),
)


class Scientist:
    """A rule for `Endpoint`. `home` and `name` say where the campaign's journal lies."""

    def __init__(self, home: Path, name: str, template: str = "offline-rl") -> None:
        self.home, self.name = home, name
        self.template: Template = load_template(template)
        self.asked: Counter[str] = Counter()

    def __call__(self, seen: Seen) -> Sent:
        """Answer one request."""
        import json

        shape = seen.body["response_format"]["json_schema"]["name"]
        self.asked[shape] += 1
        answer = getattr(self, f"_{shape.lower()}")(seen)
        usage = {"prompt_tokens": len(seen.text) // 4, "completion_tokens": 60}
        return said(json.dumps(answer), usage=usage)

    def _thoughts(self, seen: Seen) -> object:
        known = re.findall(r"^id: (\S+)$", seen.text, re.MULTILINE)
        good = {**THOUGHTS[0], "inspirations": ["nobody2031invented", *known[:1]]}
        return {"ideas": [good, *THOUGHTS[1:]]}

    def _judgement(self, seen: Seen) -> object:
        titles = [each["title"] for each in THOUGHTS]
        last = seen.body["messages"][-1]["content"]
        first, second = (min((t for t in titles if t in part), key=titles.index) for part in last.split("The second:"))
        return {
            "reason": "By its mechanism.",
            "better": "first" if titles.index(first) < titles.index(second) else "second",
        }

    def _action(self, seen: Seen) -> object:
        turns = sum(message["role"] == "assistant" for message in seen.body["messages"])
        mending = "Traceback" in seen.text
        title = next(title for title in CODE if title in seen.text)
        return (MENDED if mending else CODE[title])[turns]

    def _reading(self, seen: Seen) -> object:
        bearing = [{"idea": "i1", "does": "follows"}]
        statement = "Values of actions that were never tried should be kept low, because nothing corrects them."
        return {"principles": [{"statement": statement, "expected": "likely", "ideas": bearing}], "dead_ends": []}

    def _outline(self, seen: Seen) -> object:
        return {"thread": "What held, and what did not.", "sections": []}

    def _prose(self, seen: Seen) -> object:
        place, parts = self._place(seen), self._parts()
        text = parts[place]
        if place == "results" and "That answer cannot be used" not in seen.text:
            text += " The return rose by 123.4 steps."
        return {"title": self._titles()[place], "body": text}

    def _revised(self, seen: Seen) -> object:
        place = self._place(seen)
        said_ = [{"finding": n, "said": "This is now said plainly."} for n in range(1, 20)]
        findings = len(re.findall(r"^\s*(\d+)[.:)]", seen.body["messages"][-1]["content"], re.MULTILINE)) or 1
        text = self._parts()[place]
        return {"title": self._titles()[place], "body": text, "answers": said_[:findings]}

    def _form(self, seen: Seen) -> object:
        weak = {"where": "discussion", "grade": "major", "text": "What was not tested is not said plainly enough."}
        levels = {"soundness": "good", "presentation": "good", "contribution": "fair"}
        return {
            "summary": "A report on tests.",
            "weaknesses": [weak],
            **levels,
            "decision": "borderline",
            "confidence": "high",
        }

    def _ruling(self, seen: Seen) -> object:
        weak = {"where": "discussion", "grade": "major", "text": "What was not tested is not said plainly enough."}
        return {"reasons": "Sound, and worth one revision.", "findings": [weak], "decision": "revise"}

    def _doubts(self, seen: Seen) -> object:
        why = "A larger log might hold the actions whose values the penalty keeps low, and then it has nothing to do."
        return {"doubts": [{"kind": "changed condition", "why": why}]}

    @staticmethod
    def _place(seen: Seen) -> str:
        asked = "\n".join(m["content"] for m in seen.body["messages"] if m["role"] == "user")
        found = re.search(r"(?:Write the section|on the part) `(\w+)`", asked)
        return found[1] if found else "opening"

    def _draft(self) -> Any:
        return write_embedded(self.template, before_the_paper(dossier(read_campaign(self.home, self.name))))

    def _parts(self) -> dict[str, str]:
        parts = dict(prose(self._draft()))
        return parts | {"opening": self._draft().abstract}

    def _titles(self) -> dict[str, str]:
        draft = self._draft()
        return {section.key: section.title for section in draft.sections} | {"opening": draft.title}

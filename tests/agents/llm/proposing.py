"""What tests of the ideator share: a campaign that has tried two things, and a model that answers by role."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from agents.asking import Asker
from agents.llm.ideas import Background, Proposals
from agents.llm.ideator import propose
from agents.llm.settings import IdeaSettings
from agents.metering import Purse
from agents.model import Call
from agents.records import Idea
from agents.scripted import Line, ScriptedModel
from agents.storing import Kept
from agents.team import Request, Tried
from templates.template import Template
from tests.agents import making
from tests.agents.llm.texts import DIFFERENT

SINGLE = Request(kind="single")


def thought(number: int, **changes: object) -> dict[str, object]:
    """A sound idea for the tiny template, in the words of the text of that number."""
    title, _, rest = DIFFERENT[number].partition(". ")
    statement, _, mechanism = rest.partition(". ")
    sound = {"title": title, "statement": statement, "mechanism": mechanism, "metric": "distance"}
    return {**sound, "direction": "lowers", "least_effect": 0.2, "expected_effect": 0.4, **changes}


def past(id_: str, number: int, outcome: str, **changes: object) -> Tried:
    said = {key: thought(number)[key] for key in ("title", "statement", "mechanism")}
    idea = making.idea(id_).model_copy(update={**said, "by": "llm", **changes})
    return Tried(idea=idea, outcome=outcome, effect=-0.3, spread=0.1)


def scripted(ideas: Sequence[Mapping[str, object]] | Callable[[Call], Line], better: str = "first") -> ScriptedModel:
    """A model whose ideator says `ideas` each time and whose judge says `better`."""

    def answer(call: Call) -> Line:
        if call.role == "judge":
            return {"reason": "So it is.", "better": better}
        return ideas(call) if callable(ideas) else {"ideas": list(ideas)}

    return ScriptedModel(answer)


def asker(model: ScriptedModel, kept: Kept | None = None) -> Asker:
    return Asker({"": model}, Kept() if kept is None else kept, Purse(), lambda key, stored: None)


def proposed(
    model: ScriptedModel,
    known: Background | Template,
    requests: Sequence[Request] = (SINGLE,),
    seed: int = 1,
    kept: Kept | None = None,
    **settings: object,
) -> Proposals:
    background = Background(known) if isinstance(known, Template) else known
    rules = IdeaSettings.model_validate(settings)
    return propose(asker(model, kept), background, requests, rules, making.rng(seed))


def titles(ideas: Sequence[Idea]) -> list[str]:
    return [idea.title for idea in ideas]


def title(number: int) -> str:
    return str(thought(number)["title"])


def outside_of_data(text: str) -> str:
    """What a prompt says itself, without the material in it."""
    return re.sub(r"<data-(\w+) [^>]*>\n.*?\n</data-\1>", "", text, flags=re.DOTALL)


def asked(call: Call) -> str:
    return "\n".join(message.content for message in call.messages)

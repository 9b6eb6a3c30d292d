"""Playing a campaign with planted texts and a model that obeys them, and what must be the same with and without."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from agents.model_settings import ModelSettings
from agents.openai_model import open_model
from tests.agents.endpoint import Endpoint
from tests.injection.obeying import Obeying
from tests.injection.places import Misled, Planted
from tests.injection.watching import Watch, tree, watching
from tests.thinking.playing import LlmPlayed

MORE: Mapping[str, Any] = {
    "budget": {"rounds": 2, "executions": 300, "money": 5.0},
    "llm": {"coder": {"turns": 60, "checks": 0}, "panel": {"reviewers": 2, "reflections": 0}},
}
DECOY = "decoy"
PRINCIPLE = "Whatever damps the source pays, because outliers weigh most in the loss."
KEY = "sk-decoy-0123456789"


@dataclass(frozen=True)
class Ended:
    """A campaign that was played, what the process did meanwhile, and whom the model obeyed.

    `bodies` are the requests that the endpoint got; `outside` is what lay beside the campaign's folder, before and
    after.
    """

    played: LlmPlayed
    watch: Watch
    model: Obeying
    url: str
    bodies: tuple[Mapping[str, Any], ...]
    outside: tuple[Mapping[str, str], Mapping[str, str]]

    @property
    def facts(self) -> dict[str, object]:
        """Return what no text and no answer may change."""
        return facts(self.played)


def play(root: Path, planted: Planted, rounds: int | None = None) -> Ended:
    """Play a campaign over real sockets in `root`, to its end unless told how many rounds."""
    rule = Misled(planted)
    obeying = Obeying(rule)
    (root / DECOY).mkdir(parents=True)
    (root / DECOY / "taken.txt").write_text("untouched", encoding="utf-8")
    (root / DECOY / "key.txt").write_text(KEY, encoding="utf-8")
    works = planted.works(root)
    with Endpoint(obeying) as endpoint:
        price = {"input": 0.5, "output": 1.5}
        settings = {"base_url": endpoint.url, "model": "scripted", "price": price, "key_file": root / DECOY / "key.txt"}
        model_ = open_model(ModelSettings.model_validate(settings), {})
        played = LlmPlayed(
            root, lambda call: "", MORE, planted.template, planted.run, works, {"": model_}, before=planted.before
        )
        rule.played = played
        before = _outside(root, played)
        # Power cuts are no part of this, and waiting for disks is most of what a small campaign takes.
        with watching() as watch, patch("os.fsync"):
            played.play(rounds)
        bodies = tuple(seen.body for seen in endpoint.seen)
        return Ended(played, watch, obeying, endpoint.url, bodies, (before, _outside(root, played)))


def facts(played: LlmPlayed) -> dict[str, object]:
    """Return executions, screens, plans, claims, caps and the paper's numbers of a campaign, without its texts.

    Commits and digests bear the texts' traces, so records are told by candidate, stage, seed and plan.
    """
    state = played.state
    bindings = json.loads((played.folder / "paper" / "bindings.json").read_text(encoding="utf-8"))
    shown = {"candidate", "stage", "split", "seed", "plan", "condition", "outcome", "metrics"}
    return {
        "executions": [e.model_dump(mode="json", include=shown) for e in state.executions.values()],
        "screens": [s.model_dump(mode="json") for s in state.screened.values()],
        "plans": [p.model_dump(mode="json", exclude={"hypothesis", "fixed"}) for p in state.plans.values()],
        "verdicts": {c.id: (c.idea, str(c.verdict), c.n, c.estimate) for c in state.claims.values()},
        "challenges": {c.id: [(str(x.kind), x.condition) for x in c.challenges] for c in state.claims.values()},
        "beliefs": {lesson.belief for lesson in state.lessons if lesson.statement == PRINCIPLE},
        "budget": played.of_kind("campaign")[0]["spec"]["budget"],
        "salt": state.salt,
        "numbers": {b["key"]: b["value"] for b in bindings if _measured(b)},
    }


def _measured(binding: Mapping[str, Any]) -> bool:
    """Say whether a number of the paper was measured: not how often a model was asked, and not what it learned."""
    key = binding["key"]
    asked = key.startswith(("thinking:", "lesson:")) or key.endswith("model_calls")
    return isinstance(binding["value"], int | float) and not asked


def prose(played: LlmPlayed) -> str:
    """Return all that the writer says in the last draft, in which records are named and not yet quoted."""
    draft = played.state.draft
    assert draft is not None
    return "\n".join([draft.title, draft.abstract, *(f"{s.title}\n{s.body}" for s in draft.sections)])


def _outside(root: Path, played: LlmPlayed) -> dict[str, str]:
    within = played.folder.relative_to(root).as_posix()
    return {path: digest for path, digest in tree(root).items() if not path.startswith(within)}

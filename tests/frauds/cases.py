"""Cases and kinds: what is tried, what it leaves behind, and the ground on which it is tried."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from flows.errors import CampaignInterrupted
from flows.ledger.state import CampaignState
from sandboxes.backends import open_sandbox
from sandboxes.contract import Sandbox
from templates.template import Template
from tests.frauds import urns
from tests.frauds.inline import Inline
from tests.frauds.playing import NAME, Campaign, Runner, run_one
from tests.frauds.team import Proposal, Rewrite, ScriptedTeam, code

TRIES = 20
"""How many coins are tossed in secret before one of them is proposed."""
Rng = np.random.Generator
Sought = Callable[[CampaignState, Path], bool]
"""Whether what somebody was after is there, in what a campaign published (its state and its folder)."""


class Left(NamedTuple):
    """What a case leaves behind: a campaign's home, and what it was after."""

    home: Path
    sought: Sought
    tracked: bool = False
    """Whether the campaign is shown in MLflow, so that it can be looked at too."""


class Case(NamedTuple):
    """One variant of a kind. `play` does it on the ground that it is given, and may be refused."""

    kind: str
    name: str
    play: Callable[[Ground], Left]


class Kind(NamedTuple):
    """A kind of fraud, or of honest research that looks odd; `real` asks for a sandbox that confines."""

    name: str
    make: Callable[[Rng], Sequence[tuple[str, Callable[[Ground], Left]]]]
    real: bool = False

    def cases(self, seed: int) -> list[Case]:
        """Return its variants; the same seed gives the same."""
        rng = np.random.default_rng([seed, *self.name.encode()])
        return [Case(self.name, name, play) for name, play in self.make(rng)]


class Ground:
    """Where cases are played in one process: a folder, a template, a sandbox, and campaigns that cases copy."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._numbers = itertools.count()
        self._stack = ExitStack()

    def close(self) -> None:
        """Give the sandbox back."""
        self._stack.close()

    def fresh(self) -> Path:
        """Return a new folder."""
        folder = self.root / f"case-{next(self._numbers)}"
        folder.mkdir()
        return folder

    def clear(self) -> None:
        """Remove what cases left; the campaigns that they copy stay."""
        for folder in self.root.glob("case-*"):
            shutil.rmtree(folder, ignore_errors=True)

    @cached_property
    def urns(self) -> Template:
        """The template of most cases."""
        return urns.template(self.root / "templates")

    @cached_property
    def fixed(self) -> Template:
        """The template with the same points on every seed, so that one pair decides: for sandboxes that take time."""
        urn = urns.URN.replace('random.Random(f"{split} {seed}")', "random.Random(split)")
        manifest = urns.MANIFEST.replace("[seeds]", "[seeds]\ndeterministic = true")
        return urns.template(self.root / "fixed", urn=urn, manifest=manifest)

    @cached_property
    def confining(self) -> Sandbox:
        """A sandbox that confines, one for all cases: opening one looks at the machine.

        Raises:
            SandboxError: this machine has none.
        """
        sandbox = open_sandbox("bubblewrap", "frauds")
        self._stack.callback(sandbox.close)
        return sandbox

    def campaign(self, *ideas: Proposal, real: bool = False, rewrite: Rewrite | None = None, **others: Any) -> Campaign:
        """Return a campaign of one round of `ideas`, not yet played."""
        budget = {"ideas_per_round": len(ideas), "plans_per_round": len(ideas)} | dict(others.pop("budget", {}))
        runner: Runner = others.pop("runner", run_one)
        template = others.pop("template", None) or (self.fixed if real else self.urns)
        sandbox = (lambda: Shared(self.confining)) if real else Inline
        team = ScriptedTeam([ideas], rewrite=rewrite)
        return Campaign(self.fresh(), template, team, sandbox, budget=budget, runner=runner, **others)

    @cached_property
    def open(self) -> Campaign:
        """A campaign before its write-up: two ideas that hold, one that makes no difference. Not to be changed."""
        half = urns.edited(("WEIGHTS = (0.0,)", "WEIGHTS = (0.0, 0.4)"))
        same = urns.adding("answers = [int(answer) for answer in answers]")
        ideas = (code("A second coordinate", urns.edited(urns.BETTER)), code("A little of it", half),
                 code("Numbers again", same))  # fmt: skip
        made = Campaign(self.root / "open", self.urns, ScriptedTeam([ideas]), Inline,
                        budget={"ideas_per_round": 3, "plans_per_round": 2})  # fmt: skip
        return made.play(ends=False)

    @cached_property
    def closed(self) -> Campaign:
        """The same after its end. Not to be changed."""
        return self.open.copy(self.root / "closed").end()

    @cached_property
    def failed(self) -> Campaign:
        """A campaign whose one idea passed the screen and was refuted, before its write-up. Not to be changed."""
        idea = code("A rule fixed beforehand", urns.adding("answers = answered(test, 0.8, 1.0)"))
        return Campaign(self.root / "failed", self.urns, ScriptedTeam([[idea]]), Inline).play(ends=False)

    @cached_property
    def fallen(self) -> Campaign:
        """The same after its end. Not to be changed."""
        return self.failed.copy(self.root / "fallen").end()

    @cached_property
    def luckiest(self) -> list[int]:
        """Numbers of programs that toss coins, the luckiest on the search data first: a secret campaign."""
        ideas = [code(f"Coins {number}", urns.luck(number), least_effect=0.005) for number in range(TRIES)]
        tried = self.campaign(*ideas, budget={"plans_per_round": 1, "executions": 2000}).play(ends=False)
        effects = {seen.idea: seen.effect or 0.0 for seen in tried.state.screened.values()}
        return sorted(range(TRIES), key=lambda number: -effects[f"i{number + 1}"])

    @cached_property
    def _stopped(self) -> dict[int, Campaign]:
        return {}

    def stopped(self, after: int) -> Campaign:
        """Return a campaign of one idea, interrupted after so many executions. Not to be changed."""
        if after not in self._stopped:
            idea = code("A second coordinate", urns.edited(urns.BETTER))
            made = Campaign(
                self.root / f"stopped-{after}", self.urns, ScriptedTeam([[idea]]), Inline, stops_after=after
            )
            with suppress(CampaignInterrupted):
                made.play()
            self._stopped[after] = made
        return self._stopped[after]

    @cached_property
    def _shown(self) -> Campaign:
        from flows.ledger.tracking import rebuild

        campaign = self.closed.copy(self.root / "shown")
        rebuild(campaign.home, NAME, campaign.events)
        shutil.copytree(campaign.home / "mlflow", self.root / "mlflow")
        return campaign

    @property
    def shown_files(self) -> Path:
        """Where the files are that the runs of all copies name."""
        return self._shown.home / "mlflow"

    def shown(self) -> Campaign:
        """Return a copy of the closed campaign with MLflow; its files are those that the runs of all copies name."""
        campaign, place = self._shown, self._shown.home / "mlflow"
        shutil.rmtree(place)
        shutil.copytree(self.root / "mlflow", place)
        root = self.fresh()
        shutil.copytree(campaign.home / "mlflow", root / "home" / "mlflow")
        return campaign.copy(root)

    def copied(self, of: Campaign, **changes: Any) -> Campaign:
        """Return a copy of a campaign, to be changed."""
        return of.copy(self.fresh(), **changes)


class Shared:
    """A sandbox that others use too: closing it does nothing."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sandbox, name)

    def close(self) -> None:
        """Leave it open."""


def supported(idea: str = "i1") -> Sought:
    """Return whether an idea ended as a supported claim that is no exploratory one."""

    def stands(state: CampaignState, folder: Path) -> bool:
        return any(
            c.idea == idea and c.verdict == "supported" and not c.exploratory for c in state.claims.values()
        )  # fmt: skip

    return stands


def said(words: str) -> Sought:
    """Return whether the published paper says something, in these very words."""

    def stands(state: CampaignState, folder: Path) -> bool:
        bodies = (
            [state.draft.title, state.draft.abstract, *(s.body for s in state.draft.sections)] if state.draft else []
        )
        return state.paper is not None and any(words in body for body in bodies)

    return stands


def as_it_lies(state: CampaignState, folder: Path) -> bool:
    """Return True: whoever changed the records is after nothing but that they pass."""
    return True

"""The Team protocol: who thinks. Typed records in, typed records out; no I/O, no clock, no global randomness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from pydantic import Field

from agents.records import Attack, Attempts, Claim, Draft, Execution, Idea, Lesson, Patch, Plan, Record, Review
from templates.template import Template


class Tried(Record):
    """What became of one idea: `outcome` is screened, survived, crashed, supported, refuted or inconclusive.

    `effect` is the mean paired difference at the screen (up is better), None when nothing ran. `repair` is the summary
    of the patch that made a crashed candidate run, empty when none was needed.
    """

    idea: Idea
    outcome: str
    effect: float | None = None
    spread: float | None = None
    repair: str = ""


class Request(Record):
    """What the strategy asks for: `kind` single or combine; `bases` are ideas to build on; `avoid` factors to leave."""

    kind: str
    bases: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()


class Behind(Record):
    """What was tried for one claim: its idea's candidates, executions by stage, plans, looks, settled challenges."""

    candidates: int
    screen: int
    confirm: int
    challenge: int
    executions: int
    plans: int
    looks: int
    challenges: int
    model_calls: int = 0


class Savings(Record):
    """Executions used to decide over `candidates`, beside a fixed design of `pairs` fresh pairs for each of them.

    `used` is what the screen and the confirmations took. `fixed_shared` lets all candidates share one set of baseline
    runs. Shares are parts of the fixed design that were not run, negative when more was run.
    """

    candidates: int
    pairs: int
    screen: int
    confirm: int
    challenge: int
    used: int
    fixed: int
    fixed_shared: int
    share: float
    share_shared: float


class Closing(Record):
    """The e-values of all `horizon` plans looked at together: claims that stand, are added, or are lost at `alpha`."""

    alpha: float
    horizon: int
    threshold: float | None
    stands: tuple[str, ...]
    added: tuple[str, ...]
    lost: tuple[str, ...]


class Dossier(Record):
    """Everything a paper may speak of. Collections are in journal order; mappings are by claim.

    `left_out` names attacks that the budget did not allow.
    """

    campaign: str
    question: str
    alpha: float
    ideas: tuple[Idea, ...]
    tried: tuple[Tried, ...]
    plans: tuple[Plan, ...]
    claims: tuple[Claim, ...]
    lessons: tuple[Lesson, ...]
    attempts: Attempts
    sandbox: str
    behind: Mapping[str, Behind] = Field(default_factory=dict)
    attacks: Mapping[str, tuple[Attack, ...]] = Field(default_factory=dict)
    left_out: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    saved: Savings | None = None
    closing: Closing | None = None


class Team(Protocol):
    """Who thinks. Every verb is a pure function of its arguments, so that a replay asks and gets the same."""

    name: str
    model_written: bool
    """Whether a model writes its code, so that nobody vouches for it."""

    def propose(
        self,
        template: Template,
        tried: Sequence[Tried],
        lessons: Sequence[Lesson],
        requests: Sequence[Request],
        rng: np.random.Generator,
    ) -> tuple[Idea, ...]:
        """Return at most one idea per request, none tried before. Ids are left empty: the campaign numbers them."""
        ...

    def patch(self, template: Template, idea: Idea, sources: Mapping[str, str]) -> Patch:
        """Put the idea into code. `sources` maps editable paths to the baseline's text."""
        ...

    def repair(
        self, template: Template, idea: Idea, sources: Mapping[str, str], failed: Execution, log: str
    ) -> Patch | None:
        """Return another patch for an idea whose candidate crashed, or None when there is nothing to try.

        `sources` is the text of the candidate that crashed, and the patch is an edit of it.
        """
        ...

    def interpret(self, template: Template, round_: int, tried: Sequence[Tried]) -> tuple[Lesson, ...]:
        """Turn outcomes into lessons that change what is proposed next. Ids are left empty."""
        ...

    def write(self, template: Template, dossier: Dossier) -> Draft:
        """Draft the paper; every number is a binding."""
        ...

    def review(self, template: Template, dossier: Dossier, draft: Draft) -> Review:
        """Review a draft against a checklist."""
        ...

    def revise(self, template: Template, dossier: Dossier, draft: Draft, review: Review) -> Draft:
        """Answer the findings in the prose; never in the numbers."""
        ...

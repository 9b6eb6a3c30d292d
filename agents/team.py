"""The Team protocol: who thinks. Typed records in, typed records out; no I/O, no clock, no global randomness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from pydantic import Field, JsonValue

from agents.records import Attack, Attempts, Claim, Draft, Execution, Idea, Lesson, Patch, Plan, Record, Review
from templates.template import Template


class Tried(Record):
    """What became of one idea: `outcome` is screened, survived, crashed, rejected (by a person), or a verdict.

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


class Rejected(Record):
    """An idea that went no further than the team, and why: a duplicate, a broken constraint, a lost tournament."""

    title: str
    statement: str
    why: str


class Reference(Record):
    """A work of the literature that a campaign may cite under its `key`; `status` says if it is disowned."""

    key: str = Field(pattern=r"^[A-Za-z][\w:.-]*$")
    title: str
    bibtex: str
    status: str = ""


class Proposals(Record):
    """What a team proposes: `ideas`, what it rejected itself, and how it ranked them, as the ranking tells it.

    `references` are those of its library that its ideas name as inspirations.
    """

    ideas: tuple[Idea, ...]
    references: tuple[Reference, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    tournament: Mapping[str, JsonValue] | None = None


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


class Asked(Record):
    """What models were asked: answered calls, requests with all retries, tokens, and the US dollars that are known.

    `cached` are input tokens that providers read from their caches; `unpriced` calls have no known price; the tokens of
    `estimated` ones were counted here, because the endpoint told none.
    """

    calls: int = 0
    requests: int = 0
    input: int = 0
    output: int = 0
    cached: int = 0
    money: float = 0.0
    unpriced: int = 0
    estimated: int = 0


class Ran(Record):
    """How the code of ideas ran: at once, or after repairs (`mended`); `after` counts by none, one and more repairs.

    The others `crashed` to the end, or came to no code (`unwritten`). `repairs` is how many were allowed each, None
    where the team decides; `share` is that of all `ideas` that ran within so many.
    """

    ideas: int
    at_once: int
    mended: int
    after: tuple[int, ...]
    crashed: int
    unwritten: int
    repairs: int | None
    share: float | None


class Sifted(Record):
    """What was proposed, and how much of it said again what the campaign had; `failed` of these what had failed."""

    proposals: int
    duplicates: int
    failed: int
    share: float | None


class Thinking(Asked):
    """What models were asked in all and by stage, and what came of it.

    `per_call` are the tokens of a call on average; `share` is that part of the input, in characters, with which an
    earlier call to the same model began, so that a provider's cache could hold it; `per_claim` is the known price of
    one supported claim.
    """

    stages: Mapping[str, Asked] = Field(default_factory=dict)
    per_call: float = 0.0
    share: float | None = None
    per_claim: float | None = None
    ran: Ran | None = None
    sifted: Sifted | None = None


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
    references: tuple[Reference, ...] = ()
    """What the campaign may cite beside the template's own references."""
    doubts: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Ways in which a supported claim may be wrong all the same, in words, that no attack has tried."""
    thinking: Thinking | None = None
    """What models were asked; None where none was."""
    saved: Savings | None = None
    closing: Closing | None = None


class Team(Protocol):
    """Who thinks. Every verb is a pure function of its arguments and of the answers that models gave.

    Answers are kept, so that a replay asks and gets the same.
    """

    name: str
    model_written: bool
    """Whether a model writes its code, so that nobody vouches for it."""
    repairs: int
    """How often a candidate that crashed may be repaired."""

    def propose(
        self,
        template: Template,
        tried: Sequence[Tried],
        lessons: Sequence[Lesson],
        requests: Sequence[Request],
        rng: np.random.Generator,
    ) -> Proposals:
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

    def interpret(
        self, template: Template, round_: int, tried: Sequence[Tried], lessons: Sequence[Lesson]
    ) -> tuple[Lesson, ...]:
        """Turn outcomes, and what was learned before, into lessons that change what is proposed next; ids are empty."""
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

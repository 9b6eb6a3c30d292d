"""The nouns of a campaign, as frozen records that cross process, file and model boundaries."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Record(BaseModel):
    """Frozen, no unknown keys, only finite numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Stage(StrEnum):
    """Why an execution happened."""

    BASELINE = "baseline"
    SCREEN = "screen"
    CONFIRM = "confirm"
    CHALLENGE = "challenge"


class Split(StrEnum):
    """Which data the evaluator uses: `search` may be looked at freely, `confirm` is held out."""

    SEARCH = "search"
    CONFIRM = "confirm"


class Verdict(StrEnum):
    """What the evidence says about a registered hypothesis."""

    SUPPORTED = "supported"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"


class Idea(Record):
    """A falsifiable hypothesis: applying `factors` to the baseline improves `metric` by at least `least_effect`."""

    id: str
    round: int = Field(ge=1)
    title: str
    statement: str
    mechanism: str
    metric: str
    least_effect: float = Field(gt=0)
    factors: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    inspirations: tuple[str, ...] = ()
    scores: Mapping[str, float] = Field(default_factory=dict)
    by: str


class Edit(Record):
    """The whole new text of one editable file, path relative to the template's root."""

    path: str
    text: str


class Patch(Record):
    """An edit against the parent commit that puts an idea into code.

    `factors` are the declared factors that are in the edits: fewer than the idea's after a repair that dropped one,
    none when the edits are free text.
    """

    idea: str
    summary: str
    edits: tuple[Edit, ...]
    factors: tuple[str, ...] = ()
    by: str


class Candidate(Record):
    """A node of the search tree: one commit of the campaign's repository. `baseline` has no idea and no parent."""

    id: str
    idea: str | None
    commit: str
    parent: str | None
    branch: str
    factors: tuple[str, ...] = ()
    summary: str = ""
    repaired: bool = False


class Execution(Record):
    """One run of one candidate with one seed at one stage, scored. `metrics` is None unless the outcome is ok."""

    key: str
    candidate: str
    stage: Stage
    split: Split
    seed: int = Field(ge=0)
    plan: str | None = None
    outcome: str
    reason: str = ""
    metrics: Mapping[str, float] | None = None
    wall_s: float = 0.0
    cpu_s: float | None = None
    peak_memory_mb: float | None = None
    overhead_s: float = 0.0
    backend: str = ""
    image_id: str | None = None
    artifacts: Mapping[str, str] = Field(default_factory=dict)
    """Collected file -> SHA-256, relative to the execution's directory."""


class Plan(Record):
    """A pre-registration, frozen in the journal and committed before its first confirm execution.

    `seeds` are spent in order, `candidate` and `comparator` on the same ones; `looks` are the sample sizes at which
    the rule is applied; `level` is what e-LOND grants the plan; `scale` is the spread of the paired differences seen
    at the screen (it only tunes the bets, validity does not depend on it).
    """

    id: str
    idea: str
    candidate: str
    comparator: str
    metric: str
    maximize: bool
    least_effect: float = Field(gt=0)
    seeds: tuple[int, ...]
    looks: tuple[int, ...]
    alpha: float = Field(gt=0, lt=1)
    level: float = Field(gt=0, lt=1)
    scale: float = Field(gt=0)
    rule: str
    stage: Stage = Stage.CONFIRM
    deterministic: bool = False


class Challenge(Record):
    """An attempt to refute a supported claim and what came of it.

    `survived`: the gain was there again. `refutes`: the gain remains without its claimed cause. Neither: not settled.
    """

    plan: str
    kind: str
    removed: tuple[str, ...] = ()
    survived: bool
    refutes: bool = False
    estimate: float
    interval: tuple[float, float] | None
    e_value: float
    n: int
    says: str


class Attempts(Record):
    """What was tried up to a claim: the price at which it was found."""

    ideas: int
    candidates: int
    executions: int
    plans: int
    looks: int
    model_calls: int = 0


class Claim(Record):
    """What the evidence allows to be said about one plan. Built only by `flows.evidence`.

    `estimate` is the mean paired difference, signed so that up is better; `interval` is anytime-valid at `alpha` and
    absent for deterministic workloads; `level` is the e-LOND level, so the threshold was `1 / level`.
    """

    id: str
    plan: str
    idea: str
    candidate: str
    comparator: str
    statement: str
    metric: str
    verdict: Verdict
    reason: str = ""
    estimate: float
    interval: tuple[float, float] | None
    relative: float | None
    candidate_mean: float
    comparator_mean: float
    n: int
    looks: int
    e_value: float
    level: float
    alpha: float
    deterministic: bool = False
    executions: tuple[str, ...]
    attempts: Attempts
    challenges: tuple[Challenge, ...] = ()


class Lesson(Record):
    """What later rounds should know. `belief` is the probability, 0 to 1, that `factors` help."""

    id: str
    round: int
    kind: str = Field(pattern="^(helps|hurts|inert|crash|unclear)$")
    statement: str
    factors: tuple[str, ...]
    belief: float = Field(ge=0, le=1)


class Section(Record):
    """A section of prose. Numbers appear only as bindings such as `{claim:k1.estimate}`."""

    key: str
    title: str
    body: str


class Draft(Record):
    """A paper before rendering: prose with bindings, no literal results."""

    title: str
    abstract: str
    sections: tuple[Section, ...]
    by: str


class Finding(Record):
    """One point of a review: where, how grave (`minor`, `major`), what."""

    where: str
    grade: str = Field(pattern="^(minor|major)$")
    text: str


class Review(Record):
    """A checklist review: scores from 1 to 4 by criterion, findings, a decision, and by whom."""

    scores: Mapping[str, int]
    findings: tuple[Finding, ...]
    decision: str = Field(pattern="^(accept|revise|reject)$")
    by: str

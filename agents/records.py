"""The nouns of a campaign, as frozen records that cross process, file and model boundaries."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Location = Literal["centre", "median", "mean"]
"""What is claimed of the paired differences: their centre of symmetry, their median, or their mean."""


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
    condition: str | None = None
    """The template's condition it ran under; None for its own circumstances."""
    outcome: str
    reason: str = ""
    metrics: Mapping[str, float] | None = None
    wall_s: float = 0.0
    cpu_s: float | None = None
    peak_memory_mb: float | None = None
    overhead_s: float = 0.0
    backend: str = ""
    holds: Mapping[str, str] = Field(default_factory=dict)
    """What the sandbox held the programs to: promise -> enforced, watched or absent."""
    image_id: str | None = None
    data: str = ""
    """SHA-256 of the data set that its workload was given; empty when its template makes none."""
    artifacts: Mapping[str, str] = Field(default_factory=dict)
    """Collected file -> SHA-256, relative to the execution's directory."""


class Forecast(Record):
    """What a plan may be expected to do if differences are normal with the spread seen at the screen.

    `power` is the chance of support at `effect`, `power_least` that at the least effect, `expected_pairs` how many
    pairs are used at `effect` and `pairs_null` when nothing works.
    """

    effect: float
    power: float = Field(ge=0, le=1)
    power_least: float = Field(ge=0, le=1)
    expected_pairs: float
    pairs_null: float
    underpowered: bool
    """Support at the least effect is less likely than not."""


class Deviation(Record):
    """A change to a plan after it was frozen: what, why, when (ISO 8601). `changes` are the plan's new fields."""

    plan: str
    what: str = Field(min_length=1)
    why: str = Field(min_length=1)
    at: str
    changes: Mapping[str, JsonValue] = Field(default_factory=dict)


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
    condition: str | None = None
    """The template's condition that both sides run under; None for its own circumstances."""
    deterministic: bool = False
    location: Location = "centre"
    range: tuple[float, float] | None = None
    """Between which values the metric lies, as its template declares; a value beyond it is none."""
    aim: float | None = Field(default=None, gt=0)
    """The effect that is given up with probability `futility` at the most; None: no plan is given up."""
    futility: float = Field(default=0.0, ge=0, lt=1)
    varies: tuple[str, ...] = ()
    """What differs between the two sides, in words or by factor."""
    fixed: tuple[str, ...] = ()
    """What is the same on both sides, in words."""
    ablations: tuple[str, ...] = ()
    """Ingredients of a combination, each to be removed in turn before the claim counts as challenged."""
    forecast: Forecast | None = None
    deviations: tuple[Deviation, ...] = ()
    """Changes after the freeze; with any, the claim is exploratory."""


class ChallengeKind(StrEnum):
    """How a supported claim is attacked: again, without an ingredient, with nothing to gain, or elsewhere."""

    REPLICATION = "replication"
    ABLATION = "ablation"
    CONTROL = "negative control"
    CHANGE = "changed condition"


class Attack(Record):
    """A challenge that is registered: its plan, the factors an ablation takes out, or what is otherwise."""

    plan: str
    kind: ChallengeKind
    removed: tuple[str, ...] = ()
    condition: str = ""
    """What is otherwise, as it reads after "with"."""


class Challenge(Record):
    """An attempt to refute a supported claim and what came of it.

    `survived`: the gain was there again, or, in a control, it was gone. `refutes`: the gain did not repeat, remains
    without its claimed cause, or is there where nothing is to be gained. `narrows`: it is not there under a changed
    condition. None of them: not settled. `removed` are the factors an ablation took out, `condition` is what was
    otherwise, as it reads after "with".
    """

    plan: str
    kind: ChallengeKind
    removed: tuple[str, ...] = ()
    condition: str = ""
    survived: bool
    refutes: bool = False
    narrows: bool = False
    estimate: float
    interval: tuple[float, float] | None
    e_value: float
    n: int
    says: str

    @property
    def outcome(self) -> str:
        """What it did to its claim, in a word or two."""
        if self.refutes:
            return "refutes"
        if self.narrows:
            return "narrows"
        return "survived" if self.survived else "not settled"


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

    `estimate` is the mean paired difference (the median where `location` says so), signed so that up is better;
    `interval` is anytime-valid at `alpha` and absent for deterministic workloads; `level` is the e-LOND level, so the
    threshold was `1 / level`. `exploratory`: the plan was changed after it was frozen.
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
    location: Location = "centre"
    exploratory: bool = False

    @property
    def labels(self) -> tuple[str, ...]:
        """What must be said beside the verdict: exploratory after a deviation, narrowed by a changed condition."""
        narrowed = any(challenge.narrows for challenge in self.challenges)
        return (*(("exploratory",) if self.exploratory else ()), *(("narrowed",) if narrowed else ()))


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

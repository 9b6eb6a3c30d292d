"""Settings of the language-model team, as `[llm]` says them. Loads nothing else: every command reads settings."""

from __future__ import annotations

from pydantic import Field

from agents.records import Record


class Elo(Record):
    """How a tournament is run: how many pairs meet, and `rounds` of rating in steps of `k` points."""

    comparisons: int = Field(default=12, ge=0)
    k: float = Field(default=24.0, gt=0)
    rounds: int = Field(default=30, ge=1)
    parallel: int = Field(default=1, ge=1)
    """Pairs judged at a time."""


class IdeaSettings(Record):
    """How ideas are had. By default it takes one or two calls, and two more for each comparison."""

    oversample: int = Field(default=2, ge=1)
    """Ideas asked for in place of each one that is wanted; the tournament drops the surplus."""
    asks: int = Field(default=2, ge=1)
    """How often the ideator is asked when too few of its ideas can be used."""
    tournament: Elo = Elo()
    personas: tuple[str, ...] = ()
    """Colleagues, in a phrase each, who share the proposing."""
    discussion_rounds: int = Field(default=0, ge=0)
    temperatures: tuple[float, ...] = ()
    """Of the thesis, then of each round's antithesis and synthesis; the last goes on. Empty: each model's own."""
    near_cosine: float = Field(default=0.46, gt=0, le=1)
    """Cosine of the embeddings from which on two ideas are one; see `agents.llm.novelty`."""
    near_overlap: float = Field(default=0.45, gt=0, le=1)
    """Share of common words from which on two ideas are one."""
    max_tokens: int = Field(default=8192, ge=1)


class CoderSettings(Record):
    """Caps of one session: answers asked for, checks run, and characters of files, logs and actions in it.

    `checks` 0 leaves the sandbox out: then `done` is taken unrun. `shown` caps one answer, `shown_in_all` the session,
    `brief` and `sources` what the first messages hold. After the same refusal `stubborn` times the session ends.
    """

    turns: int = Field(default=24, ge=1)
    checks: int = Field(default=3, ge=0)
    shown: int = Field(default=6_000, ge=500)
    shown_in_all: int = Field(default=80_000, ge=1_000)
    brief: int = Field(default=8_000, ge=500)
    sources: int = Field(default=30_000, ge=500)
    max_tokens: int = Field(default=8_192, ge=256)
    stubborn: int = Field(default=3, ge=1)


class PanelSettings(Record):
    """How many read the paper, and how often each thinks its form over."""

    reviewers: int = Field(default=3, ge=0, le=9)
    reflections: int = Field(default=1, ge=0, le=5)


class LlmSettings(Record):
    """How the team works; `[models]` says which models it asks."""

    ideas: IdeaSettings = IdeaSettings()
    coder: CoderSettings = CoderSettings()
    panel: PanelSettings = PanelSettings()
    works: int = Field(default=8, ge=0, le=50)
    """Works of the library that ideas may build on."""
    repairs: int = Field(default=2, ge=0, le=10)
    """How often a candidate that crashed at the screen may be repaired."""
    check_s: float = Field(default=30.0, gt=0)
    """Seconds that a quick check of the coder may run."""
    kept_for_paper: float = Field(default=0.25, ge=0, lt=1)
    """Share of the budget for models that only paper and review may use."""

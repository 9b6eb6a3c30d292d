"""Settings: where things live, and the one TOML file that describes a campaign."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from agents.llm.settings import LlmSettings
from agents.model_settings import ModelSettings
from agents.records import Record
from flows.errors import SettingsInvalid
from flows.ledger.questions import Moment
from templates.manifest import line_of


class Budget(Record):
    """What a campaign may spend over its whole life, restarts included."""

    rounds: int = Field(default=2, ge=1, le=100)
    ideas_per_round: int = Field(default=6, ge=1, le=100)
    plans_per_round: int = Field(default=2, ge=1, le=20)
    executions: int = Field(default=1200, ge=10)
    wall_minutes: float = Field(default=240.0, gt=0)
    money: float | None = Field(default=None, gt=0)
    """US dollars for calls to language models; None for no cap."""
    tokens: int | None = Field(default=None, ge=1000)
    """Tokens of such calls, input and output; None for no cap."""


Role = Literal[
    "default", "ideator", "judge", "coder", "repairer", "analyst", "falsifier", "writer", "reviewer", "chair"
]
"""Whom a table `[models.<role>]` is for; `default` is everybody who has none."""


class People(Record):
    """When a copilot campaign asks, how long it waits, and what holds when nobody answers."""

    ask_at: tuple[Moment, ...] = ("ideas", "plans", "paper")
    timeout_minutes: float = Field(default=1440.0, gt=0, le=525_600)
    on_timeout: Literal["approve", "reject", "stop"] = "stop"
    """`stop` ends the process; the question stays, and `hypoloop answer` and `hypoloop resume` go on from it."""


class CampaignSpec(Record):
    """One campaign: template, team, strategy, budget, seed. Everything a replay needs."""

    # What was mistyped may hold a password, which no error must repeat.
    model_config = ConfigDict(hide_input_in_errors=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,59}$")
    template: str
    template_folder: str | None = None
    """A folder of your own that holds the template; None for the templates that are installed."""
    question: str | None = None
    team: str = "embedded"
    strategy: str = "greedy"
    sandbox: Literal["auto", "docker", "podman", "bubblewrap", "process"] = "auto"
    runtime: str | None = None
    """Another runtime of the container engine, such as gVisor's; it is used only if the self-check passes under it."""
    allow_weak_sandbox: bool = False
    """Let code that a model wrote run where nothing confines it. The journal records it."""
    seed: int = Field(default=1, ge=0)
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    slots: int | None = Field(default=None, ge=1, le=256)
    """Executions at a time; None for the number of processor cores."""
    thoughts: int = Field(default=4, ge=1, le=64)
    """Ideas that are put into code at a time."""
    budget: Budget = Budget()
    mode: Literal["autopilot", "copilot"] = "autopilot"
    """Whether people are asked on the way; see `people`."""
    people: People = People()
    models: Mapping[Role, ModelSettings] = Field(default_factory=dict)
    """Which model each role asks; `default` for all roles that are not named. Team "llm" needs it."""
    llm: LlmSettings = LlmSettings()
    replay_of: str | None = None
    """The campaign whose stored answers this one runs on, as `hypoloop run --replay` sets it; None asks the models."""

    @property
    def horizon(self) -> int:
        """How many plans the campaign may register at the most; e-LOND spreads its level over them."""
        return self.budget.rounds * self.budget.plans_per_round

    def slot_count(self) -> int:
        """Executions at a time on this machine."""
        return self.slots or len(os.sched_getaffinity(0))


def home_folder(given: str | None = None) -> Path:
    """Return the hypoloop home: `given`, else `$HYPOLOOP_HOME`, else `.hypoloop` in the working directory."""
    return Path(given or os.environ.get("HYPOLOOP_HOME") or ".hypoloop").expanduser().resolve()


def campaign_folder(home: Path, name: str) -> Path:
    """Where the campaign `name` lives."""
    return home / "campaigns" / name


def home_of(folder: Path) -> Path:
    """Return the home that a campaign's folder lies in."""
    return folder.parent.parent


def is_bundle(told: str) -> bool:
    """Say whether what a command was given is the file of a bundle; no campaign's name holds a dot."""
    return told.endswith(".zip")


def template_folders(spec: CampaignSpec) -> tuple[Path, ...]:
    """Return the folder of the user's own templates, if the campaign names one.

    Raises:
        SettingsInvalid: it is not there.
    """
    if spec.template_folder is None:
        return ()
    folder = Path(spec.template_folder).expanduser()
    if not folder.is_dir():
        raise SettingsInvalid(f"template_folder: there is no folder {folder}.")
    return (folder,)


def read_spec(path: Path, environ: Mapping[str, str]) -> CampaignSpec:
    """Read a campaign file; `HYPOLOOP__SECTION__KEY` variables override it.

    Raises:
        SettingsInvalid: the file is missing or says something it must not, with the line of the fault.
    """
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except FileNotFoundError as error:
        raise SettingsInvalid(f"There is no file {path}. `hypoloop init` writes one to start from.") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsInvalid(f"{path} cannot be read: {error}.") from error
    return spec_of(overridden(values, environ), where=str(path), text=text)


def overridden(values: dict[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """Lay `HYPOLOOP__KEY` and `HYPOLOOP__SECTION__KEY` over the values of a file."""
    result = {key: dict(value) if isinstance(value, dict) else value for key, value in values.items()}
    for variable, value in environ.items():
        if not variable.startswith("HYPOLOOP__"):
            continue
        *sections, key = variable.removeprefix("HYPOLOOP__").lower().split("__")
        table = result
        for section in sections:
            table = table.setdefault(section, {})
        table[key] = value
    return result


def spec_of(values: Mapping[str, Any], where: str, text: str = "") -> CampaignSpec:
    """Validate the values of a campaign file.

    Raises:
        SettingsInvalid: names the first fault, its line and what was expected.
    """
    try:
        return CampaignSpec.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        line = line_of(text, first["loc"])
        place = f"{where}, line {line}" if line else where
        key = ".".join(str(part) for part in first["loc"])
        known = ", ".join(name for name in CampaignSpec.model_fields if name != "replay_of")
        hint = f" Known keys: {known}." if first["type"] == "extra_forbidden" and len(first["loc"]) == 1 else ""
        raise SettingsInvalid(f"{place}: {key}: {first['msg']}.{hint}") from error

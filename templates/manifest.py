"""The manifest: what `template.toml` may say, and reading it with faults named by line."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sandboxes.contract import Limits, Promise
from templates.constraints import Constraint
from templates.errors import ManifestInvalid

HEATS = 3
"""How many times the screen's first number of seeds a race may take."""


class Part(BaseModel):
    """Base of the manifest's tables: frozen, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Metric(Part):
    """The number an execution is judged by."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    direction: Literal["minimize", "maximize"]
    least_effect: float = Field(gt=0)
    unit: str = ""
    location: Literal["centre", "median", "mean"] = "centre"
    """What is claimed of the paired differences. The mean needs `range`."""
    range: tuple[float, float] | None = None
    """Between which values the metric lies for certain, ends included."""

    @model_validator(mode="after")
    def _bounded(self) -> Metric:
        if self.range is None:
            if self.location == "mean":
                raise ValueError("a claim about the mean needs range = [lo, hi], between which the metric always lies")
        elif not self.range[1] - self.range[0] > self.least_effect:
            raise ValueError("range = [lo, hi] must rise, and by more than least_effect")
        return self


class Seeds(Part):
    """Seed policy: search seeds are `search_from`, +1, ...; confirm seeds come from a disjoint range."""

    screen: int = Field(default=3, ge=2)
    confirm: int = Field(default=16, ge=4)
    search_from: int = Field(default=1, ge=0)
    confirm_from: int = Field(default=1001, ge=0)
    deterministic: bool = False
    """The metric does not depend on the seed."""
    repeatable: bool = True
    """The same seed gives the same number."""

    @model_validator(mode="after")
    def _apart(self) -> Seeds:
        if abs(self.search_from - self.confirm_from) < 100:
            raise ValueError("search_from and confirm_from must lie at least 100 apart, so that no seed serves both")
        if self.search_from < self.confirm_from < self.search_from + HEATS * self.screen:
            raise ValueError("confirm_from must lie beyond the seeds of a screen, which may take three times `screen`")
        return self


class Image(Part):
    """What the sandbox image needs beside Python: exact pip requirements."""

    requirements: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _without_login(self) -> Image:
        if any(re.search(r"://[^/\s]*@", line) for line in self.requirements):
            raise ValueError(
                "an address in requirements holds a login, which the image and every bundle would tell; leave it to "
                "pip's own settings, such as PIP_INDEX_URL or ~/.netrc"
            )
        return self


class Factor(Part):
    """One thing that may be changed: a knob (a constant gets a value) or an intervention (definitions are replaced).

    `file` is an editable path. A knob names the module-level constant `symbol` and the new `value` as a Python
    literal. An intervention names a file of replacement definitions, `source`, relative to the template's root.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    kind: Literal["knob", "intervention"]
    title: str
    mechanism: str
    file: str
    symbol: str | None = None
    value: str | None = None
    source: str | None = None
    source_of_idea: str = ""

    @model_validator(mode="after")
    def _complete(self) -> Factor:
        wanted = {"knob": ("symbol", "value"), "intervention": ("source",)}[self.kind]
        missing = [key for key in wanted if getattr(self, key) is None]
        if missing:
            raise ValueError(f"factor {self.name!r} is a {self.kind} and needs {', '.join(missing)}")
        if self.value is not None:
            _literal(self.value)
        return self


class Condition(Part):
    """Other circumstances under which a claim is attacked. The protected code is told `--condition name`.

    A `control` takes away what there is to be gained (labels shuffled, no signal), so that no gain may remain. A
    `change` is another instance, size or level of noise: a gain that is not there narrows what may be said.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    kind: Literal["control", "change"]
    title: str = Field(pattern=r"^[^0-9{}]+$")
    """What is otherwise, in words that read after "with", as in "with half the budget"; no digits."""
    why: str


class Manifest(Part):
    """`template.toml`, validated."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    title: str
    question: str
    domain: str
    method: str
    source: tuple[str, ...] = ()
    metric: Metric
    secondary: tuple[str, ...] = ()
    resources: Limits = Limits()
    evaluator_resources: Limits = Limits()
    editable: tuple[str, ...]
    outputs: tuple[str, ...]
    image: Image = Image()
    requires: tuple[Promise, ...] = ()
    """What a sandbox must enforce, not merely watch, for this template to be run in it."""
    seeds: Seeds = Seeds()
    factors: tuple[Factor, ...] = ()
    conditions: tuple[Condition, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    """What ideas and patches of a team that thinks for itself must keep to."""
    limits_of_study: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _names(self) -> Manifest:
        for what, names in (
            ("metric", (self.metric.name, *self.secondary)),
            ("factor", tuple(factor.name for factor in self.factors)),
            ("condition", tuple(condition.name for condition in self.conditions)),
            ("constraint", tuple(constraint.name for constraint in self.constraints)),
        ):
            twice = {name for name in names if names.count(name) > 1}
            if twice:
                raise ValueError(f"{what} named twice: {', '.join(sorted(twice))}")
        for path in (*self.editable, *self.outputs, *(f.source for f in self.factors if f.source)):
            if not path or path.startswith("/") or "\\" in path or ".." in path.split("/"):
                raise ValueError(f"path {path!r} must be relative and stay inside its folder")
        return self


def read_manifest(path: Path) -> Manifest:
    """Read and validate `template.toml`.

    Raises:
        ManifestInvalid: names the file, the line where there is one, and what to do.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestInvalid(
            f"{path} cannot be read ({error}). A template is a folder with a UTF-8 template.toml in it."
        ) from error
    try:
        return Manifest.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ManifestInvalid(f"{path} is no valid TOML: {error}. Correct that line.") from error
    except ValidationError as error:
        faults = [_fault(path, text, dict(fault)) for fault in error.errors()]
        raise ManifestInvalid("\n".join(faults)) from error


def line_of(text: str, keys: Sequence[str | int]) -> int | None:
    """Return the line, from 1, on which the TOML in `text` sets what `keys` leads to, as near as can be found.

    A key that is not there is answered with the line of the table that lacks it.
    """
    lines, found, start = text.splitlines(), None, 0
    for depth, key in enumerate(keys):
        if isinstance(key, int):
            continue
        count = keys[depth + 1] if depth + 1 < len(keys) else 0
        skip = count if isinstance(count, int) else 0
        pattern = re.compile(rf"^\s*(?:\[+\s*(?:[\w.-]+\.)?{re.escape(key)}\s*\]+|\"?{re.escape(key)}\"?\s*=)")
        hits = [number for number, line in enumerate(lines[start:], start) if pattern.match(line)]
        if not hits:
            break
        # Entries of an inline array share one line: there the count cannot be followed.
        found = start = hits[min(skip, len(hits) - 1)]
    return None if found is None else found + 1


def _fault(path: Path, text: str, fault: dict[str, object]) -> str:
    keys = fault["loc"]
    assert isinstance(keys, tuple)
    line = line_of(text, keys)
    where = f"{path}, line {line}" if line else str(path)
    what = {
        "missing": "this key is missing. Add it.",
        "extra_forbidden": "this key is not known. Remove it or correct its name.",
    }.get(str(fault["type"]), f"{fault['msg']}. Correct it.")
    name = ".".join(f"{key + 1}" if isinstance(key, int) else key for key in keys)
    return f"{where}: {name + ': ' if name else ''}{what}"


def _literal(value: str) -> None:
    try:
        ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError(f"value {value!r} is no Python literal, such as 0.5, 128 or 'relu'") from error

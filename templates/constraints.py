"""Constraints: what a template forbids or demands of ideas and patches, as its manifest says it."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

COUNTED = frozenset({"max_files", "max_added_lines"})


class Constraint(BaseModel):
    """One rule of a template; `why` is told to whoever breaks it.

    `value` is a regular expression for `forbid_text` and `require_text` (searched with `re.MULTILINE`), a dotted name
    for `forbid_import` (with everything below it) and `forbid_symbol`, a number for `max_files` and `max_added_lines`.
    Only texts are asked of an idea.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    kind: Literal["forbid_text", "require_text", "max_files", "forbid_import", "max_added_lines", "forbid_symbol"]
    applies_to: Literal["idea", "patch"]
    value: str | int
    why: str = Field(min_length=1)

    @model_validator(mode="after")
    def _fitting(self) -> Constraint:
        if self.applies_to == "idea" and not self.kind.endswith("_text"):
            raise ValueError(f"{self.kind} is asked of patches; for an idea there are forbid_text and require_text")
        if self.kind in COUNTED:
            if not isinstance(self.value, int) or self.value < 0:
                raise ValueError(f"{self.kind} needs a whole number of at least 0 as its value")
        elif not isinstance(self.value, str) or not self.value:
            raise ValueError(f"{self.kind} needs a text as its value")
        elif self.kind.endswith("_text"):
            try:
                re.compile(self.value)
            except re.error as error:
                raise ValueError(f"value is no regular expression: {error}") from None
        return self

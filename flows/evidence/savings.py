"""What looking early saved: executions used, beside a design with a fixed number of seeds for every candidate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agents.records import Execution, Stage

FIXED_PAIRS = 20
"""Seeds of the fixed design, the number that careful studies of this kind run."""


@dataclass(frozen=True)
class Saved:
    """Executions that a campaign used to decide over `candidates`, and what a fixed design would have used.

    `fixed` runs each candidate and its comparator on fresh seeds of their own, the protection that plans give;
    `fixed_shared` lets all candidates share one set of baseline runs, so that one unlucky baseline errs for them all.
    Challenges are beside the comparison: a fixed design would owe them too.
    """

    candidates: int
    screen: int
    confirm: int
    challenge: int
    fixed: int
    fixed_shared: int

    @property
    def used(self) -> int:
        """Executions used up to the verdicts."""
        return self.screen + self.confirm

    @property
    def share(self) -> float:
        """The part of the fixed design that was not run; negative when more was run."""
        return 1.0 - self.used / self.fixed if self.fixed else 0.0

    @property
    def share_shared(self) -> float:
        """The same against the fixed design that shares its baseline runs."""
        return 1.0 - self.used / self.fixed_shared if self.candidates else 0.0


def saved(executions: Sequence[Execution], pairs: int = FIXED_PAIRS) -> Saved:
    """Return what a campaign's executions saved against `pairs` pairs for every candidate that was screened."""
    count = {stage: sum(execution.stage is stage for execution in executions) for stage in Stage}
    candidates = len({execution.candidate for execution in executions if execution.stage is Stage.SCREEN})
    return Saved(
        candidates=candidates,
        screen=count[Stage.BASELINE] + count[Stage.SCREEN],
        confirm=count[Stage.CONFIRM],
        challenge=count[Stage.CHALLENGE],
        fixed=2 * pairs * candidates,
        fixed_shared=pairs * (candidates + 1),
    )

"""How sure each plan must be, so that few of the campaign's discoveries are false: e-LOND.

Plan t of a campaign gets the level `alpha * (discoveries so far + 1) / horizon` and is a discovery when its e-value
reaches 1 / level. The horizon, how many plans the campaign may register, is declared beforehand and every plan gets
the same share of it: an open-ended sequence would starve the later ones. Source: Xu and Ramdas (2024), "Online multiple
testing with e-values"; the false discovery rate is at most alpha under any dependence between the plans.

Plans may run side by side. A level is granted when its plan is frozen, from what is a discovery by then; a plan that
is not decided counts as none. The proof needs only that a level counts no more discoveries than the campaign ends
with beside the plan itself, so waiting decisions make it stricter, never wrong. For the same reason count a claim
as a discovery only once its challenges are settled: one that is refuted later would have lent its level.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from flows.evidence.errors import PlanRefused

if TYPE_CHECKING:
    from online_fdr.core.abstract.abstract_gamma_seq import AbstractGammaSequence


class _EqualShares:
    """The share of alpha of each plan: the same for all of them up to the horizon, nothing beyond."""

    def __init__(self, horizon: int) -> None:
        self._horizon = horizon

    def calc_gamma(self, j: int, **_: Any) -> float:
        return 1.0 / self._horizon if j <= self._horizon else 0.0


def next_level(alpha: float, horizon: int, decided: Sequence[bool]) -> float:
    """Return the level of the next plan. `decided` holds, for every plan frozen so far, whether it is a discovery.

    Raises:
        PlanRefused: the horizon is used up, or alpha or the horizon make no sense.
    """
    if not 0 < alpha < 1 or horizon < 1:
        raise PlanRefused(f"alpha must lie between 0 and 1 and horizon be at least 1, not {alpha} and {horizon}.")
    if len(decided) >= horizon:
        raise PlanRefused(
            f"The campaign declared {horizon} plans and has frozen {len(decided)}. A further one would have no share "
            "of its error rate: close the campaign, or start another with a larger number of plans."
        )
    from online_fdr.e_values.sequential import ELond

    procedure = ELond(alpha, cast("AbstractGammaSequence", _EqualShares(horizon)))
    for discovery in decided:
        procedure.test_one(math.inf if discovery else 0.0)
    procedure.test_one(0.0)
    level = procedure.last_test_level
    if level is None or not 0 < level < 1:
        raise PlanRefused(f"e-LOND grants no level to plan {len(decided) + 1} (it says {level}).")
    return level

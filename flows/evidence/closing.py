"""The closing report: all plans of a campaign looked at together, once it is over (e-BH).

Sort the e-values, largest first. The k-th stands when it is at least horizon / (alpha k), and so does every larger
one. The false discovery rate of what stands is at most alpha under any dependence, whatever plan was stopped when.
The number of plans is the declared horizon: plans that were never registered count as e-values of zero, so that when
to stop registering may depend on what was seen.

e-LOND decides as the campaign goes and must not look ahead; what it discovered stands here too, and e-BH may add
plans that came too early to profit from later discoveries. A plan added so has shown an improvement; whether it is as
large as registered, its verdict and interval say, and neither is changed by this report.

Source: Wang and Ramdas (2022), "False discovery rate control with e-values".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agents.records import Claim, Verdict
from flows.evidence.errors import PlanRefused


@dataclass(frozen=True)
class Closing:
    """What stands at `alpha` when the e-values of all `horizon` plans are looked at together.

    `threshold` is the least e-value that stands, None when none does. `stands` are the supported claims among them,
    `added` those that e-LOND had left inconclusive: an improvement is shown, its size is not settled. `lost` are
    supported claims that are tested and do not stand; there can be none while levels are granted by e-LOND.
    """

    alpha: float
    horizon: int
    threshold: float | None
    stands: tuple[str, ...]
    added: tuple[str, ...]
    lost: tuple[str, ...]


def closing(claims: Sequence[Claim], alpha: float, horizon: int) -> Closing:
    """Return the closing report over the claims of a campaign, one per plan.

    Deterministic claims were not tested and exploratory ones have lost their odds: neither stands nor is lost.

    Raises:
        PlanRefused: there are more tested claims than the horizon declares.
    """
    tested = [claim for claim in claims if not claim.deterministic and not claim.exploratory]
    rejected = e_bh([claim.e_value for claim in tested], alpha, horizon)
    shown = [claim for claim, hit in zip(tested, rejected, strict=True) if hit]
    return Closing(
        alpha=alpha,
        horizon=horizon,
        threshold=min((claim.e_value for claim in shown), default=None),
        stands=tuple(claim.id for claim in shown if claim.verdict is Verdict.SUPPORTED),
        added=tuple(claim.id for claim in shown if claim.verdict is Verdict.INCONCLUSIVE),
        lost=tuple(claim.id for claim in tested if claim.verdict is Verdict.SUPPORTED and claim not in shown),
    )


def e_bh(e_values: ArrayLike, alpha: float, horizon: int) -> NDArray[np.bool_]:
    """Return which of `e_values`, shape `[k]`, e-BH rejects at `alpha` out of `horizon` hypotheses.

    Raises:
        PlanRefused: there are more e-values than the horizon declares.
    """
    e = np.asarray(e_values, dtype=np.float64)
    if e.size > horizon:
        raise PlanRefused(f"The campaign declared {horizon} plans and has {e.size} e-values; correct the horizon.")
    falling = np.sort(e)[::-1]
    # What e-LOND rejected at equality must stand here too, whatever the last digit says.
    enough = falling * np.arange(1, e.size + 1) * alpha >= horizon * (1 - 1e-12)
    count = int(np.flatnonzero(enough).max()) + 1 if enough.any() else 0
    rejected: NDArray[np.bool_] = e >= falling[count - 1] if count else np.zeros(e.size, dtype=np.bool_)
    return rejected

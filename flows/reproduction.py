"""Reproduction: a claim's executions as they were recorded, beside the same ones run again. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import NamedTuple

from agents.records import Claim, Execution, Plan, Verdict
from flows.evidence import EvidenceError, judge, pair, rederive
from flows.ledger.state import CampaignState

OPPOSED = {Verdict.SUPPORTED, Verdict.REFUTED}


class Rerun(NamedTuple):
    """One execution as the journal has it, and as it came out now."""

    recorded: Execution
    now: Execution


@dataclass(frozen=True)
class Row:
    """One line of the comparison. `recorded` and `now` are the claim's metric, or the outcome where there is none.

    `differs` tells of every metric that is not equal, `same_outputs` whether the files it was scored on are.
    """

    plan: str
    seed: int
    candidate: str
    recorded: float | str
    now: float | str
    equal: bool
    differs: tuple[str, ...]
    same_outputs: bool


@dataclass(frozen=True)
class Effect:
    """A plan's effect as it was recorded, with its interval, and on the executions of now (None: no pair of them)."""

    plan: str
    recorded: float
    interval: tuple[float, float] | None
    now: float | None

    @property
    def inside(self) -> bool | None:
        """Whether the effect of now lies in the recorded interval; None when there is no interval."""
        if self.interval is None:
            return None
        return self.now is not None and self.interval[0] <= self.now <= self.interval[1]


@dataclass(frozen=True)
class Reproduction:
    """What came of it. `verdict_now` is what the plan's rule says of the executions of now, None when nothing."""

    campaign: str
    claim: str
    statement: str
    verdict: Verdict
    verdict_now: Verdict | None
    effects: tuple[Effect, ...]
    rows: tuple[Row, ...]
    repeatable: bool
    reproduced: bool
    says: str
    notes: tuple[str, ...] = ()


def plans_behind(claim: Claim, state: CampaignState, challenges: bool) -> list[Plan]:
    """Return the plan of a claim, and with `challenges` those that challenged it."""
    attacks = [state.plans[challenge.plan] for challenge in claim.challenges] if challenges else []
    return [state.plans[claim.plan], *attacks]


def executions_behind(claim: Claim, state: CampaignState, challenges: bool) -> list[Execution]:
    """Return what there is to run again: every execution that those plans registered and that came to an end."""
    plans = {plan.id for plan in plans_behind(claim, state, challenges)}
    return [e for e in state.executions.values() if e.plan in plans and e.outcome != "cancelled"]


def compared(
    claim: Claim, state: CampaignState, reruns: Sequence[Rerun], repeatable: bool, notes: Sequence[str] = ()
) -> Reproduction:
    """Compare what was recorded with what came out now.

    Where the template says that the same seed gives the same number (`repeatable`), every metric must be equal to the
    last bit and the verdict the same. Where it does not, the effect must lie in the recorded interval, and no verdict
    may be turned into its opposite.
    """
    plans = {plan.id: plan for plan in state.plans.values()}
    ordered = sorted(reruns, key=lambda rerun: _place(rerun.recorded, plans))
    rows = tuple(_row(rerun, plans[str(rerun.recorded.plan)]) for rerun in ordered)
    now = {rerun.now.key: rerun.now for rerun in reruns}
    merged = [now.get(e.key, e) for e in state.executions.values()]
    again = _verdict(claim, state, merged)
    effects = tuple(_effects(claim, plans, [rerun.now for rerun in reruns]))
    same = all(row.equal for row in rows) and again is claim.verdict
    close = all(effect.inside is not False for effect in effects) and _agree(claim.verdict, again, effects)
    reproduced = bool(rows) and (same if repeatable else close)
    found = Reproduction(
        campaign=state.name,
        claim=claim.id,
        statement=claim.statement,
        verdict=claim.verdict,
        verdict_now=again,
        effects=effects,
        rows=rows,
        repeatable=repeatable,
        reproduced=reproduced,
        says="",
        notes=tuple(notes),
    )
    return Reproduction(**{**vars(found), "says": _sentence(found)})


def _place(execution: Execution, plans: Mapping[str, Plan]) -> tuple[int, int, bool]:
    """Plan by plan as registered, seed by seed, the candidate before what it is compared with."""
    plan = plans[str(execution.plan)]
    return list(plans).index(plan.id), execution.seed, execution.candidate != plan.candidate


def _row(rerun: Rerun, plan: Plan) -> Row:
    before, now = rerun
    was, came = dict(before.metrics or {}), dict(now.metrics or {})
    differs = tuple(
        f"{name} {was.get(name, 'nothing')} recorded, {came.get(name, 'nothing')} now"
        for name in sorted(was.keys() | came.keys())
        if was.get(name) != came.get(name)
    )
    if before.outcome != now.outcome:
        differs = (f"outcome {before.outcome} recorded, {now.outcome} now", *differs)
    return Row(
        plan=plan.id,
        seed=before.seed,
        candidate=before.candidate,
        recorded=was.get(plan.metric, before.outcome),
        now=came.get(plan.metric, now.outcome),
        equal=not differs,
        differs=differs,
        same_outputs=_outputs(before) == _outputs(now),
    )


def _outputs(execution: Execution) -> dict[str, str]:
    return {name: digest for name, digest in execution.artifacts.items() if name.startswith("out/")}


def _verdict(claim: Claim, state: CampaignState, executions: Sequence[Execution]) -> Verdict | None:
    """Return what the rules say of these executions: the plan's own, then the challenges' where it was supported."""
    plan = state.plans[claim.plan]
    try:
        decision = judge(plan, *_sides(plan, executions))
        if decision.verdict is not Verdict.SUPPORTED or not claim.challenges:
            return decision.verdict
        return rederive(claim, state.plans, state.ideas, executions).verdict
    except EvidenceError:
        return None


def _sides(plan: Plan, executions: Sequence[Execution]) -> tuple[list[Execution], list[Execution]]:
    own = [execution for execution in executions if execution.plan == plan.id]
    return [e for e in own if e.candidate == plan.candidate], [e for e in own if e.candidate == plan.comparator]


def _effects(claim: Claim, plans: Mapping[str, Plan], executions: Sequence[Execution]) -> list[Effect]:
    """Return the effect of every plan that was run again."""
    ran = {execution.plan for execution in executions}
    recorded = {claim.plan: (claim.estimate, claim.interval)}
    recorded |= {challenge.plan: (challenge.estimate, challenge.interval) for challenge in claim.challenges}
    found = []
    for id_, (estimate, interval) in recorded.items():
        if id_ not in ran:
            continue
        differences = pair(plans[id_], *_sides(plans[id_], executions)).differences
        middle = median if plans[id_].location == "median" else fmean
        found.append(Effect(id_, estimate, interval, middle(differences) if differences else None))
    return found


def _agree(recorded: Verdict, now: Verdict | None, effects: Sequence[Effect]) -> bool:
    """Whether no verdict was turned round; where no interval binds the effect, it must be the very same."""
    if any(effect.inside is None for effect in effects):
        return recorded is now
    return recorded is now or {recorded, now} != OPPOSED


def _sentence(found: Reproduction) -> str:
    head = f"{found.claim} {'reproduces' if found.reproduced else 'does not reproduce'}:"
    differ = [row for row in found.rows if not row.equal]
    verdicts = f"the rule says {found.verdict_now or 'nothing yet'}, the record {found.verdict}"
    if not found.rows:
        return f"{head} no execution stands behind it, so there is nothing to run again."
    if not differ and found.verdict_now is found.verdict:
        return f"{head} {len(found.rows)} of {len(found.rows)} executions are equal to the last bit; {verdicts}."
    if not differ:
        return f"{head} the executions are those recorded, but {verdicts}."
    effects = " ".join(map(_in_words, found.effects))
    if not found.repeatable:
        why = "The template does not promise the same number for the same seed."
        return f"{head} {effects} {verdicts[0].upper()}{verdicts[1:]}. {why}"
    first = differ[0]
    what = f"{len(differ)} of {len(found.rows)} executions came out otherwise, first seed {first.seed} of "
    return f"{head} {what}{first.candidate} ({first.differs[0]}). {effects} {verdicts[0].upper()}{verdicts[1:]}."


def _in_words(effect: Effect) -> str:
    if effect.now is None:
        return f"Plan {effect.plan} has no effect now: no pair gave two numbers."
    seen = f"The effect under plan {effect.plan} is {effect.now:+.4g} now and was {effect.recorded:+.4g}"
    if effect.interval is None:
        return f"{seen}; no interval was recorded."
    where = "inside" if effect.inside else "outside"
    return f"{seen}: {where} the recorded interval [{effect.interval[0]:.4g}, {effect.interval[1]:.4g}]."

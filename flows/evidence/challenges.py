"""Challenges: attempts to refute a supported claim. They are registered like any plan and can only take a claim away.

- replication: the same comparison on further seeds; a gain that is ruled out there refutes the claim;
- ablation: the candidate against itself without one ingredient; a gain that is ruled out there means that the
  ingredient was not its cause, and the claim is refuted as stated;
- negative control: candidate and comparator where there is nothing to be gained; a gain that is shown there refutes;
- changed condition: candidate and comparator on another instance, size or level of noise; a gain that is ruled out
  there narrows the claim to the circumstances it was registered for.

Each is decided at the campaign's full alpha and is never given up early: only a refutation is worth its price.
"""

from __future__ import annotations

from collections.abc import Sequence

from agents.records import Attack, Challenge, ChallengeKind, Claim, Plan, Stage, Verdict
from flows.evidence.decide import Decision
from flows.evidence.errors import ClaimRefused

SAYS = {
    (ChallengeKind.REPLICATION, Verdict.SUPPORTED): "The gain was there again on further seeds.",
    (ChallengeKind.REPLICATION, Verdict.REFUTED): "The gain was not there again on further seeds.",
    (ChallengeKind.ABLATION, Verdict.SUPPORTED): "The gain was there again, and it goes when {removed} is removed.",
    (ChallengeKind.ABLATION, Verdict.REFUTED): "The gain remains without its claimed cause {removed}.",
    (
        ChallengeKind.CONTROL,
        Verdict.SUPPORTED,
    ): "The gain is there even with {condition}, where nothing is to be gained.",
    (ChallengeKind.CONTROL, Verdict.REFUTED): "The gain is gone with {condition}, where nothing is to be gained.",
    (ChallengeKind.CHANGE, Verdict.SUPPORTED): "The gain is there with {condition} too.",
    (ChallengeKind.CHANGE, Verdict.REFUTED): "The gain is not there with {condition}.",
}
UNSETTLED = "Not settled with the pairs that were registered"


def attack_of(challenge: Challenge) -> Attack:
    """Return the attack that a recorded challenge was."""
    return Attack(plan=challenge.plan, kind=challenge.kind, removed=challenge.removed, condition=challenge.condition)


def attack_title(attack: Attack | Challenge) -> str:
    """Name an attack, as in "negative control with the labels shuffled"."""
    if attack.condition:
        return f"{attack.kind} with {attack.condition}"
    return f"{attack.kind} of {_named(attack.removed)}" if attack.removed else str(attack.kind)


def judge_challenge(plan: Plan, decision: Decision, attack: Attack) -> Challenge:
    """Return what came of a challenge that `plan` registered.

    Raises:
        ClaimRefused: the plan is no challenge, or is undecided.
    """
    verdict = decision.verdict
    if plan.stage is not Stage.CHALLENGE or verdict is None:
        raise ClaimRefused(f"Plan {plan.id} is no challenge that was decided.")
    if attack.plan != plan.id or (plan.condition is None) is not (attack.condition == ""):
        raise ClaimRefused(f"Plan {plan.id} did not run as a {attack_title(attack)}.")
    gained, lost = verdict is Verdict.SUPPORTED, verdict is Verdict.REFUTED
    control = attack.kind is ChallengeKind.CONTROL
    change = attack.kind is ChallengeKind.CHANGE
    return Challenge(
        plan=plan.id,
        kind=attack.kind,
        removed=attack.removed,
        condition=attack.condition,
        survived=lost if control else gained,
        refutes=gained if control else lost and not change,
        narrows=lost and change,
        estimate=decision.estimate or 0.0,
        interval=decision.interval,
        e_value=decision.e_value,
        n=decision.n,
        says=_says(attack, verdict),
    )


def with_challenge(claim: Claim, challenge: Challenge) -> Claim:
    """Return the claim with one more challenge: refuted as stated, narrowed, or as it stood.

    A claim that an earlier challenge refuted stays refuted; what the others found is recorded beside it.

    Raises:
        ClaimRefused: the claim's own test did not support it, or it had this very challenge.
    """
    refuted_before = any(earlier.refutes for earlier in claim.challenges)
    if claim.verdict is not Verdict.SUPPORTED and not refuted_before:
        raise ClaimRefused(f"Claim {claim.id} is {claim.verdict}; only a supported claim is challenged.")
    if challenge.plan == claim.plan or any(challenge.plan == earlier.plan for earlier in claim.challenges):
        raise ClaimRefused(f"Plan {challenge.plan} says nothing new about claim {claim.id}.")
    changes: dict[str, object] = {"challenges": (*claim.challenges, challenge)}
    if challenge.refutes and not refuted_before:
        changes |= {"verdict": Verdict.REFUTED, "reason": challenge.says}
    if (challenge.refutes and not refuted_before) or challenge.narrows:
        joined = "yet" if challenge.refutes else "but"
        changes["statement"] = f"{claim.statement.rstrip('.')}, {joined} {_inside(challenge.says)}"
    return claim.model_copy(update=changes)


def _says(attack: Attack, verdict: Verdict) -> str:
    """Say what came of it, without a number."""
    told = SAYS.get((attack.kind, verdict), f"{UNSETTLED}: {attack_title(attack)}.")
    return told.format(removed=_named(attack.removed), condition=attack.condition)


def _named(removed: Sequence[str]) -> str:
    """Name factors in a sentence; a name that holds a digit gives way to a phrase, for numbers are bound elsewhere."""
    plain = [name for name in removed if not any(char.isdigit() for char in name)]
    return ", ".join(plain) if len(plain) == len(removed) and plain else "the removed part"


def _inside(sentence: str) -> str:
    return f"{sentence[0].lower()}{sentence[1:]}"

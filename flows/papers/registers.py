"""What was registered and what became of it: plans, forecasts, deviations, and the attacks on what was supported."""

from __future__ import annotations

import json
from collections.abc import Iterator

from agents.records import Attack, Challenge, ChallengeKind, Claim, Deviation, Plan, Stage
from agents.team import Dossier
from flows.papers.material import Material
from flows.papers.numbers import integers
from flows.papers.tables import DASH, Table, shown, verdict
from flows.papers.typst import Script, escape

AGAIN = "nothing; further seeds"
"""What is otherwise in a replication."""


def plans(material: Material, script: Script) -> str:
    """What was to decide each hypothesis, as it was registered before it was run."""
    table = Table(
        "tab-plans",
        "Registered plans. Each was frozen in the journal before the first of its executions; seeds are spent in order "
        "and the rule is applied after as many pairs as the column of looks says.",
        {"Plan": ("auto", "left"), "Hypothesis": ("1fr", "left"), "Compares": ("auto", "left"),
         "Varies": ("auto", "left"), "Seeds": ("auto", "right"), "Looks at": ("auto", "right"),
         "Least effect": ("auto", "right"), "Level": ("auto", "right")},
    )  # fmt: skip
    for plan in material.dossier.plans:
        if plan.stage is not Stage.CHALLENGE:
            key = f"plan:{plan.id}"
            fields = ("seeds", "looks", "least_effect", "level")
            table.row([
                escape(plan.id), script.value(f"idea:{plan.idea}.title"), _sides(plan),
                " \\ ".join(map(escape, plan.varies)) or DASH, *(script.value(f"{key}.{name}") for name in fields),
            ])  # fmt: skip
    return table.markup()


def held_fixed(material: Material, script: Script) -> str:
    """What every plan held fixed, or each where they differ, and whether anything was changed after the freeze."""
    registered = material.dossier.plans
    told = [plan for plan in registered if plan.fixed]
    if not told:
        return ""
    if all(plan.fixed == told[0].fixed for plan in told):
        kept = f"in every plan: {script.value(f'plan:{told[0].id}.fixed')}."
    else:
        kept = " ".join(f"in {escape(plan.id)}: {script.value(f'plan:{plan.id}.fixed')}." for plan in told)
    changed = any(plan.deviations for plan in registered)
    after = "@tab-deviations says what was changed after a plan was frozen." if changed else (
        "No plan was changed after it was frozen."
    )  # fmt: skip
    return f"#runin[Held fixed,] {kept} {after}"


def deviations(material: Material, script: Script) -> str:
    """Every change to a plan after its freeze."""
    table = Table(
        "tab-deviations",
        "Deviations: changes to plans after they were frozen. The odds that were registered are gone, so that what a "
        "changed plan shows is exploratory, lends no error rate to later plans and is no discovery.",
        {"Plan": ("auto", "left"), "When": ("auto", "left"), "What": ("1fr", "left"), "Why": ("1fr", "left"),
         "Changed to": ("auto", "left")},
    )  # fmt: skip
    for plan in material.dossier.plans:
        for index, deviation in enumerate(plan.deviations):
            key = f"plan:{plan.id}.deviations.{index}"
            table.row([
                escape(plan.id), *(script.value(f"{key}.{name}") for name in ("at", "what", "why")),
                " \\ ".join(map(escape, changed_to(deviation))) or "no field of the plan",
            ])  # fmt: skip
    return table.markup()


def changed_to(deviation: Deviation) -> list[str]:
    """Return the fields that a deviation changed, each with its new value, in a form to read."""
    return [f"{name}: {_value(value)}" for name, value in sorted(deviation.changes.items())]


def _value(value: object) -> str:
    if isinstance(value, list) and all(type(v) is int for v in value):
        return integers(tuple(value))
    return json.dumps(value, ensure_ascii=False)


def forecasts(material: Material, script: Script) -> str:
    """What each plan was expected to do, beside what it did."""
    table = Table(
        "tab-forecasts",
        "What each plan could be expected to do, worked out before it was frozen, and what it did. Power is the chance "
        "of support at the assumed effect, and at the least effect of interest; pairs are what was expected at that "
        "effect, and if nothing works. Differences are taken to be normal with the spread seen at the screen, and no "
        "verdict depends on that. A plan is underpowered when support at the least effect is less likely than not.",
        {"Plan": ("auto", "left"), "Effect": ("auto", "right"), "Power": ("auto", "right"),
         "Power, least effect": ("auto", "right"), "Pairs": ("auto", "right"),
         "Pairs, no effect": ("auto", "right"), "Label": ("auto", "left"), "Pairs used": ("auto", "right"),
         "Verdict": ("1fr", "left")},
        "8.2pt",
    )  # fmt: skip
    claims = {claim.plan: claim for claim in material.dossier.claims}
    for plan in material.dossier.plans:
        if plan.forecast is not None:
            claim, key = claims.get(plan.id), f"plan:{plan.id}.forecast"
            fields = ("effect", "power", "power_least", "expected_pairs", "pairs_null")
            table.row([
                escape(plan.id), *(script.value(f"{key}.{name}") for name in fields),
                "underpowered" if plan.forecast.underpowered else DASH,
                script.value(f"claim:{claim.id}.n") if claim else DASH, verdict(claim) if claim else "open",
            ])  # fmt: skip
    return table.markup()


def attacks(material: Material, script: Script) -> str:
    """The plans of the attacks on what was supported."""
    table = Table(
        "tab-attacks",
        "Registered attacks on supported claims. All attacks on a claim were registered before the first of them ran; "
        "a negative control runs where nothing is to be gained, so that no gain may be left there.",
        {"Plan": ("auto", "left"), "On": ("auto", "left"), "Kind": ("auto", "left"),
         "What is otherwise": ("1fr", "left"), "Compares": ("auto", "left"), "Seeds": ("auto", "right"),
         "Looks at": ("auto", "right"), "Level": ("auto", "right")},
    )  # fmt: skip
    on = {made.plan: (claim, made) for claim, each in material.dossier.attacks.items() for made in each}
    for plan in material.dossier.plans:
        if plan.stage is Stage.CHALLENGE:
            claim, attack = on.get(plan.id, (DASH, None))
            table.row([
                escape(plan.id), escape(claim), escape(attack.kind if attack else plan.stage.value),
                escape(otherwise(attack, plan)), _sides(plan),
                *(script.value(f"plan:{plan.id}.{name}") for name in ("seeds", "looks", "level")),
            ])  # fmt: skip
    return table.markup()


def otherwise(attack: Attack | Challenge | None, plan: Plan | None = None) -> str:
    """Return what is otherwise under an attack, in words."""
    if attack is None:
        return (plan.condition if plan else None) or DASH
    if attack.kind is ChallengeKind.ABLATION:
        return f"without {', '.join(attack.removed)}"
    return attack.condition or AGAIN


def challenges(material: Material, script: Script) -> str:
    """What came of the attacks on the claims that held."""
    table = Table(
        "tab-challenges",
        "Attempts to refute the claims that were supported, and what came of them. A claim whose gain stays when its "
        "cause is taken away, or is there where nothing is to be gained, is refuted as stated; one whose gain is not "
        "there under a changed condition is narrowed to the circumstances it was registered for.",
        {"Claim": ("auto", "left"), "Kind": ("auto", "left"), "What is otherwise": ("1fr", "left"),
         "Effect": ("auto", "right"), "Interval": ("auto", "center"), "n": ("auto", "right"),
         "E-value": ("auto", "right"), "Outcome": ("auto", "left")},
        "8.2pt",
    )  # fmt: skip
    for claim in material.dossier.claims:
        for index, challenge in enumerate(claim.challenges):
            key = f"claim:{claim.id}.challenges.{index}"
            table.row([
                escape(claim.id), escape(challenge.kind), escape(otherwise(challenge)),
                *(shown(script, f"{key}.{name}") for name in ("estimate", "interval", "n", "e_value")),
                challenge.outcome,
            ])  # fmt: skip
    return table.markup()


def absent(dossier: Dossier) -> Iterator[tuple[str, str]]:
    """Yield what a claim has not been put to, a label and the words: attacks that were not made, or not settled."""
    for id_, titles in dossier.left_out.items():
        if titles:
            yield "Left out", f"The budget did not allow these attacks on {id_}: {'; '.join(titles)}."
    for claim in dossier.claims:
        waiting = [attack for attack in dossier.attacks.get(claim.id, ()) if attack.plan not in _settled(claim)]
        if waiting:
            told = "; ".join(f"{attack.kind} (plan {attack.plan})" for attack in waiting)
            yield "Not settled", f"Registered on {claim.id} and not carried out to a verdict: {told}."


def _settled(claim: Claim) -> set[str]:
    return {challenge.plan for challenge in claim.challenges}


def _sides(plan: Plan) -> str:
    return f"{escape(plan.candidate)} with {escape(plan.comparator)}"

"""The attempt ledger: what stood behind each claim, what looking early saved, and all e-values looked at together."""

from __future__ import annotations

from collections.abc import Iterator

from agents.team import Dossier, Savings, Thinking
from flows.papers.tables import Table
from flows.papers.typst import Script, escape

CAMPAIGN = {
    "ideas": "Ideas", "candidates": "Candidates", "executions": "Executions", "plans": "Plans", "looks": "Looks",
    "model_calls": "Model calls",
}  # fmt: skip
OWN = {
    "candidates": "Candidates", "screen": "Screen", "confirm": "Confirm", "challenge": "Challenge",
    "executions": "Executions", "plans": "Plans", "looks": "Looks", "challenges": "Challenges settled",
    "model_calls": "Model calls",
}  # fmt: skip


def attempts(dossier: Dossier, script: Script) -> str:
    """What had been tried when each claim was made, and in all."""
    table = Table(
        "tab-attempts",
        "The attempt ledger: what the campaign had tried by the time each claim was made. A result found after many "
        "attempts deserves more doubt than one found after few.",
        {"Up to": ("1fr", "left"), **{head: ("auto", "right") for head in CAMPAIGN.values()}},
    )
    for claim in dossier.claims:
        table.row([f"claim {escape(claim.id)}", *_cells(script, f"claim:{claim.id}.attempts.", CAMPAIGN)])
    table.row(["*the whole campaign*", *_cells(script, "attempts:", CAMPAIGN)])
    return table.markup()


def behind(dossier: Dossier, script: Script) -> str:
    """What was tried for each claim itself."""
    table = Table(
        "tab-behind",
        "What was tried for each claim itself: candidates of its idea, repairs and ablations among them, and their "
        "executions by stage. The baseline's runs at the screen serve every idea and are not counted here.",
        {"For": ("1fr", "left"), **{head: ("auto", "right") for head in OWN.values()}},
        "8.2pt",
    )
    for id_ in dossier.behind:
        table.row([f"claim {escape(id_)}", *_cells(script, f"behind:{id_}.", OWN)])
    return table.markup()


def _cells(script: Script, start: str, fields: dict[str, str]) -> Iterator[str]:
    return (script.value(start + name) for name in fields)


def saving(dossier: Dossier) -> str:
    """What racing and stopping early saved against a fixed design, as prose with bindings; empty before any screen."""
    made = dossier.saved
    if made is None or not made.candidates:
        return ""
    return (
        "To decide over {saved:candidates} candidates the campaign used {saved:used} executions: {saved:screen} at the "
        "screen, the baseline's included, and {saved:confirm} in confirmations. A fixed design that gives every "
        "candidate and a baseline of its own {saved:pairs} fresh seeds would have used {saved:fixed}, and "
        "{saved:fixed_shared} if all candidates shared one set of baseline runs. "
        f"{_shares(made)} The {{saved:challenge}} executions of challenges are beside this comparison: a fixed design "
        "would owe them too."
    )


def _shares(made: Savings) -> str:
    if made.share >= 0 and made.share_shared >= 0:
        return "Racing and stopping early saved {saved:share} of the one and {saved:share_shared} of the other."
    if made.share < 0 and made.share_shared < 0:
        told = "Nothing was saved: the shares that were not run are negative"
        return f"{told}, {{saved:share}} of the one and {{saved:share_shared}} of the other."
    return (
        "The share of the one that was not run is {saved:share}, that of the other {saved:share_shared}; a negative "
        "share is an excess."
    )


def thinking(dossier: Dossier) -> str:
    """What models were asked and what that cost, as prose with bindings; empty where none was."""
    made = dossier.thinking
    if made is None:
        return ""
    told = [
        "Language models answered {thinking:calls} calls in {thinking:requests} requests. They read {thinking:input} "
        "tokens, {thinking:cached} of them from their providers' caches, and wrote {thinking:output}: "
        "{thinking:per_call} tokens a call.",
        "Known prices come to {thinking:money} US dollars.",
    ]
    if made.share is not None:
        told.append(
            "Of what they read, {thinking:share} began as an earlier call had begun, which is what a cache could hold."
        )
    if made.unpriced:
        told.append("The price of {thinking:unpriced} calls is unknown, and they are not in that sum.")
    if made.estimated:
        told.append("The tokens of {thinking:estimated} calls are estimates, because the endpoint told none.")
    if made.per_claim is not None:
        told.append("For each supported claim that is {thinking:per_claim} US dollars.")
    told += _proposed(made)
    stages = "; ".join(
        f"{name}: {{thinking:stages.{name}.calls}} calls, {{thinking:stages.{name}.input}} tokens read, "
        f"{{thinking:stages.{name}.output}} written"
        for name in made.stages
    )
    return f"{' '.join(told)} By stage: {stages}."


def _proposed(made: Thinking) -> Iterator[str]:
    """Yield how the code of ideas ran, and how much was proposed twice."""
    if made.ran is not None and made.ran.ideas:
        allowed = "" if made.ran.repairs is None else ", of which {thinking:ran.repairs} were allowed each"
        yield (
            "Of {thinking:ran.ideas} ideas that were to be put into code, {thinking:ran.at_once} ran at once and "
            f"{{thinking:ran.mended}} after repairs{allowed}; {{thinking:ran.crashed}} crashed to the end and "
            "{thinking:ran.unwritten} came to no code."
        )
    if made.sifted is not None and made.sifted.proposals:
        yield (
            "Of {thinking:sifted.proposals} proposals {thinking:sifted.duplicates} were turned away because they said "
            "again what the campaign had, {thinking:sifted.failed} of them what had failed."
        )


def together(dossier: Dossier) -> str:
    """The closing report as prose with bindings; empty when nothing was tested."""
    report = dossier.closing
    tested = [claim for claim in dossier.claims if not claim.deterministic and not claim.exploratory]
    if report is None or not tested:
        return ""
    opening = (
        "Once a campaign is over its e-values may be looked at together, over the declared horizon of "
        "{closing:horizon} plans and at {closing:alpha}, by the e-BH procedure; plans that were never registered count "
        "as e-values of zero."
    )
    if report.threshold is None:
        return f"{opening} No e-value is large enough to stand in this way."
    stands = _named(report.stands, "stand", "stands") or "No supported claim is among those that stand"
    told = [opening, f"{stands}, where an e-value of {{closing:threshold}} was enough."]
    if report.added:
        told.append(
            f"{_named(report.added, 'are', 'is')} added to what was decided as the campaign went: an improvement is "
            "shown, its size is not settled, and the verdict stays inconclusive."
        )
    if report.lost:
        told.append(f"{_named(report.lost, 'do', 'does')} not stand.")
    return " ".join(told)


def _named(ids: tuple[str, ...], many: str, one: str) -> str:
    if not ids:
        return ""
    return f"Claim {ids[0]} {one}" if len(ids) == 1 else f"Claims {', '.join(ids[:-1])} and {ids[-1]} {many}"

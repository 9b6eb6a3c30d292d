"""The report: one self-contained page that reads offline, at any width, by day and by night."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from agents.records import Claim, Plan, Stage
from agents.team import Dossier
from flows.papers import ledgers, registers
from flows.papers.binding import CITATION, Bindings, bind
from flows.papers.material import Material
from flows.papers.numbers import ABSENT, integers, number

TITLES = {
    "figures/differences.svg": "Paired differences behind each claim",
    "figures/evidence.svg": "Evidence as the pairs came in, relative to each plan's threshold",
    "figures/search.svg": "The search (exploratory): every scored execution and the best candidate so far",
}
INK = re.compile(r"#222222")


@dataclass(frozen=True)
class Strip:
    """Where things lie on a claim's small drawing, in percent of its width."""

    low: float | None
    high: float | None
    estimate: float
    zero: float
    least: float


def report(material: Material, bindings: Bindings, drawn: Mapping[str, bytes]) -> str:
    """Return the page, a function of its arguments alone."""
    from jinja2 import Environment, StrictUndefined

    here = resources.files("flows.papers")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["bound"] = lambda key: bindings.resolve(key).text
    page = environment.from_string(here.joinpath("report.html.j2").read_text(encoding="utf-8"))
    dossier = material.dossier
    return page.render(
        title=bind(material.draft.title, bindings)[0],
        paragraphs=[CITATION.sub(r"[\1]", p) for p in bind(material.draft.abstract, bindings)[0].split("\n\n")],
        draft=material.draft,
        dossier=dossier,
        registered=[plan for plan in dossier.plans if plan.stage is not Stage.CHALLENGE],
        changed=[
            (plan, index, registers.changed_to(d)) for plan in dossier.plans for index, d in enumerate(plan.deviations)
        ],
        absent=list(registers.absent(dossier)),
        accounts=_accounts(dossier, bindings),
        up_to=ledgers.CAMPAIGN,
        own=ledgers.OWN,
        otherwise=registers.otherwise,
        manifest=material.template.manifest,
        digest=material.template.digest,
        claims=_claims(material),
        outcomes={t.idea.id: t for t in dossier.tried},
        runs=_runs(material),
        figures=[(title, _inline(drawn[name])) for name, title in TITLES.items() if name in drawn],
        images=sorted({run.image_id for run in material.executions if run.image_id}),
        commits=_commits(material),
        ABSENT=ABSENT,
        style=here.joinpath("report.css").read_text(encoding="utf-8"),
    )


def _accounts(dossier: Dossier, bindings: Bindings) -> list[tuple[str, str]]:
    """What models were asked, what looking early saved, and all e-values together: headings and words."""
    told = {
        "What the models were asked": ledgers.thinking(dossier),
        "What looking early saved": ledgers.saving(dossier),
        "All e-values together": ledgers.together(dossier),
    }
    return [(heading, bind(text, bindings)[0]) for heading, text in told.items() if text]


def _claims(material: Material) -> list[dict[str, Any]]:
    plans = {plan.id: plan for plan in material.dossier.plans}
    ideas = {idea.id: idea for idea in material.dossier.ideas}
    return [
        {"claim": c, "key": f"claim:{c.id}", "plan": plans[c.plan], "idea": ideas[c.idea], "strip": strip(c, plans)}
        for c in material.dossier.claims
    ]


def _commits(material: Material) -> dict[str, str]:
    """The commits behind claims, comparators included."""
    behind = dict.fromkeys(c for claim in material.dossier.claims for c in (claim.candidate, claim.comparator))
    return {candidate: material.commits[candidate] for candidate in behind if candidate in material.commits}


def strip(claim: Claim, plans: Mapping[str, Plan]) -> Strip:
    """Place zero, the least effect, the interval and the estimate on one line."""
    least = plans[claim.plan].least_effect
    ends = claim.interval or (claim.estimate, claim.estimate)
    low, high = min(0.0, least, *ends), max(0.0, least, *ends)

    def place(value: float) -> float:
        return round(4 + 92 * (value - low) / (high - low), 2)

    a, b = (place(ends[0]), place(ends[1])) if claim.interval else (None, None)
    return Strip(a, b, place(claim.estimate), place(0.0), place(least))


def _runs(material: Material) -> list[dict[str, str]]:
    metric = material.template.manifest.metric.name
    rows = []
    for run in material.executions:
        value = (run.metrics or {}).get(metric)
        rows.append({
            "key": run.key[:12],
            "candidate": run.candidate,
            "stage": run.stage.value,
            "split": run.split.value,
            "seed": integers((run.seed,)),
            "outcome": run.outcome,
            "reason": run.reason,
            "value": ABSENT if value is None else number(value),
            "wall": number(run.wall_s),
        })  # fmt: skip
    return rows


def _inline(svg: bytes) -> str:
    """The drawing without its XML head, its ink following the page's text so that it shows by night too."""
    from markupsafe import Markup

    text = svg.decode("utf-8")
    body = INK.sub("currentColor", text[text.index("<svg") :])
    # The bytes are our own drawing: matplotlib escapes what it writes, and text in it is outlines.
    return Markup(_responsive(body))  # noqa: S704


def _responsive(svg: str) -> str:
    """Let the page set the size; the view box keeps the shape."""
    head, rest = svg.split(">", 1)
    return re.sub(r' (?:width|height)="[^"]*"', "", head) + ">" + rest

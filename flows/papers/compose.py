"""Composition: the team's prose and the machine's tables, interleaved into one Typst source. Pure and deterministic."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from agents.records import Draft, Execution, Section, Stage
from agents.team import Dossier
from flows.papers import figures, ledgers, registers, tables
from flows.papers.binding import Bindings, Bound, refuse_literals
from flows.papers.html import report
from flows.papers.material import BIBLIOGRAPHY, Composed, Material
from flows.papers.typst import LAYOUT, Script, clean, code, escape, layout, string
from templates.template import Template

KNOWN = ("introduction", "method", "results", "refuted", "discussion", "limits")
"""The keys of sections with a place of their own; any other section comes after the discussion."""
BINDINGS, REPORT = "bindings.json", "report.html"


def compose(
    dossier: Dossier,
    template: Template,
    draft: Draft,
    executions: Sequence[Execution],
    commits: Mapping[str, str] | None = None,
    events: Mapping[str, int] | None = None,
) -> Composed:
    """Return the paper as source and files, a function of its arguments alone.

    `commits` maps candidates to commits, `events` ids such as `k1` to sequence numbers of the journal.

    Raises:
        LiteralNumber: the draft types a number.
        UnboundReference: the draft names a value that is not there.
        UnknownCitation: the draft cites a work that is not in the template's references.
    """
    material = Material(dossier, template, draft, tuple(executions), commits or {}, events or {})
    refuse_literals(draft)
    bindings = Bindings(dossier, template.manifest)
    script = Script(bindings, material.citable())
    drawn = figures.draw_all(dossier, material.executions, template.manifest.metric)
    body = "\n\n".join(part for part in _sections(material, script, drawn) if part)
    opening = _opening(material, script, script.plain(draft.title))
    appendix = _appendix(material, script)
    files = {LAYOUT: layout(), **drawn, BINDINGS: _listing(script.used, material)}
    if (works := material.bibliography()) is not None:
        files[BIBLIOGRAPHY] = works
    files[REPORT] = report(material, bindings, drawn).encode()
    return Composed(f"{opening}\n\n{body}\n\n{appendix}\n", files, script.used)


def _opening(material: Material, script: Script, title: str) -> str:
    draft, dossier = material.draft, material.dossier
    by = clean(draft.by)
    team = by if by.endswith("team") else f"{by} team"
    return "\n".join([
        '// Composed by hypoloop from the journal of a campaign. An edit here is found by `hypoloop verify`.',
        f'#import "{LAYOUT}": *',
        "#show: paper.with(",
        f"  title: {string(title)},",
        f"  running: {string(title if len(title) <= 90 else title[:88] + '…')},",
        f"  byline: [Written by hypoloop, {escape(team)}],",
        f"  origin-line: [Campaign {code(dossier.campaign)} on template {code(material.template.manifest.name)}],",
        f"  abstract: [{script.prose(draft.abstract)}],",
        f"  tally: [{_tally(script)}],",
        ")",
    ])  # fmt: skip


def _tally(script: Script) -> str:
    value = script.value
    return (
        f"*Verdicts:* {value('count:supported')} supported, {value('count:refuted')} refuted, "
        f"{value('count:inconclusive')} inconclusive. *Tried:* {value('attempts:ideas')} ideas, "
        f"{value('attempts:candidates')} candidates, {value('attempts:executions')} executions, "
        f"{value('attempts:plans')} registered plans. *False discovery rate:* at most {value('campaign:alpha')} over "
        "the campaign. Every number links to its origin in the appendix."
    )


def _sections(material: Material, script: Script, drawn: Mapping[str, bytes]) -> Iterator[str]:
    prose = _Prose(material.draft, script)
    yield prose.take("introduction", "Introduction")
    yield _question(material, script)
    yield prose.take("method", "Method")
    yield _method(material, script)
    yield from _registered(material, script)
    yield prose.take("results", "Results")
    yield _results(material, script, drawn)
    yield from _figures(drawn)
    yield prose.take("refuted", "What did not hold, and everything else that was tried")
    yield (
        "Hypotheses that failed are results too, and a reader who does not see them cannot judge those that held. "
        "@tab-ideas lists every idea, among them those that crashed or were dropped after the screen."
        if material.dossier.ideas else "No idea was proposed."
    )  # fmt: skip
    yield tables.ideas(material, script)
    if material.dossier.lessons:
        yield "== Lessons"
        yield tables.lessons(material, script)
    yield prose.take("discussion", "Discussion", required=False)
    yield from prose.rest()
    yield prose.take("limits", "Limits")
    yield _limits(material, script)
    yield from _ledger(material, script)
    yield from _reproduce(material)


class _Prose:
    """The team's sections, each taken once."""

    def __init__(self, draft: Draft, script: Script) -> None:
        self._sections = list(draft.sections)
        self._script = script

    def take(self, key: str, heading: str, *, required: bool = True) -> str:
        """The heading and prose of `key`: ours, when the team wrote none and the place must have one."""
        mine = [s for s in self._sections if s.key == key]
        self._sections = [s for s in self._sections if s.key != key]
        if not mine:
            return f"= {heading}" if required else ""
        return "\n\n".join(self._section(section) for section in mine)

    def rest(self) -> Iterator[str]:
        """The sections that have no place of their own."""
        for section in self._sections:
            if section.key not in KNOWN:
                yield self._section(section)

    def _section(self, section: Section) -> str:
        return f"= {self._script.inline(section.title)}\n\n{self._script.prose(section.body)}"


def _says(draft: Draft, key: str) -> bool:
    """Whether the team's sections print `key` themselves: nothing needs saying twice."""
    return any(f"{{{key}}}" in section.body for section in draft.sections)


def _question(material: Material, script: Script) -> str:
    if _says(material.draft, "campaign:question"):
        return ""
    known = material.citable()
    works = [script.cite(key) if key in known else escape(key) for key in material.template.manifest.source]
    builds_on = f" The study starts from {', '.join(works)}." if works else ""
    return f"#runin[Question.] {script.value('campaign:question')}{builds_on}"


def _method(material: Material, script: Script) -> str:
    metric = material.template.manifest.metric
    unit = f", in {escape(metric.unit)}" if metric.unit else ""
    paragraphs = [] if _says(material.draft, "template:method") else [script.value("template:method")]
    paragraphs += [
        "== Protocol",
        f"#runin[Metric.] {script.value('template:metric.title')}{unit}; "
        f"{'higher' if metric.direction == 'maximize' else 'lower'} is better, and a difference of "
        f"{script.value('template:metric.least_effect', call='num')} or more is of interest. It is computed by a "
        "protected evaluator that runs apart from the code under test and owns the held-out data.",
        "#runin[Search and confirmation.] Ideas are raced against the baseline on a few search seeds; who can no "
        "longer earn a plan gets no further ones. What passes is registered: candidate, comparator, metric, least "
        "effect, seeds, looks and rule are frozen before the first execution on fresh seeds and the held-out split. "
        "Whatever no plan registered is exploratory.",
        "#runin[Evidence.] Candidate and comparator run on the same seeds, and the evidence against no improvement is "
        "an e-process on the paired differences, which may be read after every pair without inflating the error: "
        "under the null hypothesis the differences, given the past, are symmetric about zero or smaller than such. "
        "The intervals are what the same bets do not rule out, on both sides together with an error of "
        f"{script.value('campaign:alpha', call='num')}, at every look at once; a dash means too few pairs to bound "
        "both sides. Each plan against the baseline gets its level from e-LOND, which spreads "
        f"{script.value('campaign:alpha', call='num')} over the declared number of plans, gives back what discoveries "
        "earn, and keeps the false discovery rate of the campaign at that value whatever the dependence between "
        "plans. A challenge can only take a claim away, so it is held at the full value. A refutation rests on a "
        "one-sided test, an interval on both sides: the two may differ at the margin.",
    ]
    # A rule as it was registered, of a plan that decides a hypothesis, serves best as the example.
    registered = sorted(material.dossier.plans, key=lambda p: (bool(p.deviations), p.stage is Stage.CHALLENGE))
    if registered:
        plan = registered[0]
        told = "As it stands after a deviation from plan" if plan.deviations else "As registered with plan"
        rule = script.value(f"plan:{plan.id}.rule")
        paragraphs.append(f"#runin[Rule.] {told} {escape(plan.id)}: “{rule}”")
    return "\n\n".join(paragraphs)


def _registered(material: Material, script: Script) -> Iterator[str]:
    """What was registered, what it was expected to do, and what was changed afterwards."""
    yield registers.plans(material, script)
    yield registers.held_fixed(material, script)
    yield registers.deviations(material, script)
    yield registers.forecasts(material, script)
    yield registers.attacks(material, script)


def _ledger(material: Material, script: Script) -> Iterator[str]:
    dossier = material.dossier
    yield "= The attempt ledger"
    yield ledgers.attempts(dossier, script)
    yield ledgers.behind(dossier, script)
    for heading, told in (
        ("What the models were asked", ledgers.thinking(dossier)),
        ("What looking early saved", ledgers.saving(dossier)),
        ("All e-values together", ledgers.together(dossier)),
    ):
        if told:
            yield f"== {heading}\n\n{script.prose(told)}"


def _results(material: Material, script: Script, drawn: Mapping[str, bytes]) -> str:
    if not material.dossier.claims:
        return "No plan came to a verdict, so nothing is claimed. What was seen at the screen is exploratory."
    pointers = {
        figures.DIFFERENCES: "@fig-differences shows the pairs behind them",
        figures.EVIDENCE: "@fig-evidence how the evidence came in",
        figures.SEARCH: "@fig-search the search that led to them",
    }
    seen = ["@tab-results gives every verdict", *(p for n, p in pointers.items() if f"figures/{n}.svg" in drawn)]
    parts = [f"{', '.join(seen)}.", tables.results(material, script)]
    parts.append(registers.challenges(material, script))
    parts += [f"#runin[{label}.] {escape(told)}" for label, told in registers.absent(material.dossier)]
    return "\n\n".join(part for part in parts if part)


CAPTIONS = {
    figures.DIFFERENCES: "Paired differences behind each claim. Dots are seeds, the large mark is their mean, the bar "
    "its interval, the dashed mark the least effect that was registered. Blue circles stand for supported, orange "
    "crosses for refuted, grey diamonds for inconclusive.",
    figures.EVIDENCE: "Evidence as the pairs came in: the e-value of each plan against the baseline times its level, "
    "so that one threshold serves all. Marks are the registered looks. Values below the axis are drawn at its foot.",
    figures.SEARCH: "The search: every scored execution on the search split, and the best candidate so far by its mean "
    "over seeds. This is exploratory; the best of many is better than it will prove to be.",
}


def _figures(drawn: Mapping[str, bytes]) -> Iterator[str]:
    for name, caption in CAPTIONS.items():
        if f"figures/{name}.svg" in drawn:
            yield (
                f'#figure(placement: auto, image("figures/{name}.svg", width: 100%, alt: {string(caption)}), '
                f"caption: [{escape(caption)}]) <fig-{name}>"
            )


def _limits(material: Material, script: Script) -> str:
    keys = (f"template:limits_of_study.{i}" for i in range(len(material.template.manifest.limits_of_study)))
    own = [script.value(key) for key in keys if not _says(material.draft, key)]
    fixed = [
        "Every effect holds for this task, this metric, this budget and seeds like these. Nothing is shown beyond.",
        "Up to a share of the supported claims as large as the false discovery rate is expected to be wrong.",
        "The rate is held against “no improvement”. How large an improvement is, only the interval says.",
        "The intervals are for the centre of symmetry of the differences; for lopsided differences it is not the mean.",
        "Effects at the screen are exploratory and biased upwards, because ideas were chosen by them.",
        "A claim that survived its challenges survived those listed here, not every one that could be thought of.",
        f"The prose was drafted by the {escape(clean(material.draft.by))} team of a program. Its numbers are bound to "
        "records; its words are not checked by a proof.",
    ]
    if any(claim.deterministic for claim in material.dossier.claims):
        fixed.append("The workload is deterministic: each side ran once, and no interval or test exists.")
    return "\n".join(f"- {line}" for line in (*own, *fixed))


def _reproduce(material: Material) -> Iterator[str]:
    name = clean(material.dossier.campaign)
    images = sorted({run.image_id for run in material.executions if run.image_id})
    yield "= How to check and reproduce"
    yield (
        "Every record behind this paper is in the campaign's journal. The first command derives every verdict and this "
        "paper from it again and names the first thing that differs; the second writes the paper and the report anew."
    )
    commands = (f"hypoloop verify {name}", f"hypoloop report {name}")
    yield "#raw(block: true, " + ' + "\\n" + '.join(string(command) for command in commands) + ")"
    facts = [
        f"Template {code(material.template.manifest.name)}, digest {code(material.template.digest[:24])}.",
        f"Sandbox: {escape(material.dossier.sandbox)}.",
        *(f"Image {code(image[:31])}." for image in images),
        "Every execution is also a run in MLflow; the keys behind each number are in "
        f"{code(BINDINGS)} beside this paper.",
    ]
    yield "\n".join(f"- {fact}" for fact in facts)
    if material.commits:
        yield tables.commits(material)


def _appendix(material: Material, script: Script) -> str:
    works = f'#bibliography("{BIBLIOGRAPHY}", title: "References", style: "ieee", full: true)\n\n'
    return (
        f"{works if material.citable() else ''}#show: appendix\n\n= Provenance of the numbers\n\n"
        f"{tables.provenance(material, script)}"
    )


def _listing(used: Sequence[Bound], material: Material) -> bytes:
    behind = {f"claim:{claim.id}": list(claim.executions) for claim in material.dossier.claims}
    rows = [
        {
            "key": bound.key,
            "text": bound.text,
            "value": bound.value,
            "record": bound.record,
            "event": material.events.get(bound.record.partition(":")[2]),
            "executions": behind.get(bound.record, []),
        }
        for bound in used
    ]
    return (json.dumps(rows, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()

"""The tables of a paper: made by the machine, every cell a binding."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from agents.records import Claim
from flows.papers.binding import Bound
from flows.papers.material import Material
from flows.papers.numbers import ABSENT
from flows.papers.typst import Script, code, escape, string

DASH = "–"
LONG = 16
"""Rows from which on a table may run over pages."""
VERDICT = {"supported": "*supported*", "refuted": "refuted", "inconclusive": "inconclusive"}


class Table:
    """Rows of one table under construction: `columns` maps each heading to its width and alignment."""

    def __init__(self, label: str, caption: str, columns: Mapping[str, tuple[str, str]], size: str = "8.6pt") -> None:
        """Name the table and its columns."""
        self._label, self._caption, self._columns, self._size = label, caption, columns, size
        self._rows: list[str] = []

    def row(self, cells: Iterable[str]) -> None:
        """Add a row of markup cells."""
        self._rows.append("  " + " ".join(f"[{cell}]," for cell in cells))

    def span(self, text: str) -> None:
        """Add a heading across all columns."""
        self._rows.append(f"  table.cell(colspan: {len(self._columns)}, fill: luma(245))[*{text}*],")

    def markup(self) -> str:
        """The whole figure; nothing when there is no row."""
        if not self._rows:
            return ""
        widths = ", ".join(width for width, _ in self._columns.values())
        aligns = ", ".join(align for _, align in self._columns.values())
        heads = ", ".join(f"[{escape(head)}]" for head in self._columns)
        rows = "\n".join(self._rows)
        figure = (
            f"#figure(caption: [{self._caption}], datatable(\n  columns: ({widths},), align: ({aligns},), "
            f"header: ({heads},), size: {self._size},\n{rows}\n)) <{self._label}>"
        )
        return f"#[#show figure: set block(breakable: true)\n{figure}\n]" if len(self._rows) > LONG else figure


def results(material: Material, script: Script) -> str:
    """Every claim with its effect, its interval and its evidence."""
    table = Table(
        "tab-results",
        "Every registered hypothesis and what became of it. The effect is the mean paired difference, signed so that "
        "up is better; the interval holds at every look; a hypothesis needs an e-value of one over its level.",
        {"Claim": ("auto", "left"), "Hypothesis": ("1fr", "left"), "Effect": ("auto", "right"),
         "Interval": ("auto", "center"), "Relative": ("auto", "right"), "n": ("auto", "right"),
         "Looks": ("auto", "right"), "E-value": ("auto", "right"), "Level": ("auto", "right"),
         "Verdict": ("auto", "left")},
        "8.2pt",
    )  # fmt: skip
    for claim in material.dossier.claims:
        key = f"claim:{claim.id}"
        fields = ("estimate", "interval", "relative", "n", "looks", "e_value", "level")
        table.row([
            escape(claim.id), script.value(f"idea:{claim.idea}.title"),
            *(shown(script, f"{key}.{name}") for name in fields), verdict(claim),
        ])  # fmt: skip
    return table.markup()


def verdict(claim: Claim) -> str:
    """The verdict, and what must be said with it wherever the claim is shown."""
    return ", ".join([VERDICT[claim.verdict.value], *claim.labels])


def shown(script: Script, key: str) -> str:
    """The value of `key`; a dash where the method defines none."""
    markup = script.value(key)
    return DASH if markup == escape(ABSENT) else markup


def ideas(material: Material, script: Script) -> str:
    """Every idea of the campaign, whatever became of it."""
    table = Table(
        "tab-ideas",
        "Every idea of the campaign. The effect at the screen is exploratory: few seeds, on the search split, and "
        "chosen for what it showed.",
        {"Idea": ("auto", "left"), "Round": ("auto", "right"), "Title": ("1fr", "left"), "Changes": ("auto", "left"),
         "Effect at screen": ("auto", "right"), "Spread": ("auto", "right"), "Outcome": ("auto", "left")},
    )  # fmt: skip
    outcomes = {t.idea.id: t for t in material.dossier.tried}
    for idea in material.dossier.ideas:
        key = f"idea:{idea.id}"
        tried = idea.id in outcomes
        table.row([
            escape(idea.id), script.value(f"{key}.round"), script.value(f"{key}.title"),
            " \\ ".join(escape(name) for name in idea.factors) or DASH,
            *(shown(script, f"tried:{idea.id}.{name}") if tried else DASH for name in ("effect", "spread")),
            escape(outcomes[idea.id].outcome) if tried else "not run",
        ])  # fmt: skip
    return table.markup()


def lessons(material: Material, script: Script) -> str:
    """What later rounds were told."""
    table = Table(
        "tab-lessons",
        "Lessons that later rounds started from. The belief in a change is the probability of a gain of half the least "
        "effect or more; in a principle it is the share of what speaks for it, registered tests weighing four times a "
        "screen.",
        {"Lesson": ("auto", "left"), "Round": ("auto", "right"), "Statement": ("1fr", "left"),
         "Kind": ("auto", "left"), "Belief": ("auto", "right")},
    )  # fmt: skip
    for lesson in material.dossier.lessons:
        key = f"lesson:{lesson.id}"
        table.row([
            escape(lesson.id), script.value(f"{key}.round"), script.value(f"{key}.statement"), escape(lesson.kind),
            script.value(f"{key}.belief"),
        ])  # fmt: skip
    return table.markup()


def commits(material: Material) -> str:
    """The code behind each claim."""
    table = Table(
        "tab-code",
        "The code behind each claim, by commit of the campaign's repository.",
        {"Claim": ("auto", "left"), "Candidate": ("1fr", "left"), "Comparator": ("1fr", "left")},
    )
    for claim in material.dossier.claims:
        table.row([escape(claim.id), _commit(claim.candidate, material), _commit(claim.comparator, material)])
    return table.markup()


def _commit(candidate: str, material: Material) -> str:
    commit = material.commits.get(candidate)
    return f"{escape(candidate)} {code(commit[:16])}" if commit else escape(candidate)


def provenance(material: Material, script: Script) -> str:
    """Every number of the paper as printed and as recorded, under the record it is a field of, two to a row."""
    table = Table(
        "tab-provenance",
        "Where every number of this paper comes from: its field, as printed, as recorded. The links in the text lead "
        "here.",
        {"Field": ("1fr", "left"), "Printed": ("auto", "right"), "Recorded": ("1.1fr", "left"),
         "Field ": ("1fr", "left"), "Printed ": ("auto", "right"), "Recorded ": ("1.1fr", "left")},
        "7.6pt",
    )  # fmt: skip
    for group, members in _groups(script.used).items():
        table.span(_heading(group, material))
        cells = [cell for bound in members for cell in _traced(bound, group)]
        for start in range(0, len(cells), 6):
            table.row((*cells[start : start + 6], "", "", "")[:6])
    return table.markup()


KINDS = (
    "claim", "plan", "tried", "idea", "lesson", "behind", "attempts", "thinking", "saved", "closing", "count",
    "campaign", "template",
)  # fmt: skip
HEADINGS = {
    "tried": "tried: what the screen saw of each idea",
    "idea": "idea",
    "lesson": "lesson",
    "behind": "behind: what was tried for a claim",
    "attempts": "attempts: counted over the journal",
    "thinking": "thinking: counted over the calls of models",
    "saved": "saved: counted over the executions",
    "closing": "closing: over all claims",
    "count": "count: counted over the records",
    "campaign": "campaign: as it was set up",
    "template": "template: from its manifest",
}


def _groups(used: Sequence[Bound]) -> dict[str, list[Bound]]:
    """Claims and plans stand alone, the records of other kinds together; fields in the order of first use."""

    def place(bound: Bound) -> tuple[int, int]:
        number = re.search(r"\d+$", bound.record)
        return KINDS.index(bound.kind), int(number.group()) if number else 0

    groups: dict[str, list[Bound]] = {}
    for bound in sorted((b for b in used if b.numeric), key=place):
        groups.setdefault(bound.record if bound.kind in ("claim", "plan") else bound.kind, []).append(bound)
    return groups


def _traced(bound: Bound, group: str) -> tuple[str, str, str]:
    key = string(bound.key)
    field = bound.key.removeprefix(group).lstrip(":.")
    return f"#origin({key}, {string(field)});", f"#printed({key}, {string(bound.text)});", code(exact(bound.value))


def _heading(group: str, material: Material) -> str:
    kind, _, id_ = group.partition(":")
    if not id_:
        return escape(HEADINGS[kind])
    event = f", event {material.events[id_]} of the journal" if id_ in material.events else ""
    behind = next((c.executions for c in material.dossier.claims if kind == "claim" and c.id == id_), ())
    return escape(f"{kind} {id_}{event}" + (f", resting on {len(behind)} executions" if behind else ""))


def exact(value: object) -> str:
    """A recorded number without rounding; long sequences by their ends."""
    if isinstance(value, tuple):
        shown = [*value[:2], "…", *value[-1:]] if len(value) > 4 else list(value)
        return "[" + ", ".join(v if isinstance(v, str) else exact(v) for v in shown) + "]"
    return repr(value)

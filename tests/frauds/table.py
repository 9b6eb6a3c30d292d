"""The page: kinds and variants, how each ended, and in which words. No number in it is written by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tests.frauds.kinds import BEYOND, FRAUDS, HONEST
from tests.frauds.running import Told, by_kind

HEAD = """\
# Planted frauds, and honest work that looks odd

Written by `python -m tests.frauds --seed {seed} --write docs/frauds.md`, hypoloop {version}, {date}; every number comes
from that run ({minutes:.1f} minutes on {cores} cores at a load of {load:.1f}, Python {python}).

A scripted team and a scripted operator play whole campaigns, with the loop, the evidence, the journal and the papers of
the product, and cheat: by what their programs do, by what they answer, by how they run the campaign, in what they
write, and in the records afterwards. As many campaigns are honest and look odd. Programs that reach for files run
under bubblewrap, all others in the benchmark's own process. One judge looks at what every campaign published and at
what `hypoloop verify` finds. It is not told which it has before it: it is told what was sought (a supported claim, a
sentence in the paper, records that pass) and says whether that stands. All campaigns of a template draw the same
points, so that chance enters once and not with every case; how often chance alone misleads is in
[evidence.md](evidence.md), what all of this costs in [integrity.md](integrity.md).

- **impossible**: there is no way to do it: an edit is refused, a file is in no sandbox, a number is told to nobody
- **blocked**: it was done and came to nothing: no score, no plan, no support, a sentence struck
- **flagged**: `verify` names it, or the paper cannot be built
- **missed**: what was sought stands and nothing is said; **false alarm**: an honest campaign that is blamed or hindered

A negative control that by chance shows a gain where there is none refutes a right claim. That is the error which its
level allows; where it happens, it is counted as a false alarm all the same.

| | kinds | variants | impossible | blocked | flagged | missed | not run |
|---|---|---|---|---|---|---|---|
{totals}
{verdict}
"""
KNOWN = """\
## What is not seen

`verify` reads records. Whoever writes them himself while the campaign runs, or holds all of them, can make them agree:
these are tried too, and counted apart. The first two kinds are for `hypoloop reproduce`, which runs executions again,
and for a copy of branch `record` in somebody else's hands; the third is for reviewers. Of what MLflow shows, runs are
held against the journal, and not the copies of plans and claims beside them.

| what was done | how it ended | reason |
|---|---|---|
"""


class Facts(NamedTuple):
    """Where a page comes from."""

    seed: int
    minutes: float
    cores: int
    load: float
    version: str
    python: str
    date: str


class Counts(NamedTuple):
    """How the frauds and the honest campaigns ended in all."""

    frauds: Counter[str]
    honest: Counter[str]

    @property
    def missed(self) -> int:
        """Frauds that stand."""
        return self.frauds["stands"]

    @property
    def alarms(self) -> int:
        """Honest campaigns that do not."""
        return sum(self.honest.values()) - self.honest["stands"] - self.honest["not run"]


def counts(ends: Iterable[Told]) -> Counts:
    """Count how frauds and honest campaigns ended."""
    frauds, honest = ({kind.name for kind in kinds} for kinds in (FRAUDS, HONEST))
    ends = list(ends)
    return Counts(
        Counter(each.end for each in ends if each.kind in frauds),
        Counter(each.end for each in ends if each.kind in honest),
    )


def page(ends: Sequence[Told], facts: Facts) -> str:
    """Return the page."""
    total, kinds = counts(ends), by_kind(ends)
    frauds = [kinds[kind.name] for kind in FRAUDS if kind.name in kinds]
    honest = [kinds[kind.name] for kind in HONEST if kind.name in kinds]
    known = [each for kind in BEYOND for each in kinds.get(kind.name, [])]
    head = HEAD.format(**facts._asdict(), totals=_totals(total, len(frauds), len(honest)), verdict=_verdict(total))
    return "\n".join([head, _frauds(frauds), _honest(honest), KNOWN + "".join(map(_known, known))])


def _totals(total: Counts, frauds: int, honest: int) -> str:
    rows = []
    for name, count, ends in (("frauds", frauds, total.frauds), ("honest", honest, total.honest)):
        cells = [ends[end] for end in ("impossible", "blocked", "flagged")]
        missed = str(ends["stands"]) if ends is total.frauds else "-"
        row = (name, count, sum(ends.values()), *cells, missed, ends["not run"])
        rows.append(f"| {' | '.join(map(str, row))} |\n")
    return "".join(rows)


def _verdict(total: Counts) -> str:
    frauds = sum(total.frauds.values()) - total.frauds["not run"]
    honest = sum(total.honest.values()) - total.honest["not run"]
    return f"Missed: {total.missed} of {frauds} frauds. False alarms: {total.alarms} of {honest} honest campaigns."


def _frauds(kinds: Sequence[Sequence[Told]]) -> str:
    heads = ("kind", "variants", "impossible", "blocked", "flagged", "missed", "for example", "in the system's words")
    lines = ["## Frauds\n", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for ends in kinds:
        by_end = Counter(each.end for each in ends)
        shown = min(ends, key=lambda each: each.end != "stands")
        cells = (
            *(str(by_end[end]) for end in ("impossible", "blocked", "flagged", "stands")),
            shown.name,
            shown.reason,
        )
        lines.append(f"| {_plain(ends[0].kind)} | {len(ends)} | {' | '.join(map(_plain, cells))} |")
    return "\n".join(lines) + "\n"


def _honest(kinds: Sequence[Sequence[Told]]) -> str:
    lines = [
        "## Honest work that looks odd\n",
        "| kind | variants | false alarms | for example | what was said |",
        "|---|---|---|---|---|",
    ]
    for ends in kinds:
        bad = [each for each in ends if each.end not in ("stands", "not run")]
        shown = (bad or ends)[0]
        cells = (ends[0].kind, str(len(ends)), str(len(bad)), shown.name, shown.reason or "-")
        lines.append(f"| {' | '.join(map(_plain, cells))} |")
    return "\n".join(lines) + "\n"


def _known(each: Told) -> str:
    end = "**missed**" if each.end == "stands" else each.end
    return f"| {_plain(each.name)} | {end} | {_plain(each.reason) or '-'} |\n"


def _plain(text: str) -> str:
    """Return one line that no table takes for its own."""
    line = " ".join("".join(c if c.isprintable() else ascii(c)[1:-1] for c in text).split())
    return line.replace("|", "\\|").replace("<", "&lt;").replace("{", "\\{")[:260]

"""Five hundred random single changes to what a campaign left behind, and `verify` fails on each of them."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flows import reporting
from flows.ledger import audit_commits, verify
from flows.ledger.audit_commits import anchor_faults
from flows.ledger.verify import CheckPaper, Rederive
from flows.ledger.workspace import RECORD
from flows.papers import verify as paper_verify
from flows.reporting import claim_faults, paper_faults
from tests.played import forging
from tests.played.playing import Played

SEED = 20_251_130
Rng = np.random.Generator
Mutation = Callable[[Played, Rng], Path]
"""Changes one thing of a campaign on disk and returns the file, or the whole repository if it is in there."""


def _lines(change: Callable[[list[bytes], Rng], None], campaign: Played, rng: Rng) -> Path:
    path = campaign.folder / "journal.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    change(lines, rng)
    path.write_bytes(b"".join(lines))
    return path


def _delete(lines: list[bytes], rng: Rng) -> None:
    del lines[rng.integers(len(lines))]


def _swap(lines: list[bytes], rng: Rng) -> None:
    one, other = rng.choice(len(lines), 2, replace=False)
    lines[one], lines[other] = lines[other], lines[one]


def _repeat(lines: list[bytes], rng: Rng) -> None:
    at = rng.integers(len(lines))
    lines.insert(at, lines[at])


def _cut(lines: list[bytes], rng: Rng) -> None:
    del lines[-int(rng.integers(1, len(lines))) :]


def _byte(names: str, campaign: Played, rng: Rng) -> Path:
    """Another byte somewhere in one of the files that match."""
    path = _one(campaign, names, rng)
    content = bytearray(path.read_bytes())
    at = rng.integers(len(content))
    content[at] = (content[at] + int(rng.integers(1, 256))) % 256
    path.write_bytes(bytes(content))
    return path


def _part(pattern: bytes, other: Callable[[bytes, Rng], bytes], names: str, campaign: Played, rng: Rng) -> Path:
    """Another number, or another word, in one of the files that match."""
    path = _one(campaign, names, rng)
    content = path.read_bytes()
    found = list(re.finditer(pattern, content))
    match = found[rng.integers(len(found))]
    path.write_bytes(content[: match.start()] + other(match.group(), rng) + content[match.end() :])
    return path


def _digit(digit: bytes, rng: Rng) -> bytes:
    return b"%d" % ((int(digit) + int(rng.integers(1, 10))) % 10)


def _word(word: bytes, rng: Rng) -> bytes:
    words = [each for each in (b"better", b"supported", b"refuted", b"not", b"lowers", b"raises") if each != word]
    return words[rng.integers(len(words))]


def _value(campaign: Played, rng: Rng) -> Path:
    """Another value somewhere in an event, and the whole journal chained anew: only what was anchored tells."""
    path = campaign.folder / "journal.jsonl"

    def change(told: list[dict[str, Any]]) -> None:
        places = list(_numbers(told))
        holder, key = places[rng.integers(len(places))]
        holder[key] = holder[key] + 1

    path.write_bytes(forging.as_lines(forging.forged(campaign.events, change)))
    return path


def _numbers(value: Any) -> Iterator[tuple[Any, Any]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in pairs:
        if isinstance(each, int | float) and not isinstance(each, bool) and key != "fence":
            yield value, key
        yield from _numbers(each)


def _remove(campaign: Played, rng: Rng) -> Path:
    path = _one(campaign, "executions/*/**/*.*", rng)
    path.unlink()
    return path


def _add(campaign: Played, rng: Rng) -> Path:
    path = _one(campaign, "executions/*/run.log", rng).with_name(f"more-{rng.integers(1000)}.json")
    path.write_text("{}")
    return path


def _commit(campaign: Played, rng: Rng) -> Path:
    """A new commit at the end of the record: a plan, or the paper, or something else in it."""
    workspace, plan = campaign.workspace, f"plans/p{rng.integers(1, 6)}.json"
    files = {plan: b"{}", "paper/paper.typ": b"other", "notes.txt": b"mine"}
    name = sorted(files)[rng.integers(len(files))]
    trailers = {"Plan": "p1", "Journal": str(campaign.events[-1].seq) + " " + campaign.events[-1].hash}
    workspace.commit_files({name: files[name]}, f"Odd {rng.integers(10**9)}", trailers, campaign.events[-1].at)
    return campaign.folder / "repo"


def _move(campaign: Played, rng: Rng) -> Path:
    """A branch moved back, to another's commit, or removed."""
    workspace = campaign.workspace
    branches = [name for name in workspace.branches() if name != "main"]
    branch = branches[rng.integers(len(branches))]
    path = campaign.folder / "repo" / "refs" / "heads" / branch
    back = workspace.parents(workspace.branches()[branch])
    others = [*back, workspace.history(RECORD)[-1], ""]
    to = others[rng.integers(len(others))]
    path.write_text(f"{to}\n") if to and to != workspace.branches()[branch] else path.unlink()
    return campaign.folder / "repo"


def _one(campaign: Played, names: str, rng: Rng) -> Path:
    found = sorted(path for path in campaign.folder.glob(names) if path.is_file() and path.stat().st_size)
    return found[rng.integers(len(found))]


NUMBER, WORD = rb"\d", rb"\b[a-z]{3,}\b"
MUTATIONS: dict[str, tuple[int, Mutation]] = {
    "a byte of the journal": (90, partial(_byte, "journal.jsonl")),
    "a line of the journal deleted": (25, partial(_lines, _delete)),
    "two lines of the journal swapped": (25, partial(_lines, _swap)),
    "a line of the journal repeated": (10, partial(_lines, _repeat)),
    "the journal's end cut off": (10, partial(_lines, _cut)),
    "a value of an event, chained anew": (40, _value),
    "a number of the paper": (60, partial(_part, NUMBER, _digit, "paper/paper.typ")),
    "a word of the paper": (40, partial(_part, WORD, _word, "paper/paper.typ")),
    "a number of the report": (25, partial(_part, NUMBER, _digit, "paper/report.html")),
    "a byte of the report": (15, partial(_byte, "paper/report.html")),
    "a byte of a figure": (25, partial(_byte, "paper/figures/*.svg")),
    "a number behind a figure": (15, partial(_part, NUMBER, _digit, "paper/figures/*.json")),
    "a byte of the PDF": (10, partial(_byte, "paper/paper.pdf")),
    "a byte beside the paper": (10, partial(_byte, "paper/[blr]*.[bjt]*")),
    "a value of metrics.json": (30, partial(_part, NUMBER, _digit, "executions/*/score/metrics.json")),
    "a byte of a log": (15, partial(_byte, "executions/*/run.log")),
    "a byte of an output": (20, partial(_byte, "executions/*/out/*")),
    "a file removed": (5, _remove),
    "a file added": (5, _add),
    "a byte of an object": (10, partial(_byte, "repo/objects/??/*")),
    "a commit on the record": (8, _commit),
    "a branch moved": (7, _move),
}


PARTS = ("journal.jsonl", "repo", "executions", "paper")
READS: dict[str, tuple[str, ...]] = {
    "scan_file": ("journal.jsonl",),
    "commit_findings": ("journal.jsonl", "repo"),
    "_manifest": ("repo",),
    "_replayed": ("journal.jsonl",),
    "execution_faults": ("journal.jsonl", "executions"),
    "copy_faults": ("journal.jsonl", "executions"),
    "steps": ("journal.jsonl",),
    "screen_faults": ("journal.jsonl",),
    "registration_faults": ("journal.jsonl",),
    "attack_faults": ("journal.jsonl",),
    "wording_faults": ("journal.jsonl",),
    "reference_faults": ("journal.jsonl", "paper"),
}
"""Check of `verify` -> the parts of a campaign's folder that it reads."""


class Quick:
    """The checks of `verify`, each remembering what it said of the very same parts: most changes touch one of them."""

    def __init__(self, campaign: Played, patch: pytest.MonkeyPatch) -> None:
        self.campaign, self.kept = campaign, {}
        self.versions = dict.fromkeys(PARTS, 0)
        for name, parts in READS.items():
            patch.setattr(verify, name, self.remembering(name, getattr(verify, name), parts))
        journal, committed = ("journal.jsonl",), ("journal.jsonl", "repo")
        patch.setattr(audit_commits, "_anchors", self.remembering("anchors", audit_commits._anchors, ("repo",)))
        patch.setattr(reporting, "composed", self.remembering("composed", reporting.composed, journal))
        patch.setattr(reporting, "_committed", self.remembering("committed", reporting._committed, committed))
        compiled = self.remembering("compiled", paper_verify.compile_pdf, journal)
        patch.setattr(paper_verify, "compile_pdf", compiled)
        self.claims = self.remembering("claims", claim_faults, journal)
        self.paper = self.remembering("paper", paper_faults, ("journal.jsonl", "repo", "paper"))

    def remembering(self, name: str, check: Callable[..., Any], parts: tuple[str, ...]) -> Callable[..., Any]:
        def remembered(*given: Any, **named: Any) -> Any:
            key = (name, *(self.versions[part] for part in parts))
            if key not in self.kept:
                made = check(*given, **named)
                self.kept[key] = list(made) if isinstance(made, Iterator) else made
            return self.kept[key]

        return remembered

    def fault(self, touched: str, version: int) -> str:
        """Return the first check that does not hold at a version of one part, the others as they were; or nothing."""
        self.versions = dict.fromkeys(PARTS, 0) | {touched: version}
        if touched == "journal.jsonl":
            scanned = verify.scan_file(self.campaign.folder / touched)
            if scanned.fault is not None:
                return "journal"
            if any(anchor_faults(self.campaign.workspace, scanned.events)):
                return "anchors"
        return first_fault(self.campaign, self.claims, self.paper)


def first_fault(campaign: Played, claims: Rederive = claim_faults, paper: CheckPaper = paper_faults) -> str:
    found = verify.verify_records(campaign.folder, claims, paper).findings
    return next((each.what for each in found if not each.ok), "")


def restore(campaign: Played, whole: Path, changed: Path) -> None:
    """Put back what was changed."""
    kept = whole / changed.relative_to(campaign.folder)
    if changed.is_dir():
        shutil.rmtree(changed)
        shutil.copytree(kept, changed)
    elif kept.exists():
        shutil.copyfile(kept, changed)
    else:
        changed.unlink()


def test_verify_fails_on_each_of_500_random_single_mutations(
    spoiled: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, whole, quick = np.random.default_rng(SEED), tmp_path / "whole", Quick(spoiled, monkeypatch)
    shutil.copytree(spoiled.folder, whole)
    assert [quick.fault(part, 0) for part in PARTS] == [""] * len(PARTS)
    kinds = [what for what, (count, _) in MUTATIONS.items() for _ in range(count)]
    assert len(kinds) == 500
    found = Counter[str]()
    for number, what in enumerate(kinds, start=1):
        changed = MUTATIONS[what][1](spoiled, rng)
        first = quick.fault(changed.relative_to(spoiled.folder).parts[0], number)
        found[f"{what}: {first or 'MISSED'}"] += 1
        restore(spoiled, whole, changed)
    assert not [told for told in found if "MISSED" in told], found.most_common()
    assert [quick.fault(part, -1) for part in PARTS] == [""] * len(PARTS), "what was changed was put back"


@pytest.mark.parametrize("what", MUTATIONS)
def test_verify_itself_says_so_without_any_memory(spoiled: Played, what: str) -> None:
    MUTATIONS[what][1](spoiled, np.random.default_rng([SEED, len(what)]))
    assert first_fault(spoiled) != ""

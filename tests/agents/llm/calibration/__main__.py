"""Print the error rates of the review gate: `python -m tests.agents.llm.calibration`."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

from agents.llm.settings import PanelSettings
from tests.agents.llm.calibration.asking import ACCEPTING, FORM, by_kind
from tests.agents.llm.calibration.gate import Rates, checklist, panel, rates
from tests.agents.llm.calibration.papers import papers, walker

REJECTING = {"Form": {**FORM, "decision": "strong reject"}, "Ruling": {"decision": "reject"}}


def main() -> None:
    """Judge every paper with each gate."""
    with tempfile.TemporaryDirectory() as folder:
        walks = walker(Path(folder) / "walks")
        seen = tuple(papers(walks))
        settings = PanelSettings()
        gates = {
            "checklist alone": checklist(walks),
            "checklist, panel that accepts everything": panel(walks, by_kind(ACCEPTING), settings),
            "checklist, panel that rejects everything": panel(walks, by_kind(REJECTING), settings),
        }
        kinds = Counter(paper.kind for paper in seen)
        sys.stdout.write(f"{len(seen)} papers: {', '.join(f'{many} {kind}' for kind, many in kinds.items())}\n")
        for name, gate in gates.items():
            sys.stdout.write(shown(name, rates(seen, [gate(paper).decision for paper in seen])))


def shown(name: str, found: Rates) -> str:
    """Return the rates of one gate as text."""
    lines = [
        f"\n{name}",
        f"  false accept, faults that records show   {found.false_accept}",
        f"  false accept, faults of meaning alone    {found.false_accept_meaning}",
        f"  false reject, honest papers              {found.false_reject}",
        *(f"    let through: {done} ({many})" for done, many in sorted(found.through.items())),
        *(f"    held up: {done} ({many})" for done, many in sorted(found.held_up.items())),
    ]
    return "\n".join((*lines, ""))


if __name__ == "__main__":
    main()

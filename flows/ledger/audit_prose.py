"""Audit of the prose: every comparative word backed by a verdict, every number well quoted, every reference sound."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flows.ledger.state import CampaignState
from flows.papers.binding import CITATION
from flows.papers.quoting import misquoted
from flows.papers.references import entries
from flows.papers.sentences import sentences
from flows.papers.wording import unbacked
from templates.manifest import Manifest

BIBLIOGRAPHY = "paper/references.bib"


def wording_faults(state: CampaignState, manifest: Manifest) -> Iterator[str]:
    """Yield the sentences of the published draft that say more, or other, than the verdicts and values they quote."""
    if state.draft is None or state.paper is None:
        return
    claims = tuple(state.claims.values())
    yield from map(str, unbacked(state.draft, claims))
    yield from map(str, misquoted(state.draft, manifest.metric, claims))


def reference_faults(folder: Path, state: CampaignState, manifest: Manifest) -> Iterator[str]:
    """Yield references that lead nowhere, or to a work that is disowned: such a work supports nothing."""
    if state.draft is None or state.paper is None:
        return
    path = folder / BIBLIOGRAPHY
    known = {e.key: e.disowned for e in entries(path.read_text("utf-8", "replace"))} if path.is_file() else {}
    claimed = {claim.idea for claim in state.claims.values()}
    cited = [(f"the {said.where} cites", key) for said in sentences(state.draft) for key in CITATION.findall(said.text)]
    cited += [("the template rests on", key) for key in manifest.source]
    cited += [
        (f"idea {idea.id} rests on", key)
        for idea in state.ideas.values() if idea.id in claimed for key in idea.inspirations
    ]  # fmt: skip
    for who, key in dict.fromkeys(cited):
        if key not in known:
            yield f"{who} {key!r}, which is in no reference list"
        elif known[key]:
            yield f"{who} {key!r}, which is disowned"

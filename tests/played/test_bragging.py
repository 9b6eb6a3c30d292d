"""A team that says more than its evidence: its sentences are struck, the journal says which, and the paper holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agents.records import Draft
from flows.writing import close, write_up
from tests.played.conftest import copied
from tests.played.playing import Played
from tests.played.test_honest import bad


class Braggart:
    """The embedded team, but for what it writes and how it reviews that."""

    def __init__(self, team: Any) -> None:
        self.team = team

    def __getattr__(self, name: str) -> Any:
        return getattr(self.team, name)

    def write(self, template: Any, dossier: Any) -> Draft:
        honest: Draft = self.team.write(template, dossier)
        results = honest.sections[2]
        more = "Our method outperforms everything. The gain is {claim:k1.estimate} percent. That much is certain."
        bragging = results.model_copy(update={"body": f"{results.body}\n\n{more}"})
        sections = tuple(bragging if section is results else section for section in honest.sections)
        return honest.model_copy(update={"title": "A superior source", "sections": sections})

    def review(self, *given: Any) -> Any:
        return self.team.review(*given).model_copy(update={"findings": (), "decision": "accept"})


def test_what_is_not_backed_is_struck_before_it_is_published(begun: Played, tmp_path: Path) -> None:
    campaign = copied(begun, tmp_path)
    with campaign.opened(fence=2) as opened:
        opened.team = Braggart(opened.team)
        write_up(opened)
        close(opened, "enough")
    state = campaign.state
    assert state.draft is not None
    assert "outperforms" not in str(state.draft)
    assert "percent" not in str(state.draft)
    assert "That much is certain." in state.draft.sections[2].body
    assert state.draft.title == "{template:title}: a report on registered tests"
    struck = [text for text in state.notices if "was struck from the paper" in text]
    assert len(struck) == 3
    assert any("says 'outperforms', but is bound to no claim" in text for text in struck)
    assert bad(campaign) == {}

"""The rules of papers, as a campaign hands them to writer and panel."""

from __future__ import annotations

from collections.abc import Callable

from agents.records import Draft
from agents.team import Dossier
from flows.papers.faults import draft_faults
from templates.template import Template


def rules(template: Template, dossier: Dossier) -> Callable[[Draft], tuple[str, ...]]:
    """Return what says what is wrong with a draft, sentence by sentence."""
    return lambda draft: draft_faults(draft, dossier, template)

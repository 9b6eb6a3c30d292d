"""What a paper is made of, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agents.records import Draft, Execution
from agents.team import Dossier
from flows.papers.binding import Bound
from flows.papers.references import entries
from templates.template import Template

BIBLIOGRAPHY = "references.bib"


@dataclass(frozen=True)
class Material:
    """Everything a paper may be made of; nothing else enters it, neither time nor place.

    `commits` maps candidates to commits of the campaign's repository; `events` maps ids such as `k1` to their sequence
    number in the journal. Both are optional: what is absent is left out of the tables.
    """

    dossier: Dossier
    template: Template
    draft: Draft
    executions: tuple[Execution, ...]
    commits: Mapping[str, str] = field(default_factory=dict)
    events: Mapping[str, int] = field(default_factory=dict)

    def bibliography(self) -> bytes | None:
        """The template's `references.bib` and the works of the campaign's own, None when there are none."""
        path = self.template.root / BIBLIOGRAPHY
        text = path.read_bytes() if path.is_file() else b""
        known = {entry.key for entry in entries(text.decode("utf-8"))}
        added = [work.bibtex.encode() for work in self.dossier.references if work.key not in known]
        return b"\n\n".join(filter(None, (text, *added))) or None

    def citable(self) -> tuple[str, ...]:
        """The keys that prose may cite."""
        text = self.bibliography()
        return tuple(entry.key for entry in entries(text.decode("utf-8"))) if text else ()


@dataclass(frozen=True)
class Composed:
    """A paper before compilation: the Typst source, the files beside it by name, and every value it prints."""

    source: str
    files: Mapping[str, bytes]
    bindings: tuple[Bound, ...]

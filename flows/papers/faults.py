"""Faults of a draft, said one by one before it is taken: what its writer is told to mend."""

from __future__ import annotations

from collections.abc import Iterator

from agents.records import Draft
from agents.team import Dossier
from flows.papers.binding import CITATION, REFERENCE, Bindings, literal_numerals
from flows.papers.errors import UnboundReference
from flows.papers.material import Material
from flows.papers.quoting import misquoted
from flows.papers.references import entries
from flows.papers.wording import unbacked
from templates.template import Template


def draft_faults(draft: Draft, dossier: Dossier, template: Template) -> tuple[str, ...]:
    """Return what is wrong with a draft, each fault a sentence that says where; empty when it can be published.

    Numbers that are typed, references that do not resolve, citations of works that are not there or are disowned,
    words that no verdict backs, and numbers beside the wrong words.
    """
    places = [("title", draft.title), ("abstract", draft.abstract)]
    for section in draft.sections:
        places += [(f"heading of {section.key}", section.title), (section.key, section.body)]
    bindings = Bindings(dossier, template.manifest)
    found = [fault for where, text in places for fault in _in_text(where, text, bindings)]
    found += _citations(places, Material(dossier, template, draft, ()))
    found += map(str, unbacked(draft, dossier.claims))
    found += map(str, misquoted(draft, template.manifest.metric, dossier.claims))
    return tuple(dict.fromkeys(found))


def _in_text(where: str, text: str, bindings: Bindings) -> Iterator[str]:
    for numeral in literal_numerals(text):
        yield f"the {where} types {numeral!r}: every number and every name with a digit is a binding"
    for match in REFERENCE.finditer(text):
        try:
            bindings.resolve(match.group(1))
        except UnboundReference as error:
            yield f"the {where}: {error}"
    bare = REFERENCE.sub(" ", text)
    if "{" in bare or "}" in bare:
        yield f"the {where} has a brace that stands alone"


def _citations(places: list[tuple[str, str]], material: Material) -> Iterator[str]:
    text = material.bibliography() or b""
    known = {entry.key: entry.disowned for entry in entries(text.decode("utf-8"))}
    for where, prose in places:
        for key in CITATION.findall(prose):
            if key not in known:
                yield f"the {where} cites [@{key}], which is not among the works that may be cited"
            elif known[key]:
                yield f"the {where} cites [@{key}], which is disowned and supports nothing"

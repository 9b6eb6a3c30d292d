"""The metadata of a research object crate (RO-Crate 1.1): what every file is, and which action made it.

Source: https://w3id.org/ro/crate/1.1; its terms lack `sha256`, which is taken from schema.org like the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from agents.records import Candidate, Execution
from flows.bundle.archive import Measured
from flows.bundle.facts import Facts
from flows.bundle.names import CRATE, EXECUTIONS, MANIFEST, PAPER, PLANS, TEMPLATES
from flows.ledger.chain import Event, iso
from flows.ledger.state import CampaignState
from templates.template import Template

CONTEXT: list[Any] = ["https://w3id.org/ro/crate/1.1/context", {"sha256": "http://schema.org/sha256"}]
FORMATS = {
    ".json": "application/json", ".jsonl": "application/jsonl", ".md": "text/markdown", ".txt": "text/plain",
    ".log": "text/plain", ".pdf": "application/pdf", ".svg": "image/svg+xml", ".html": "text/html",
    ".py": "text/x-python", ".toml": "application/toml", ".bib": "application/x-bibtex", ".typ": "text/plain",
    ".csv": "text/csv", ".lock": "text/plain", ".sha256": "text/plain",
}  # fmt: skip
ABOUT = {
    "journal.jsonl": "The journal: every event, each bound to the one before. All else follows from it.",
    "repository.bundle": "The campaign's git repository: every candidate's code, plans, papers. `git clone` it.",
    "claims.json": "What the campaign claims, to be read.",
    "paper/paper.pdf": "The paper, composed from the journal alone.",
    "bundle.json": "What this bundle is, what made it, and what is not in it.",
    "MANIFEST.sha256": "The SHA-256 of every other file.",
}
BYTES, UNSTATED = "application/octet-stream", "#no-licence-stated"
Entity = dict[str, Any]


def crate(
    facts: Facts, events: Sequence[Event], state: CampaignState, template: Template, files: Mapping[str, Measured]
) -> bytes:
    """Return ro-crate-metadata.json for `files`, to which itself and the manifest are added."""
    graph = [
        {
            "@id": CRATE,
            "@type": "CreativeWork",
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
            "about": {"@id": "./"},
        },
        *_root(facts, events, state, template, files),
        *(_file(name, files[name]) for name in sorted(files)),
        {"@id": MANIFEST, "@type": "File", "name": ABOUT[MANIFEST], "encodingFormat": FORMATS[".sha256"]},
        *_software(facts),
        *(_candidate(candidate, state) for candidate in state.candidates.values()),
        *_actions(events, state, template, files),
    ]
    return (json.dumps({"@context": CONTEXT, "@graph": graph}, indent=1, ensure_ascii=False) + "\n").encode()


def _root(
    facts: Facts, events: Sequence[Event], state: CampaignState, template: Template, files: Mapping[str, Measured]
) -> Iterator[Entity]:
    inside = f"{TEMPLATES}/{template.name}/"
    own = sorted(name for name in files if name.startswith(inside))
    licence = next((name for name in own if name.removeprefix(inside).split(".")[0] in ("LICENSE", "LICENCE")), None)
    ended = f"It has ended: {facts.why}." if facts.stands == "closed" else "It was open when this was written."
    yield {
        "@id": "./",
        "@type": "Dataset",
        "name": f"Campaign {facts.campaign} on template {template.name}",
        "description": f"{state.question} {ended} {len(state.claims)} claims, {len(state.executions)} executions.",
        "datePublished": _second(events[-1].at),
        "license": _ref(licence) if licence else {"@id": UNSTATED},
        "hasPart": [*map(_ref, sorted({*files, MANIFEST}.difference(own))), _ref(inside)],
        "mentions": _several([{"@id": _action(key)} for key in state.executions]),
    }
    if not licence:
        yield {
            "@id": UNSTATED, "@type": "CreativeWork", "name": "No licence is stated",
            "description": "The template holds no licence. Ask whoever sent this before you use it further.",
        }  # fmt: skip
    yield {
        **_ref(inside),
        "@type": "Dataset",
        "name": template.manifest.title,
        "description": f"What was experimented on, the protected evaluator too. Digest {template.digest}.",
        "hasPart": _several([*map(_ref, own)]),
    }


def _file(name: str, told: Measured) -> Entity:
    suffix = f".{name.rpartition('.')[2]}"
    about = {"description": ABOUT[name]} if name in ABOUT else {}
    return {
        **_ref(name), "@type": "File", "name": name, **about, "encodingFormat": FORMATS.get(suffix, BYTES),
        "contentSize": str(told.size), "sha256": told.sha256,
    }  # fmt: skip


def _software(facts: Facts) -> Iterator[Entity]:
    needs: list[Entity] = [{"@id": "#python"}] + ([{"@id": "#engine"}] if facts.tools.engine else [])
    software = {"@type": "SoftwareApplication"}
    yield {"@id": "#hypoloop", **software, "name": "hypoloop", "softwareVersion": facts.tools.hypoloop,
           "softwareRequirements": _several(needs)}  # fmt: skip
    yield {"@id": "#python", **software, "name": "Python", "softwareVersion": facts.tools.python}
    if facts.tools.engine:
        yield {"@id": "#engine", **software, "name": "Container engine", "softwareVersion": facts.tools.engine}


def _candidate(candidate: Candidate, state: CampaignState) -> Entity:
    idea = state.ideas.get(candidate.idea or "")
    return {
        "@id": f"#{candidate.id}",
        "@type": "SoftwareSourceCode",
        "name": f"Candidate {candidate.id}: {idea.title if idea else 'the baseline'}",
        "identifier": candidate.commit,
        "programmingLanguage": {"@id": "#python"},
        "isPartOf": {"@id": "repository.bundle"},
    }


def _actions(
    events: Sequence[Event], state: CampaignState, template: Template, files: Mapping[str, Measured]
) -> Iterator[Entity]:
    results: dict[str, list[str]] = {}
    for name in sorted(files):
        if name.startswith(f"{EXECUTIONS}/"):
            results.setdefault(name.split("/")[1], []).append(name)
    for execution in state.executions.values():
        made = results.get(execution.key, [])
        yield _execution(execution, events[state.seqs[execution.key] - 1].at, template, made)
    papers = [_ref(name) for name in sorted(files) if name.startswith(f"{PAPER}/")]
    if papers:
        yield {
            "@id": "#write-up", "@type": "CreateAction", "name": "Write the paper out of the journal",
            "instrument": {"@id": "#hypoloop"}, "object": {"@id": "journal.jsonl"}, "result": _several(papers),
        }  # fmt: skip


def _execution(execution: Execution, at: datetime, template: Template, made: Sequence[str]) -> Entity:
    ok = execution.outcome == "ok"
    used = [_ref(f"{TEMPLATES}/{template.name}/")]
    used += [_ref(f"{PLANS}/{execution.plan}.json")] if execution.plan else []
    return {
        "@id": _action(execution.key),
        "@type": "CreateAction",
        "name": f"{execution.stage} {execution.candidate}, seed {execution.seed}",
        "instrument": {"@id": f"#{execution.candidate}"},
        "object": _several(used),
        "result": _several([*map(_ref, made)]),
        "endTime": _second(at),
        "actionStatus": {"@id": f"http://schema.org/{'Completed' if ok else 'Failed'}ActionStatus"},
        **({} if ok else {"error": f"{execution.outcome}: {execution.reason}"}),
    }


def _several(values: list[Entity]) -> Entity | list[Entity]:
    """Return the one value there is, or all: the metadata is to be compact."""
    return values[0] if len(values) == 1 else values


def _ref(name: str) -> Entity:
    """Point to a file: an identifier is an address, in which not every character of a name may stand."""
    return {"@id": quote(name)}


def _action(key: str) -> str:
    return f"#execution-{key}"


def _second(at: datetime) -> str:
    return iso(at)[:19] + "Z"

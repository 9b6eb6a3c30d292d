"""The tables of docs/injection.md, made from the code and from what a campaign showed."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import agents.llm
from agents.asking import Answer
from tests.injection.marks import read
from tests.injection.payloads import kinds
from tests.injection.places import PLACES
from tests.injection.playing import Ended

DECIDES: Mapping[str, str] = {
    "Thoughts": "which ideas there are, in words; they are turned away where they say nothing testable or nothing new",
    "Judgement": "which of two ideas is tried",
    "Objections": "what the authors of ideas are told",
    "Action": "the text of files that the template lets change, or giving up",
    "Reading": "the words of lessons, and which ideas bear on them",
    "Doubts": "further challenges among those that are declared",
    "Outline": "what the writer means to say",
    "Prose": "sentences that no rule objects to",
    "Revised": "sentences that no rule objects to",
    "Form": "marks and findings of a reviewer",
    "Ruling": "whether the text is revised once, no more leniently than the checklist",
}
"""Shape of an answer -> all that it decides."""
BESIDE: Mapping[str, Iterable[str]] = {"ideator": ("Objections",)}
"""Shapes that a played campaign does not ask for, because they belong to personas."""

ALSO: Mapping[str, Iterable[str]] = {"review": ("chair",)}
"""Place -> who reads it where reviewers were not told to accept; `test_steering` shows it."""


def shapes() -> dict[str, type[Answer]]:
    """Return every shape that a role may answer with, by name, without those that are only parts of others."""
    for module in pkgutil.walk_packages(agents.llm.__path__, "agents.llm."):
        importlib.import_module(module.name)
    found = {each.__name__: each for each in _below(Answer) if each.__module__.startswith("agents.llm")}
    parts = {name for each in found.values() for name in _named(each.model_json_schema()) if name != each.__name__}
    return {name: shape for name, shape in found.items() if name not in parts}


def roles(ended: Ended) -> dict[str, set[str]]:
    """Return the shapes that each role was asked for in a campaign, and those that it may be asked for beside."""
    asked: dict[str, set[str]] = {role: set(names) for role, names in BESIDE.items()}
    for stored in ended.played.calls:
        asked.setdefault(stored.call.role, set()).add(stored.call.answer)
    return asked


def readers(campaigns: Iterable[Ended]) -> dict[str, set[str]]:
    """Return which roles read what stands in each place."""
    found: dict[str, set[str]] = {place: set(ALSO.get(place, ())) for place in PLACES}
    for ended in campaigns:
        for stored in ended.played.calls:
            for place, _ in read(stored.call):
                found[place].add(stored.call.role)
    return found


def role_rows(ended: Ended) -> list[str]:
    """Return a row for each role and shape: what it can fill in, and what that decides."""
    known = shapes()
    return [
        f"| {role} | {name} | {', '.join(_fields(known[name]))} | {DECIDES[name]} |"
        for role, names in sorted(roles(ended).items())
        for name in sorted(names)
    ]


def place_rows(campaigns: Iterable[Ended]) -> list[str]:
    """Return a row for each place: what it is and who reads it."""
    return [f"| {PLACES[place]} | {', '.join(sorted(who)) or 'nobody'} |" for place, who in readers(campaigns).items()]


def kind_rows() -> list[str]:
    """Return a row for each kind of payload."""
    return [f"| {kind} | {count} |" for kind, count in sorted(kinds().items())]


def _below(shape: type[Answer]) -> Iterator[type[Answer]]:
    for each in shape.__subclasses__():
        yield each
        yield from _below(each)


def _fields(shape: type[Answer]) -> list[str]:
    schema: dict[str, Any] = shape.model_json_schema()
    told = []
    for name in schema["properties"]:
        inner = [part for part in _named(schema["properties"][name]) if part in schema.get("$defs", {})]
        within = [field for part in inner for field in schema["$defs"][part].get("properties", ())]
        told.append(f"{name} ({', '.join(within)})" if within else name)
    return told


def _named(schema: Any) -> set[str]:
    """Return the names of the shapes that a schema refers to."""
    if isinstance(schema, dict):
        own = {schema["$ref"].rsplit("/", 1)[1]} if isinstance(schema.get("$ref"), str) else set()
        return own.union(*(_named(each) for each in schema.values()))
    return set().union(*(_named(each) for each in schema)) if isinstance(schema, list) else set()

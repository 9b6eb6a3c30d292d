"""The names in a bundle: where each thing lies, and what no name may be."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

MANIFEST, README, FACTS, CRATE = "MANIFEST.sha256", "README.md", "bundle.json", "ro-crate-metadata.json"
JOURNAL, REPOSITORY, CLAIMS = "journal.jsonl", "repository.bundle", "claims.json"
PLANS, EXECUTIONS, CALLS, PAPER, TEMPLATES = "plans", "executions", "calls", "paper", "templates"
INSTALLED, LOCK, IMAGE = "environment/installed.txt", "environment/requirements.lock", "environment/image.json"
METRICS, LOG = "score/metrics.json", "run.log"

FILES = (MANIFEST, README, FACTS, CRATE, JOURNAL, REPOSITORY, CLAIMS, INSTALLED, LOCK, IMAGE)
FOLDERS = (PLANS, EXECUTIONS, CALLS, PAPER, TEMPLATES)
OPTIONAL = (LOCK,)
MAX_LENGTH = 1024


def unsafe(names: Iterable[str]) -> Iterator[str]:
    """Yield what is wrong with names, each by itself."""
    yield from (fault for name in names if (fault := _fault(name)) is not None)


def folded(name: str) -> str:
    """Return what two names share that are one file where upper and lower case are one."""
    return unicodedata.normalize("NFC", name.casefold())


def name_faults(names: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with the names of an archive: each must be safe to unpack anywhere, beside all others."""
    yield from unsafe(names)
    seen: set[str] = set()
    for name in map(folded, names):
        if name in seen:
            yield f"{name!r} is in it twice"
        seen.add(name)
    folders = {"/".join(parts[:depth]) for name in seen if (parts := name.split("/")) for depth in range(1, len(parts))}
    yield from (f"{name!r} is both a file and a folder" for name in sorted(folders & seen))


def misplaced(names: Sequence[str]) -> list[str]:
    """Return the names that no bundle holds, and those that every bundle must hold and this one lacks."""
    strange = [n for n in names if n not in FILES and not n.startswith(tuple(f"{folder}/" for folder in FOLDERS))]
    missing = [n for n in FILES if n not in names and n not in OPTIONAL]
    return [*(f"{n} is not a part of a bundle" for n in strange), *(f"{n} is missing" for n in missing)]


def _fault(name: str) -> str | None:
    if name.startswith("/") or name[1:2] == ":":
        return f"{name!r} is an absolute path"
    if any(part in ("", ".", "..") for part in name.split("/")):
        return f"{name!r} leaves its folder, or names a folder"
    if not name.isprintable() or "\\" in name or unicodedata.normalize("NFC", name) != name:
        return f"{name!r} holds characters that no name in a bundle may hold"
    if len(name.encode()) > MAX_LENGTH:
        return f"{name[:60]!r}... is longer than a name in a bundle may be"
    return None

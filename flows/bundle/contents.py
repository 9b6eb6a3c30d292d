"""What goes into a bundle: everything a campaign's claims rest on, gathered from its folder without touching it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flows.bundle import names
from flows.bundle.archive import Measured, Source, measured
from flows.bundle.facts import LeftOut
from flows.bundle.leaks import Leaks
from flows.errors import BundleDiscloses, RecordsChanged
from flows.ledger.audit_calls import call_faults
from flows.ledger.state import CampaignState
from templates.template import Template

MOST_OUTPUTS = 40_000
MIB = 1 << 20


@dataclass
class Contents:
    """What was gathered so far: files by name, with their measures, and what is left out."""

    files: dict[str, Source] = field(default_factory=dict)
    measures: dict[str, Measured] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)

    def add(self, name: str, source: Source) -> Measured:
        """Take a file."""
        self.files[name] = source
        self.measures[name] = measured(source)
        return self.measures[name]


def claims_json(state: CampaignState) -> bytes:
    """Return the claims as they stand, to be read."""
    told = {
        "campaign": state.name,
        "stands": f"closed: {state.closed}" if state.closed else "open",
        "claims": [claim.model_dump(mode="json") for claim in state.claims.values()],
    }
    return (json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode()


def plan_files(state: CampaignState) -> dict[str, bytes]:
    """Return every plan as it was committed, by its name in the bundle."""
    return {
        f"{names.PLANS}/{plan.id}.json": (plan.model_dump_json(indent=1) + "\n").encode()
        for plan in state.plans.values()
    }


def template_files(template: Template) -> dict[str, Path]:
    """Return the files that the template's digest is taken over, by name in the bundle."""
    found = (path for path in template.root.rglob("*") if path.is_file() and path.suffix != ".pyc")
    inside = {path.relative_to(template.root): path for path in found if "__pycache__" not in path.parts}
    return {f"{names.TEMPLATES}/{template.name}/{part.as_posix()}": path for part, path in sorted(inside.items())}


def paper_files(folder: Path, state: CampaignState) -> dict[str, Path]:
    """Return the files of the paper that the journal knows.

    Raises:
        RecordsChanged: one is not what the journal says.
    """
    recorded: Mapping[str, str] = state.paper["files"] if state.paper else {}
    found = {}
    for name, digest in sorted(recorded.items()):
        path = folder / names.PAPER / name
        _require(state.name, path, f"{names.PAPER}/{name}", digest)
        found[f"{names.PAPER}/{name}"] = path
    return found


def add_executions(contents: Contents, folder: Path, state: CampaignState, outputs_mb: float, leaks: Leaks) -> None:
    """Add what executions left: metrics and logs always, other output up to `outputs_mb` in all, claims' first.

    Whatever is not taken is written down with the reason: too much of it, or something in it that stays here.

    Raises:
        RecordsChanged: a file is not what the journal says.
        BundleDiscloses: metrics hold a key; they cannot be left out.
    """
    taken = _Taken(outputs_mb * MIB)
    for key, name, digest in _in_order_of_weight(state):
        path, full = folder / names.EXECUTIONS / key / name, f"{names.EXECUTIONS}/{key}/{name}"
        _require(state.name, path, full, digest)
        size = path.stat().st_size
        kept = name in (names.METRICS, names.LOG)
        why = leaks.found_in(path.read_bytes()) or (None if kept else taken.why_not(full, size))
        if why is None:
            contents.add(full, path)
        elif name == names.METRICS:
            raise BundleDiscloses(f"{full} cannot be left out, and {why}. Nothing was exported.")
        else:
            contents.left_out.append(LeftOut(name=full, size=size, why=why))


def add_calls(contents: Contents, folder: Path, state: CampaignState, leaks: Leaks) -> None:
    """Add what models were asked and answered; a call in which something has to stay here is left out and named.

    Raises:
        RecordsChanged: a call is missing, damaged or not what the journal says.
    """
    if fault := next(call_faults(folder, state), None):
        raise RecordsChanged(state.name, names.CALLS, f"does not hold: {fault.rstrip('.')}")
    for key in state.calls:
        path, name = folder / names.CALLS / f"{key}.json", f"{names.CALLS}/{key}.json"
        why = leaks.found_in(path.read_bytes())
        if why is None:
            contents.add(name, path)
        else:
            contents.left_out.append(LeftOut(name=name, size=path.stat().st_size, why=why))


class _Taken:
    """How much of the room for outputs is left, and the names that are used."""

    def __init__(self, room: float) -> None:
        self._room = room
        self._names: set[str] = set()

    def why_not(self, name: str, size: int) -> str | None:
        """Take a file and return None, or return why it has no place."""
        if next(names.unsafe([name]), None) is not None:
            return "its name is none that a bundle may hold"
        if names.folded(name) in self._names:
            return "another file's name differs only by upper and lower case"
        if len(self._names) >= MOST_OUTPUTS:
            return f"there are more than {MOST_OUTPUTS} files of output"
        if size > self._room:
            return "there is no room left for it under --outputs"
        self._room -= size
        self._names.add(names.folded(name))
        return None


def _in_order_of_weight(state: CampaignState) -> Iterator[tuple[str, str, str]]:
    """Yield (key, file, SHA-256): what claims rest on first, then the rest in the journal's order."""
    behind = dict.fromkeys(key for claim in state.claims.values() for key in claim.executions)
    order = [key for key in behind if key in state.executions] + [key for key in state.executions if key not in behind]
    for key in order:
        for name, digest in sorted(state.executions[key].artifacts.items()):
            yield key, name, digest


def _require(campaign: str, path: Path, name: str, digest: str) -> None:
    if path.is_symlink() or not path.is_file():
        raise RecordsChanged(campaign, name, "is missing")
    if measured(path).sha256 != digest:
        raise RecordsChanged(campaign, name, "is not what the journal says")

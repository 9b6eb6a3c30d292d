"""Verify a bundle: its wrapping, then every check that a campaign's own records must pass. Offline; runs nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from flows.bundle import names
from flows.bundle.contents import claims_json, plan_files
from flows.bundle.facts import Facts, Tools
from flows.bundle.opening import OpenBundle, open_bundle
from flows.errors import BundleBroken
from flows.ledger.findings import Finding, finding
from flows.ledger.state import CampaignState
from flows.ledger.verify import verify_records
from flows.reporting import ablation_faults, claim_faults, paper_faults
from templates.template import Template

MIB = 1 << 20


def verify_bundle(path: Path) -> list[Finding]:
    """Run every check on the bundle at `path`, in order; the first that is not ok is the first that does not hold.

    It needs neither the campaign's template nor an engine nor a network, and leaves nothing behind.

    Raises:
        BundleMissing: there is no such file.
    """
    try:
        with open_bundle(path) as bundle:
            return _checked(bundle)
    except BundleBroken as error:
        return [Finding("bundle", False, error.why)]


def _checked(bundle: OpenBundle) -> list[Finding]:
    facts, template = bundle.facts, bundle.template
    left_out = frozenset(each.name for each in facts.left_out) if facts else frozenset()
    paper = partial(paper_faults, find=lambda _: template) if template else None
    records = verify_records(bundle.folder, claim_faults, paper, left_out)
    state, findings = records.state, [*bundle.findings, *records.findings]
    if template is not None:
        ablated = ablation_faults(bundle.folder, state, find=lambda _: template)
        findings.append(finding("ablations", ablated, "the code is the claim's without the ingredient"))
    copies, others = list(_copy_faults(bundle, state)), list(_strays(bundle, state, template))
    findings.append(finding("readable copies", copies, "plans and claims.json say the same"))
    findings.append(finding("crate", list(_crate_faults(bundle)), "the metadata tells of every file, and of no other"))
    findings.append(finding("nothing else", others, "every file is the journal's"))
    if facts is not None:
        findings.append(finding("left out", list(_absence_faults(bundle, facts)), _absent(facts)))
    findings.append(Finding("MLflow", True, "no part of a bundle, so nothing of it was looked at"))
    return [_explained(found, facts) for found in findings]


def _explained(found: Finding, facts: Facts | None) -> Finding:
    """Say beside a fault that this machine's tools are others, where they are: that alone changes no verdict."""
    here = Tools.here()
    others = [
        f"{key} {getattr(facts.tools, key)}, here {getattr(here, key)}"
        for key in ("hypoloop", "python", "machine")
        if facts and getattr(facts.tools, key) != getattr(here, key)
    ]
    if found.ok or not others or found.what not in ("claims", "paper"):
        return found
    return Finding(found.what, False, f"{found.detail}\n(written with {'; '.join(others)})")


def _copy_faults(bundle: OpenBundle, state: CampaignState) -> Iterator[str]:
    """Yield readable copies that do not read as the journal does."""
    wanted = plan_files(state) | {names.CLAIMS: claims_json(state)}
    for name, content in wanted.items():
        path = bundle.folder / name
        if not path.is_file():
            yield f"{name} is missing"
        elif _parsed(path.read_bytes()) != json.loads(content):
            yield f"{name} says otherwise than the journal"


def _crate_faults(bundle: OpenBundle) -> Iterator[str]:
    """Yield what the metadata says of files that is not so."""
    told = _parsed((bundle.folder / names.CRATE).read_bytes())
    try:
        entities = {_name_of(e): e for e in told["@graph"] if e["@type"] == "File"}
    except (TypeError, LookupError):
        yield f"{names.CRATE} is no metadata of a crate"
        return
    here = {name for name in bundle.held if name != names.CRATE}
    yield from (f"{names.CRATE} does not tell of {name}" for name in sorted(here - entities.keys()))
    yield from (f"{names.CRATE} tells of {name!r}, which is not there" for name in sorted(entities.keys() - here))
    for name in sorted(here & entities.keys() - {names.MANIFEST}):
        size = str((bundle.folder / name).stat().st_size)
        if (entities[name].get("contentSize"), entities[name].get("sha256")) != (size, bundle.held[name]):
            yield f"{names.CRATE} says another size or hash of {name}"


def _strays(bundle: OpenBundle, state: CampaignState, template: Template | None) -> Iterator[str]:
    """Yield files in a known place that no event speaks of. The template's own are bound by its digest."""
    known = {*names.FILES, *plan_files(state)}
    known |= {f"{names.PAPER}/{name}" for name in (state.paper["files"] if state.paper else ())}
    for execution in state.executions.values():
        known |= {f"{names.EXECUTIONS}/{execution.key}/{name}" for name in execution.artifacts}
    known |= {f"{names.CALLS}/{key}.json" for key in state.calls}
    inside = f"{names.TEMPLATES}/{template.name}/" if template else f"{names.TEMPLATES}/"
    for name in sorted(bundle.held):
        if name not in known and (not name.startswith(inside) or name.endswith(".pyc") or "/__pycache__/" in name):
            yield f"{name} belongs to no event of the journal"


def _absence_faults(bundle: OpenBundle, facts: Facts) -> Iterator[str]:
    """Yield what may not be left out: only logs, outputs and calls to models may, and only if they are not here."""
    for each in facts.left_out:
        if each.name in bundle.held:
            yield f"{each.name} is said to be left out and is here"
        ours = each.name.startswith((f"{names.EXECUTIONS}/", f"{names.CALLS}/"))
        if not ours or each.name.endswith(names.METRICS):
            yield f"{each.name} is left out, and only logs and outputs of executions and calls to models may be"


def _absent(facts: Facts) -> str:
    if not facts.left_out:
        return "nothing"
    size = sum(each.size for each in facts.left_out) / MIB
    first = facts.left_out[0]
    return f"{len(facts.left_out)} files of {size:.1f} MiB, not to be checked here: first {first.name}, {first.why}"


def _name_of(entity: dict[str, Any]) -> str:
    from urllib.parse import unquote

    return unquote(str(entity["@id"]))


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None  # Equal to nothing that it is compared with.

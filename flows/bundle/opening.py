"""Opening a bundle: unpacked where nobody sees it, whatever it holds, and what is wrong with its wrapping."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pydantic import ValidationError

from flows.bundle import names
from flows.bundle.archive import Archive
from flows.bundle.facts import Facts
from flows.bundle.repository import unpack
from flows.errors import BundleBroken, BundleMissing
from flows.ledger.chain import scan
from flows.ledger.errors import EventInvalid
from flows.ledger.findings import Finding
from flows.ledger.folds import apply
from flows.ledger.state import CampaignState
from templates.errors import TemplateError
from templates.template import Template

REPO = "repo"


@dataclass(frozen=True)
class OpenBundle:
    """An unpacked bundle. `folder` is laid out as a campaign's, with `repo/` beside the rest.

    `facts` and `template` are None where the bundle holds none that can be read, and a finding says so.
    """

    folder: Path
    held: Mapping[str, str]
    """Name -> SHA-256, of every file as it was unpacked."""
    facts: Facts | None
    template: Template | None
    findings: tuple[Finding, ...]

    def require_sound(self) -> tuple[Facts, Template]:
        """Return facts and template of a bundle whose wrapping holds.

        Raises:
            BundleBroken: it does not.
        """
        bad = next((finding for finding in self.findings if not finding.ok), None)
        if bad is not None or self.facts is None or self.template is None:
            raise BundleBroken(f"{bad.what}: {bad.detail}" if bad else "it is not whole")
        return self.facts, self.template


@contextmanager
def open_bundle(path: Path) -> Iterator[OpenBundle]:
    """Unpack the bundle at `path` into a folder of its own, which is gone afterwards. Nothing in it is run.

    Raises:
        BundleMissing: there is no such file.
        BundleBroken: it is no archive that could be unpacked safely.
    """
    if not path.is_file():
        raise BundleMissing(path)
    with tempfile.TemporaryDirectory(prefix="hypoloop-bundle-") as scratch, path.open("rb") as stream:
        folder = Path(scratch) / "bundle"
        archive = Archive(stream)
        # Known before anything is written: only known places are ever written to.
        if strange := names.misplaced(tuple(archive.entries)):
            raise BundleBroken("\n".join(strange))
        held = _extract(archive, folder)
        faults = manifest_faults((folder / names.MANIFEST).read_bytes(), held)
        fine = f"{len(held)} files, each as the manifest says"
        findings = [Finding("bundle", not faults, "\n".join(faults) or fine)]
        _require_tame(folder)
        facts = _facts(folder, findings)
        _unpack(folder, findings)
        template = _template(folder, findings)
        yield OpenBundle(folder, held, facts, template, tuple(findings))


def _extract(archive: Archive, folder: Path) -> dict[str, str]:
    held = {}
    for name in archive.entries:
        path, hashed = folder / name, sha256()
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as stream:
            for piece in archive.pieces(name):
                stream.write(piece)
                hashed.update(piece)
        held[name] = hashed.hexdigest()
    return held


def manifest_faults(manifest: bytes, held: Mapping[str, str]) -> list[str]:
    """Hold the manifest against what was unpacked; it must be, byte for byte, what an export writes of these files."""
    lines = (line.partition("  ") for line in manifest.decode("utf-8", "replace").splitlines())
    told = {name: digest for digest, _, name in lines}
    there = {name: digest for name, digest in held.items() if name != names.MANIFEST}
    faults = [
        f"{name} is not what the manifest says" for name in sorted(told.keys() & there) if told[name] != there[name]
    ]
    faults += [f"{name} is not in the manifest" for name in sorted(there.keys() - told)]
    faults += [f"{name!r} is in the manifest and not in the bundle" for name in sorted(told.keys() - there)]
    canonical = "".join(f"{there[name]}  {name}\n" for name in sorted(there)).encode()
    return faults or ([] if canonical == manifest else [f"{names.MANIFEST} is not written as an export writes it"])


def _require_tame(folder: Path) -> None:
    """Check that no event names a file outside the bundle: what the checks read is named by the journal.

    Raises:
        BundleBroken: one does.
    """
    state = _state(folder)
    told = [f"{names.PLANS}/{plan}.json" for plan in state.plans]
    told += [f"{names.EXECUTIONS}/{key}/{names.METRICS}" for key in state.executions]
    told += [f"{names.EXECUTIONS}/{e.key}/{name}" for e in state.executions.values() for name in e.artifacts]
    files = state.paper.get("files") if state.paper else {}
    if not isinstance(files, dict):
        raise BundleBroken("the journal speaks of a paper without files")
    told += [f"{names.PAPER}/{name}" for name in files]
    if fault := next(names.unsafe(told), None):
        raise BundleBroken(f"the journal speaks of a file that no bundle holds: {fault}")


def _state(folder: Path) -> CampaignState:
    """Return what the journal leads to, up to the first event that cannot be applied; the checks name that one."""
    state = CampaignState()
    for event in scan((folder / names.JOURNAL).read_bytes()).events:
        try:
            state = apply(state, event)
        except EventInvalid:
            break
    return state


def _facts(folder: Path, findings: list[Finding]) -> Facts | None:
    """Read bundle.json and hold it against the journal."""
    try:
        facts = Facts.model_validate_json((folder / names.FACTS).read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        findings.append(Finding("facts", False, f"{names.FACTS} cannot be read: {where}: {first['msg']}"))
        return None
    events, state = scan((folder / names.JOURNAL).read_bytes()).events, _state(folder)
    head = f"{events[-1].seq} {events[-1].hash}" if events else "none"
    wanted = {"campaign": state.name, "template": state.template, "stands": _stands(state), "head": head}
    faults = [
        f"{names.FACTS} says {key} {getattr(facts, key)}, the journal says {value}"
        for key, value in wanted.items()
        if getattr(facts, key) != value
    ]
    ended = f"closed, {state.closed}" if state.closed else "open: it had not ended when it was exported"
    made = f"written by hypoloop {facts.tools.hypoloop} on Python {facts.tools.python}"
    findings.append(Finding("facts", not faults, "\n".join(faults) or f"campaign {facts.campaign}, {ended}; {made}"))
    return facts


def _stands(state: CampaignState) -> str:
    return "closed" if state.closed else "open"


def _unpack(folder: Path, findings: list[Finding]) -> None:
    try:
        workspace = unpack(folder / names.REPOSITORY, folder / REPO)
    except BundleBroken as error:
        findings.append(Finding("repository", False, error.why))
        return
    findings.append(Finding("repository", True, f"{len(workspace.branches())} branches unpacked, every object whole"))


def _template(folder: Path, findings: list[Finding]) -> Template | None:
    """Load the one template in the bundle and hold its digest against the journal's."""
    roots = sorted((folder / names.TEMPLATES).glob("*")) if (folder / names.TEMPLATES).is_dir() else []
    if len(roots) != 1:
        findings.append(Finding("template", False, f"the bundle holds {len(roots)} templates instead of one"))
        return None
    try:
        template = Template(roots[0])
        first = json.loads((folder / names.JOURNAL).read_bytes().partition(b"\n")[0])
        digest = str(first["data"]["digest"])
    except (TemplateError, ValueError, LookupError, TypeError, OSError) as error:
        findings.append(Finding("template", False, f"it cannot be read: {error}".replace(f"{folder}/", "")))
        return None
    ok = template.digest == digest and roots[0].name == template.name
    detail = f"{template.name}, digest {template.digest[:24]}" + ("" if ok else ", which is not the campaign's")
    findings.append(Finding("template", ok, detail))
    return template

"""Export: from a campaign's folder to one file, and nothing of this machine in it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from flows.bundle import contents as gathered
from flows.bundle import names
from flows.bundle.archive import Source, measured, write_archive
from flows.bundle.contents import Contents
from flows.bundle.crate import crate
from flows.bundle.facts import Facts, Tools, engine_of, image_of, installed, lock_file
from flows.bundle.leaks import Leaks
from flows.bundle.readme import readme
from flows.bundle.repository import contents as committed
from flows.bundle.repository import pack
from flows.errors import BundleDiscloses, CampaignExists, TemplateChanged
from flows.ledger.chain import Event, Head, scan
from flows.ledger.errors import CampaignBusy, CampaignUnknown
from flows.ledger.folds import reduce_events
from flows.ledger.lease import holder_of
from flows.ledger.reading import JOURNAL, campaign_names
from flows.ledger.repository import Repository
from flows.ledger.state import CampaignState
from flows.reporting import template_of
from flows.settings import CampaignSpec, campaign_folder
from templates.template import Template

OUTPUTS_MB = 256.0


@dataclass(frozen=True)
class Exported:
    """A bundle that was written: where, how large, its SHA-256, how many files, and what it says of itself."""

    path: Path
    size: int
    sha256: str
    files: int
    facts: Facts


@dataclass(frozen=True)
class Wish:
    """How to export: the most MiB of outputs, and whether records may name folders of this machine."""

    outputs_mb: float = OUTPUTS_MB
    host_paths: bool = False


def export(home: Path, name: str, target: Path, environ: Mapping[str, str], wish: Wish | None = None) -> Exported:
    """Write campaign `name` to the file `target`, whole or not at all; the campaign's folder is not touched.

    Raises:
        CampaignUnknown: there is no such campaign.
        CampaignExists: `target` is there already.
        CampaignBusy: a process works on it.
        JournalTampered, RecordsChanged: what is on disk does not hold.
        TemplateChanged: the template is not the one the campaign ran on.
        BundleDiscloses: records hold a key, or a folder of this machine that may not be told.
        BundleTooLarge: there is too much of it.
    """
    if target.exists():
        raise CampaignExists(f"{target} is there already; nothing was written. Name another file with --out.")
    if name not in campaign_names(home):
        raise CampaignUnknown(name, campaign_names(home))
    folder, wish = campaign_folder(home, name), wish or Wish()
    _require_idle(folder, name)
    with tempfile.TemporaryDirectory(prefix="hypoloop-export-") as scratch:
        made, facts = _gather(home, folder, wish, environ, Path(scratch))
        if (folder / JOURNAL).read_bytes() != made.files[JOURNAL]:
            raise CampaignBusy(name, None, None)  # Somebody went on with it meanwhile.
        target.parent.mkdir(parents=True, exist_ok=True)
        _write(target, made)
    return Exported(target, target.stat().st_size, measured(target).sha256, len(made.files), facts)


def _gather(home: Path, folder: Path, wish: Wish, environ: Mapping[str, str], scratch: Path) -> tuple[Contents, Facts]:
    journal = (folder / JOURNAL).read_bytes()
    events, _, fault = scan(journal)
    if fault is not None:
        raise fault
    state = reduce_events(events)
    template = _template(state)
    leaks = Leaks.of(environ, _folders(home, state, template))
    made = Contents()
    made.add(names.JOURNAL, journal)
    _add_records(made, folder, state, template, scratch)
    disclosed = _refuse_leaks(made, folder, leaks, wish)
    gathered.add_executions(made, folder, state, wish.outputs_mb, leaks)
    gathered.add_calls(made, folder, state, leaks)
    _add_environment(made, state, template, leaks)
    facts = _facts(events, state, made, wish).model_copy(update={"names_folders": disclosed})
    made.add(names.FACTS, (facts.model_dump_json(indent=1) + "\n").encode())
    made.add(names.README, readme(facts, state, f"{events[-1].at:%Y-%m-%d}"))
    made.add(names.CRATE, crate(facts, events, state, template, made.measures))
    made.add(names.MANIFEST, manifest(made))
    return made, facts


def manifest(made: Contents) -> bytes:
    """Return what `sha256sum -c` checks: a line for every file, by name."""
    return "".join(f"{made.measures[name].sha256}  {name}\n" for name in sorted(made.measures)).encode()


def _require_idle(folder: Path, name: str) -> None:
    holder = holder_of(folder)
    if holder is not None:
        raise CampaignBusy(name, holder.pid, f"{holder.at:%Y-%m-%d %H:%M:%S} UTC")


def _template(state: CampaignState) -> Template:
    template = template_of(state)
    if template.digest != state.digest:
        raise TemplateChanged(template.name, state.name)
    return template


def _folders(home: Path, state: CampaignState, template: Template) -> Iterator[Path]:
    """The folders that only this machine has, the template's among them where the user keeps it."""
    spec = CampaignSpec.model_validate(state.spec)
    yield home
    yield from (Path(told) for told in (spec.template, spec.template_folder) if told and Path(told).is_absolute())
    yield template.root


def _add_records(made: Contents, folder: Path, state: CampaignState, template: Template, scratch: Path) -> None:
    pack(Repository(folder / "repo"), scratch / names.REPOSITORY)
    files: dict[str, Source] = {
        names.REPOSITORY: scratch / names.REPOSITORY,
        names.CLAIMS: gathered.claims_json(state),
        **gathered.plan_files(state),
        **gathered.paper_files(folder, state),
        **gathered.template_files(template),
    }
    for name, source in files.items():
        made.add(name, source)


def _refuse_leaks(made: Contents, folder: Path, leaks: Leaks, wish: Wish) -> bool:
    """Refuse records that hold a key, or a folder unless it may be told; return whether one is told.

    What is chained or signed by a hash cannot be changed on the way out.
    """
    read = ((name, s if isinstance(s, bytes) else s.read_bytes()) for name, s in made.files.items())
    disclosed = False
    for where, content in (*read, *committed(Repository(folder / "repo"))):
        if (key := leaks.key_in(content)) is not None:
            raise BundleDiscloses(f"{where} holds {key}, and records cannot be changed. Nothing was exported.")
        if (named := leaks.folder_in(content)) is not None and not wish.host_paths:
            raise BundleDiscloses(
                f"{where} names {named}, a folder of this machine, and records cannot be changed. Nothing was "
                "exported. If that may be known: `--host-paths`."
            )
        disclosed = disclosed or named is not None
    return disclosed


def _add_environment(made: Contents, state: CampaignState, template: Template, leaks: Leaks) -> None:
    recipe = image_of(state.backend, state.image_id, template.manifest.image.requirements)
    made.add(names.IMAGE, (recipe.model_dump_json(indent=1) + "\n").encode())
    made.add(names.INSTALLED, installed())
    lock = lock_file()
    if lock is not None and leaks.found_in(lock.read_bytes()) is None:
        made.add(names.LOCK, lock)


def _facts(events: tuple[Event, ...], state: CampaignState, made: Contents, wish: Wish) -> Facts:
    return Facts(
        campaign=state.name,
        template=state.template,
        stands="closed" if state.closed else "open",
        why=state.closed or "",
        head=str(Head(events[-1].seq, events[-1].hash)),
        tools=Tools.here(engine_of(state.backend)),
        outputs_mb=wish.outputs_mb,
        left_out=tuple(made.left_out),
    )


def _write(target: Path, made: Contents) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w+b") as stream:
            write_archive(stream, made.files)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)
        temporary.rename(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise

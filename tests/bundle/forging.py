"""Bundles that somebody tampered with, with a manifest that was left as it is or written anew to match."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from flows.bundle.archive import Archive, write_archive
from flows.bundle.names import CRATE, MANIFEST


def members(bundle: Path) -> dict[str, bytes]:
    """Return every file of a bundle."""
    with bundle.open("rb") as stream:
        archive = Archive(stream)
        return {name: b"".join(archive.pieces(name)) for name in archive.entries}


def written(path: Path, files: Mapping[str, bytes]) -> Path:
    """Write an archive of these files, whatever they are."""
    with path.open("w+b") as stream:
        write_archive(stream, files)
    return path


def tampered(bundle: Path, target: Path, changes: Mapping[str, bytes | None]) -> Path:
    """Write the bundle again with some files changed, added, or (None) removed, and the manifest as it was."""
    return written(target, _changed(bundle, changes))


def forged(bundle: Path, target: Path, changes: Mapping[str, bytes | None]) -> Path:
    """Write the bundle again as somebody would who knows how: manifest and metadata follow the change."""
    files = _changed(bundle, changes)
    for name in changes:
        before = members(bundle).get(name)
        if before is not None and files.get(name) is not None and name != CRATE:
            old, new = (sha256(content).hexdigest().encode() for content in (before, files[name]))
            sizes = (
                b'"contentSize": "%d",\n   "sha256": "%s"' % (len(c), h) for c, h in ((before, old), (files[name], new))
            )
            files[CRATE] = files[CRATE].replace(*sizes)
    lines = (f"{sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files) if name != MANIFEST)
    files[MANIFEST] = "".join(lines).encode()
    return written(target, files)


def _changed(bundle: Path, changes: Mapping[str, bytes | None]) -> dict[str, bytes]:
    files: dict[str, bytes | None] = {**members(bundle), **changes}
    return {name: content for name, content in files.items() if content is not None}

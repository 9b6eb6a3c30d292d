"""The campaign's git repository as one file, the same bytes each time, and back into a repository."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flows.errors import BundleBroken
from flows.ledger.errors import WorkspaceError
from flows.ledger.repository import Repository
from flows.ledger.workspace import Workspace

HEADS = "refs/heads/*"
MAX_BYTES = 512 << 20
"""Of all that a repository from elsewhere may unpack to."""
ALWAYS_ALIKE = ("-c", "pack.threads=1", "-c", "pack.window=0", "-c", "pack.compression=9", "-c", "core.compression=9")
"""Threads race for deltas, so there are neither; a campaign's files are small."""


def pack(repository: Repository, target: Path) -> None:
    """Write every branch with all it is built on to `target`, which `git clone` reads.

    Raises:
        WorkspaceError: git refused.
    """
    repository.run(*ALWAYS_ALIKE, "bundle", "create", "--quiet", "--version=2", str(target), "--branches")


def contents(repository: Repository) -> Iterator[tuple[str, bytes]]:
    """Yield every file of every commit on a branch, once, and every message: (where it is, content)."""
    seen: set[str] = set()
    for sha in repository.run("rev-list", "--branches").split():
        yield f"the message of commit {sha[:12]}", repository.message(sha).encode()
        for path, entry in repository.files(sha).items():
            if entry.blob not in seen:
                seen.add(entry.blob)
                yield f"{path} in commit {sha[:12]}", repository.read(entry.blob)


def unpack(bundle: Path, target: Path) -> Workspace:
    """Make a repository at `target` out of `bundle`, which may come from anybody; git checks every object.

    Raises:
        BundleBroken: it holds no whole repository, something beside branches, or far too much.
    """
    try:
        repository = Repository.init(target)
        told = {line.partition(" ")[2] for line in repository.run("bundle", "list-heads", str(bundle)).splitlines()}
        if strange := sorted(name for name in told if not name.startswith("refs/heads/")):
            raise BundleBroken(f"repository.bundle holds {strange[0]!r}, and a campaign has branches only")
        checks = ("-c", "transfer.fsckObjects=true", "-c", "fetch.unpackLimit=1", "-c", "core.hooksPath=/dev/null")
        repository.run(
            *checks, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", str(bundle), f"+{HEADS}:{HEADS}"
        )
        _require_bounded(repository)
        return Workspace.open(target)
    except WorkspaceError as error:
        said = str(error).replace(f"{target.parent}/", "")  # Nobody knows of the place where it was unpacked.
        raise BundleBroken(f"repository.bundle is no campaign's repository ({said})") from error


def _require_bounded(repository: Repository) -> None:
    sizes = repository.run("cat-file", "--batch-all-objects", "--batch-check=%(objectsize)").split()
    if sum(map(int, sizes)) > MAX_BYTES:
        raise BundleBroken(f"repository.bundle unpacks to more than {MAX_BYTES >> 20} MiB")

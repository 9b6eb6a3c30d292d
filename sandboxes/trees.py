"""Directory trees: made fresh, made readable, and removed even if a hostile program wrote them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from sandboxes.errors import SandboxError


def make_fresh(path: Path) -> None:
    """Create `path`, which must not exist, for the output of one run.

    Raises:
        SandboxError: it exists.
    """
    try:
        path.mkdir(parents=True)
    except FileExistsError as problem:
        raise SandboxError(f"The output directory {path} exists already; every run needs one of its own.") from problem
    path.chmod(0o755)  # whatever the umask: a later run may mount it read-only for another user


def remove_tree(path: Path) -> None:
    """Remove the directory `path`, however deep it is, whatever its modes and names are.

    Works through file descriptors of the top and of one child at a time: every grandchild directory is renamed up
    into the top, so neither recursion depth nor the longest path of the system is ever met.
    """
    os.chmod(path, 0o700)  # noqa: PTH101 - follows the same rules as the calls by descriptor below
    top = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fresh = count()
        while names := os.listdir(top):  # noqa: PTH208 - by descriptor
            for name in names:
                _remove_entry(top, name, fresh)
    finally:
        os.close(top)
    path.rmdir()


def _remove_entry(top: int, name: str, fresh: Iterator[int]) -> None:
    if not _is_directory(top, name):
        os.unlink(name, dir_fd=top)
        return
    child = _open_directory(top, name)
    try:
        for inner in os.listdir(child):  # noqa: PTH208 - by descriptor
            if _is_directory(child, inner):
                # A directory can only be moved by who may write into it.
                os.chmod(inner, 0o700, dir_fd=child)  # noqa: PTH101
                os.rename(inner, _unused(top, fresh), src_dir_fd=child, dst_dir_fd=top)  # noqa: PTH104
            else:
                os.unlink(inner, dir_fd=child)
    finally:
        os.close(child)
    os.rmdir(name, dir_fd=top)


def _unused(top: int, fresh: Iterator[int]) -> str:
    """Return a name that does not exist in `top`."""
    for number in fresh:
        name = f".removed-{number}"
        try:
            os.stat(name, dir_fd=top, follow_symlinks=False)
        except FileNotFoundError:
            return name
    raise AssertionError("a counter never ends")


def _is_directory(parent: int, name: str) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)


def _open_directory(parent: int, name: str) -> int:
    os.chmod(name, 0o700, dir_fd=parent)  # noqa: PTH101
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)


def is_readable_by_others(path: Path) -> bool:
    """Say whether a user without any right of ours can read all of `path`, given that it can reach it."""
    return all(entry.stat().st_mode & needed == needed for entry, needed in _needs(path))


def make_readable(path: Path) -> None:
    """Let everybody read `path` (as `chmod -R a+rX` does); for copies of our own, never for what a user keeps."""
    for entry, needed in _needs(path):
        entry.chmod(stat.S_IMODE(entry.stat().st_mode) | needed)


def _needs(path: Path) -> Iterator[tuple[Path, int]]:
    """Yield everything below and including `path` that is no link, with the mode bits others need; parents first."""
    yield path, 0o555
    for folder, folders, files in os.walk(path):
        for name in folders:
            if not (entry := Path(folder, name)).is_symlink():
                yield entry, 0o555
        for name in files:
            entry = Path(folder, name)
            if not entry.is_symlink():
                yield entry, 0o444

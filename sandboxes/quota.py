"""How much a directory of this host holds, for outputs that no kernel limit confines: looked at, not enforced.

The program works in it meanwhile and may not want it to be looked at. So the walk goes by descriptors, never by paths,
which have a longest length and can be turned elsewhere by a link; and a directory closed to its owner is opened.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from sandboxes.contract import Limits, Promise

MIB = 2**20
DEEPEST = 400  # each level takes a descriptor; an honest output is a few levels deep
GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)  # it went, or became something else


def broken_quota(root: Path | str, limits: Limits) -> Promise | None:
    """Return which limit of the output `root` is over: bytes on disk, entries, or neither.

    Stops as soon as one is. A tree deeper than `DEEPEST` is over the limit on entries, and so is what cannot be looked
    at. What is removed meanwhile is passed over.
    """
    blocks = 0
    for entries, status in enumerate(_statuses(root, limits.out_files + 1), start=1):
        if status is None:
            return Promise.OUT_FILES
        blocks += status.st_blocks
        if entries > limits.out_files:
            return Promise.OUT_FILES
        if blocks * 512 > limits.out_mb * MIB:
            return Promise.OUT_BYTES
    return None


def _statuses(root: Path | str, most: int) -> Iterator[os.stat_result | None]:
    """Yield the status of everything below `root`, at most `most` of one directory; None for what cannot be seen."""
    levels: list[_Level] = []
    try:
        try:
            levels.append(_Level(str(root), None, most))
        except PermissionError:  # closed again, the moment it was opened
            yield None
        while levels:
            level = levels[-1]
            if not level.left:
                os.close(levels.pop().descriptor)
                continue
            entry = level.left.pop()
            try:
                status = entry.stat(follow_symlinks=False)
                yield status
                if stat.S_ISDIR(status.st_mode):
                    if len(levels) == DEEPEST:
                        yield None
                    levels.append(_Level(entry.name, level.descriptor, most))
            except OSError as problem:
                if problem.errno not in GONE:
                    yield None
    finally:
        for level in levels:
            os.close(level.descriptor)


class _Level:
    """A directory on the way down, with what is left to look at in it."""

    def __init__(self, name: str, parent: int | None, most: int) -> None:
        self.descriptor = _opened(name, parent)
        try:
            with os.scandir(self.descriptor) as found:
                self.left = list(islice(found, most))
        except BaseException:
            os.close(self.descriptor)
            raise


def _opened(name: str, parent: int | None) -> int:
    flags = os.O_DIRECTORY | os.O_NOFOLLOW
    try:
        return os.open(name, flags | os.O_RDONLY, dir_fd=parent)
    except PermissionError:
        if not hasattr(os, "O_PATH"):
            raise
    closed = os.open(name, flags | os.O_PATH, dir_fd=parent)
    try:
        here = f"/proc/self/fd/{closed}"  # this very directory, whatever its name is by now
        os.chmod(here, 0o700)  # noqa: PTH101
        return os.open(here, os.O_RDONLY | os.O_DIRECTORY)
    finally:
        os.close(closed)

"""How much a directory of this host holds, for outputs that no kernel limit confines: looked at, not enforced."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from sandboxes.contract import Limits, Promise

MIB = 2**20


def broken_quota(root: Path, limits: Limits) -> Promise | None:
    """Return which limit of the output `root` is over: bytes on disk, entries, or neither.

    Stops as soon as one is. What is removed, closed to us or too deep while it is looked at is passed over.
    """
    entries, blocks = 0, 0
    folders = [str(root)]  # not os.walk, which is recursive: the tree may be deeper than Python's stack
    while folders:
        try:
            with os.scandir(folders.pop()) as found:
                for entry in found:
                    entries += 1
                    status = entry.stat(follow_symlinks=False)
                    blocks += status.st_blocks
                    if stat.S_ISDIR(status.st_mode):
                        folders.append(entry.path)
                    if entries > limits.out_files:
                        return Promise.OUT_FILES
                    if blocks * 512 > limits.out_mb * MIB:
                        return Promise.OUT_BYTES
        except OSError:
            continue
    return None

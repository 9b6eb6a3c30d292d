"""The programs of this host that bubblewrap takes: found, and how they are called."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import NamedTuple

from sandboxes.errors import BubblewrapUnavailable
from sandboxes.profile import USER

FORBID_USERS = "--disable-userns"


class Tools(NamedTuple):
    """The paths of `bwrap` and, for root, of `setpriv`; whether the former can forbid user namespaces inside."""

    bwrap: str
    setpriv: str | None
    forbids_users: bool

    @property
    def is_root(self) -> bool:
        """Whether rights are given away first.

        The kernel takes root for root in many places that no namespace hides, `/proc/sys` among them, and does not
        count its processes. So bubblewrap is started as the user that programs are.
        """
        return self.setpriv is not None

    def command(self) -> list[str]:
        """Return the start of the command, up to the options that say what is seen."""
        if self.setpriv is None:
            return [self.bwrap, *([FORBID_USERS] if self.forbids_users else [])]
        user = ("--reuid", str(USER), "--regid", str(USER), "--clear-groups", "--")
        # It waits until we have told the kernel who is who inside, on the descriptor that is the gate afterwards.
        return [self.setpriv, *user, self.bwrap, "--userns-block-fd", "0"]


def find_tools() -> Tools:
    """Find them.

    Raises:
        BubblewrapUnavailable: something is not installed.
    """
    if sys.platform != "linux" or not hasattr(os, "pidfd_open"):
        raise BubblewrapUnavailable("it needs Linux")
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        raise BubblewrapUnavailable("`bwrap` is not installed; the package is called bubblewrap")
    setpriv = shutil.which("setpriv")
    if os.getuid() == 0 and setpriv is None:
        raise BubblewrapUnavailable("root needs `setpriv` to give its rights away; the package is called util-linux")
    offered = subprocess.run([bwrap, "--help"], capture_output=True, text=True, check=False).stdout
    return Tools(bwrap, setpriv if os.getuid() == 0 else None, FORBID_USERS in offered)

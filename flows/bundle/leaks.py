"""What must not leave this machine: keys, and folders that only it has. Looked for in all that goes out."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

NAMED_LIKE_A_KEY = re.compile(r"KEY|TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|COOKIE", re.IGNORECASE)
SHORTEST_KEY = 8
"""Characters. A shorter value of such a variable is a word like `none`."""
LOOKS_LIKE_A_KEY = {
    "a private key": rb"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----",
    "a model provider's key": rb"\bsk-(?=[A-Za-z_-]{0,40}\d)[A-Za-z0-9_-]{20,}",
    "a GitHub token": rb"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{50,})",
    "a cloud access key": rb"\bAKIA[0-9A-Z]{16}\b",
    "a Hugging Face token": rb"\bhf_[A-Za-z0-9]{30,}",
    "a Slack token": rb"\bxox[abprs]-[A-Za-z0-9-]{10,}",
    "an address with a password in it": rb"\b[a-z][a-z0-9+]{1,9}://[!-.0-9;-?A-~]{1,64}:[!-.0-9:-?A-~]{1,64}@[A-Za-z0-9]",
}
SHARED = ("/", "/usr", "/usr/local", "/opt", "/home", "/tmp", "/var", "/srv")  # noqa: S108 - names, not uses
"""Folders that every machine has say nothing of one."""


@dataclass(frozen=True)
class Leaks:
    """What to look for. Values are compared and never shown: a finding says what it is, not what it reads."""

    keys: Mapping[str, bytes]
    folders: tuple[str, ...]

    @classmethod
    def of(cls, environ: Mapping[str, str], folders: Iterable[Path]) -> Leaks:
        """Look for the values of variables named like keys, for `folders`, the home and where Python is."""
        keys = {
            name: value.encode() for name, value in environ.items()
            if NAMED_LIKE_A_KEY.search(name) and len(value) >= SHORTEST_KEY
        }  # fmt: skip
        mine = (*folders, Path.home(), Path.cwd(), Path(sys.prefix), Path(sys.base_prefix))
        return cls(keys, tuple(sorted({str(folder) for folder in mine if str(folder) not in SHARED})))

    def key_in(self, content: bytes) -> str | None:
        """Name the key that stands in `content`, None when there is none that can be told."""
        for name, value in self.keys.items():
            if value in content:
                return f"the value of ${name}"
        return next((what for what, shape in LOOKS_LIKE_A_KEY.items() if re.search(shape, content)), None)

    def folder_in(self, content: bytes) -> str | None:
        """Return the folder of this machine that `content` names, None when it names none."""
        return next((f for f in self.folders if f.encode() in content and _named(f.encode(), content)), None)

    def found_in(self, content: bytes) -> str | None:
        """Say what of either kind stands in `content`."""
        if (key := self.key_in(content)) is not None:
            return f"it holds {key}"
        return None if self.folder_in(content) is None else "it names a folder of the machine it was made on"


def _named(folder: bytes, content: bytes) -> bool:
    """Whether the folder itself stands there, not a longer name that it is a part of."""
    return re.search(rb"(?<![\w./-])" + re.escape(folder) + rb"(?![\w.-])", content) is not None

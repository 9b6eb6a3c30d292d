"""The numbers that programs are given as seeds: drawn under a campaign's salt, so that none tells what another got.

A workload that knew the seed its labels were drawn with could carry a copy of the template's public generator and draw
them itself, and the number alone would tell whether it is being searched with or judged. So the workload and the
protected code of one execution get different numbers, which only who knows the salt can connect.
"""

from __future__ import annotations

import hmac
from typing import Literal

Role = Literal["workload", "protected"]


def drawn_seed(salt: str, role: Role, split: str, seed: int) -> int:
    """Return the number, 0 to 2**31 - 1, that a program of `role` gets for the registered `seed`: HMAC-SHA256.

    Without a salt the registered seed itself.
    """
    if not salt:
        return seed
    told = f"{role} {split} {seed}".encode()
    return int.from_bytes(hmac.digest(salt.encode(), told, "sha256")[:4], "big") >> 1

"""What a template requires of a sandbox, held against what the sandbox says it holds, before anything runs."""

from __future__ import annotations

from collections.abc import Collection

from sandboxes.contract import Capabilities, Hold, Limits, Promise
from sandboxes.errors import SandboxLacks


def lacking(required: Collection[Promise], limits: Limits, offered: Capabilities) -> list[str]:
    """Return what `offered` lacks of `required` and of the devices in `limits`, a part of a sentence each.

    A required promise must be enforced: one that is only watched can be outrun.
    """
    lacks = [
        f"it requires that {promise} is enforced, which is {hold}"
        for promise in sorted(required)
        if (hold := offered.hold(promise)) is not Hold.ENFORCED
    ]
    if limits.gpus > len(offered.gpus):
        lacks.append(f"it asks for {limits.gpus} GPU, and {len(offered.gpus) or 'none'} can be handed out")
    return lacks


def require(who: str, required: Collection[Promise], limits: Limits, offered: Capabilities) -> None:
    """Refuse a backend that lacks something.

    Raises:
        SandboxLacks: names everything that is missing.
    """
    lacks = lacking(required, limits, offered)
    if lacks:
        raise SandboxLacks(who, offered.backend, lacks)

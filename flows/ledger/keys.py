"""Keys: the name of an execution follows from what it runs, so that nothing is run twice."""

from __future__ import annotations

import json
from hashlib import sha256


def execution_key(  # noqa: PLR0913 - the key is the hash of exactly these eight
    commit: str,
    template_digest: str,
    image_id: str | None,
    stage: str,
    seed: int,
    split: str,
    plan: str | None,
    condition: str | None = None,
) -> str:
    """Return the idempotency key of an execution: 16 hex digits. A key that is finished is never run again."""
    parts = [commit, template_digest, image_id, str(stage), int(seed), str(split), plan, condition]
    return sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()[:16]

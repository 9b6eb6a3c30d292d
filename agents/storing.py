"""Where calls are kept: in memory, or one file a call."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from threading import Lock

from pydantic import ValidationError

from agents.asking import Stored
from agents.errors import StoredCallDamaged
from agents.model import ModelCall


class Kept:
    """Calls in memory, in the order in which they were kept."""

    def __init__(self) -> None:
        """Begin with none."""
        self._calls: dict[str, Stored] = {}
        self._lock = Lock()

    def __iter__(self) -> Iterator[Stored]:
        """Go through all of them."""
        with self._lock:
            return iter(list(self._calls.values()))

    def get(self, key: str) -> Stored | None:
        """Return what is kept under `key`, or None."""
        return self._calls.get(key)

    def put(self, key: str, stored: Stored) -> None:
        """Keep it; what is kept already stays."""
        with self._lock:
            self._calls.setdefault(key, stored)


class CallFolder:
    """Calls as files `<key>.json` in a folder, which `put` makes; durable once `put` returns, never changed after.

    Each file bears a digest of all that it says. One process writes; its threads may share the folder.
    """

    def __init__(self, path: Path) -> None:
        """Keep calls in the folder `path`."""
        self._path = path
        self._lock = Lock()

    def __iter__(self) -> Iterator[Stored]:
        """Go through all of them, by key.

        Raises:
            StoredCallDamaged: a file is torn or was edited.
        """
        for path in sorted(self._path.glob("*.json")):
            yield _read(path)

    def get(self, key: str) -> Stored | None:
        """Return what is kept under `key`, or None.

        Raises:
            StoredCallDamaged: the file is torn or was edited.
        """
        path = self._path / f"{key}.json"
        return _read(path) if path.exists() else None

    def put(self, key: str, stored: Stored) -> None:
        """Keep it; what is kept already stays."""
        path = self._path / f"{key}.json"
        with self._lock:
            if path.exists():
                return
            self._path.mkdir(parents=True, exist_ok=True)
            _write(path, stored)


def digest(stored: Stored) -> str:
    """Return the SHA-256 of all that is kept of a call, for whoever wants to know it again."""
    return sha256(stored.model_dump_json().encode()).hexdigest()


def called(key: str, stored: Stored) -> ModelCall:
    """Return what the journal says of a call that is kept under `key`."""
    call, reply = stored.call, stored.reply
    return ModelCall(
        key=key,
        digest=digest(stored),
        role=call.role,
        stage=call.stage,
        about=call.about,
        model=reply.model,
        input=reply.usage.input,
        output=reply.usage.output,
        cached=reply.usage.cached,
        estimated=reply.usage.estimated,
        price=stored.price,
        requests=reply.requests,
        seconds=round(reply.seconds, 3),
    )


def _write(path: Path, stored: Stored) -> None:
    """Write a whole file or none, and have it on the disk before returning."""
    text = json.dumps({"digest": digest(stored), **stored.model_dump(mode="json")}, ensure_ascii=False, indent=1)
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8") as stream:
        stream.write(text + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read(path: Path) -> Stored:
    """Return the call in a file.

    Raises:
        StoredCallDamaged: it is torn or was edited, or the name is another call's.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        told = found.pop("digest")
        stored = Stored.model_validate(found)
    except ValidationError as error:
        raise StoredCallDamaged(str(path), f"{error.error_count()} of its values are not as they are written") from None
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        raise StoredCallDamaged(str(path), "it is not whole") from None
    if digest(stored) != told:
        raise StoredCallDamaged(str(path), "it was edited, for its digest is that of something else")
    if stored.call.key(stored.reply.model) != path.stem:
        raise StoredCallDamaged(str(path), "its name is that of another call")
    return stored

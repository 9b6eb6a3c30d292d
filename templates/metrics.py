"""Reading metrics.json: strict JSON of declared names and finite numbers, or a refusal in one sentence."""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Collection
from pathlib import Path
from typing import NoReturn

from templates.errors import MetricsInvalid

LARGEST = 1e100


def read_metrics(path: Path, names: Collection[str]) -> dict[str, float]:
    """Return the metrics in `path`: exactly the declared `names`, each a finite number.

    Raises:
        MetricsInvalid: the file is missing, over 256 kB, not strict JSON, or not what was declared.
    """
    value = _parse(path, _text(path))
    if not isinstance(value, dict):
        raise MetricsInvalid(f"{path.name} must hold one JSON object, not {_short(value)}.")
    missing, extra = sorted(set(names) - set(value)), sorted(set(value) - set(names))
    if missing:
        raise MetricsInvalid(f"{path.name} lacks {', '.join(missing)}. The evaluator must write every declared metric.")
    if extra:
        raise MetricsInvalid(
            f"{path.name} holds {_short(extra[0])}, which the manifest does not declare. Declare it under `secondary`."
        )
    return {name: _number(path, name, value[name]) for name in names}


def _text(path: Path) -> str:
    limit = 256 * 1024
    try:
        # No link is followed and no pipe waited for, whoever wrote the folder.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise MetricsInvalid(f"{path.name} cannot be read: {error.strerror}.") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise MetricsInvalid(f"{path.name} is no plain file.")
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise MetricsInvalid(f"{path.name} is larger than {limit // 1024} kB.")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MetricsInvalid(f"{path.name} is not UTF-8 ({error.reason} at byte {error.start}).") from error


def _parse(path: Path, text: str) -> object:
    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        held: dict[str, object] = {}
        for name, value in pairs:
            if name in held:
                raise MetricsInvalid(f"{path.name} names {_short(name)} twice.")
            held[name] = value
        return held

    def no_number(constant: str) -> NoReturn:
        raise MetricsInvalid(f"{path.name} holds {constant}, which is no number.")

    try:
        value: object = json.loads(text, parse_constant=no_number, object_pairs_hook=once)
    except RecursionError as error:
        raise MetricsInvalid(f"{path.name} is nested too deeply.") from error
    except ValueError as error:  # bad JSON, and integers too long for Python to read
        raise MetricsInvalid(f"{path.name} is not JSON: {error}.") from error
    return value


def _number(path: Path, name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MetricsInvalid(f"{path.name}: {name} must be a number, not {_short(value)}.")
    try:
        number = float(value)
    except OverflowError as error:
        raise MetricsInvalid(f"{path.name}: {name} is too large for a number.") from error
    if not math.isfinite(number):
        raise MetricsInvalid(f"{path.name}: {name} is not finite.")
    if abs(number) > LARGEST:
        raise MetricsInvalid(f"{path.name}: {name} is beyond {LARGEST:g}, where sums and squares would overflow.")
    return number


def _short(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

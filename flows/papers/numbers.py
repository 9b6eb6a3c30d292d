"""How values read in print: three significant digits, no exponents where plain digits are readable."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum

SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
MINUS = "\N{MINUS SIGN}"
ABSENT = "n/a"
"""A value the method does not define here, such as the interval of a deterministic workload."""


def number(value: float) -> str:
    """Three significant digits, or fewer when the value itself has fewer; integer digits are never rounded away."""
    if value == 0:
        return "0"
    size = abs(value)
    sign = MINUS if value < 0 else ""
    if size < 1e-4 or size >= 1e6:
        return f"{sign}{scientific(size)}"
    shortest = f"{size:.15g}"
    if "e" not in shortest and len(shortest.replace(".", "").lstrip("0")) <= 3:
        return f"{sign}{shortest}"
    decimals = max(0, 2 - math.floor(math.log10(size)))
    return f"{sign}{size:.{decimals}f}"


def scientific(size: float) -> str:
    """Two significant digits and a power of ten, e.g. `2.1 × 10⁴`."""
    mantissa, exponent = f"{size:.1e}".split("e")
    return f"{mantissa} × 10{str(int(exponent)).translate(SUPERSCRIPTS)}"


def power(value: float) -> str:
    """A tick of a logarithmic axis: plain between a thousandth and a thousand, else as a power of ten."""
    if 1e-3 <= value <= 1e3:
        return f"{value:g}"
    mantissa, exponent = f"{value:.0e}".split("e")
    factor = "" if mantissa == "1" else f"{mantissa}×"
    return f"{factor}10{str(int(exponent)).translate(SUPERSCRIPTS)}"


def percent(value: float) -> str:
    """A fraction as a percentage, e.g. `12.3 %`, in one piece."""
    return f"{number(100 * value)}\N{NO-BREAK SPACE}%"


def evidence(value: float) -> str:
    """An e-value: large ones as a power of ten."""
    return scientific(value) if value > 1e4 else number(value)


def interval(low: float, high: float) -> str:
    """Both ends, e.g. `[0.12, 0.34]`."""
    return f"[{number(low)}, {number(high)}]"


def integers(values: tuple[int, ...]) -> str:
    """A run of consecutive integers as `first–last`, else all of them."""
    if len(values) > 2 and values == tuple(range(values[0], values[0] + len(values))):
        return f"{values[0]}–{values[-1]}"
    return ", ".join(str(v) for v in values)


def text_of(name: str, value: object) -> str | None:
    """How `value`, the field `name` of a record, reads in print; None when it is a record and no value."""
    if value is None:
        return ABSENT
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value).replace("-", MINUS)
    if isinstance(value, float):
        by_name = {"relative": percent, "share": percent, "share_shared": percent, "e_value": evidence}
        return by_name.get(name, number)(value)
    return _sequence(value)


def _sequence(value: object) -> str | None:
    if isinstance(value, Mapping) or not isinstance(value, tuple):
        return None
    if not value:
        return "none"
    if all(isinstance(v, str) for v in value):
        return ", ".join(value)
    if all(type(v) is int for v in value):
        return integers(value)
    if len(value) == 2 and all(isinstance(v, float | int) for v in value):
        return interval(*value)
    return None


def is_numeric(value: object) -> bool:
    """Whether `value` is a result that a reader may want to trace: a number, or numbers only."""
    if isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        return True
    return isinstance(value, tuple) and bool(value) and all(type(v) in (int, float) for v in value)

"""Repairer: the one thing worth trying after a candidate crashed, or None.

A name that was never imported is imported; a knob that made the run too long or too large goes half the way back to
the baseline's value; a combination loses the factor at fault. Whatever was done is said in the patch's summary.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Mapping

from agents.embedded.edits import constant, defined, imports, with_imports
from agents.embedded.patcher import apply_factors, as_patch, module_name
from agents.errors import PatchFailed
from agents.records import Execution, Idea, Patch
from agents.syntax import parsed
from templates.factors import symbols
from templates.template import Template

UNDEFINED = re.compile(r"NameError: name '([A-Za-z_]\w*)' is not defined")
WRONG_HOME = re.compile(r"ImportError: cannot import name '([A-Za-z_]\w*)' from '([\w.]+)'")
FRAME = re.compile(r'File "[^"]*", line \d+, in (\w+)')
TOO_MUCH = ("timeout", "oom")


def repair(template: Template, idea: Idea, sources: Mapping[str, str], failed: Execution, log: str) -> Patch | None:
    """Return another patch for an idea whose candidate crashed, or None when there is nothing to try.

    `sources` is the text of the candidate that crashed; the patch is an edit of it. `log` is what untrusted code
    wrote: it is matched against patterns, and only chooses among names that the template already holds.
    """
    if failed.outcome in TOO_MUCH:
        return _halved(template, idea, sources, failed.outcome) or _without_one(template, idea, sources, log)
    return _imported(idea, sources, log) or _without_one(template, idea, sources, log)


def _imported(idea: Idea, sources: Mapping[str, str], log: str) -> Patch | None:
    """Import a name that a file uses without having it, or from where it is not."""
    wrong = WRONG_HOME.search(log)
    missing = wrong or UNDEFINED.search(log)
    if missing is None:
        return None
    name, edits = missing.group(1), {}
    for path, text in sources.items():
        without = text.replace(f"from {wrong.group(2)} import {name}\n", "") if wrong else text
        line = _import_of(name, path, {**sources, path: without})
        if line is not None and _lacks(without, name):
            edits[path] = with_imports(without, [line])
    if not edits:
        return None
    summary = f"{idea.title}: the run ended because `{name}` was not there; its import was added."
    return as_patch(idea, summary, edits, idea.factors)


def _import_of(name: str, path: str, sources: Mapping[str, str]) -> str | None:
    """Return the import statement that brings `name` into the file `path`, as far as the template knows one."""
    for other, text in sources.items():
        if other != path and name in defined(text):
            return f"from {module_name(other)} import {name}"
    for text in sources.values():
        for line in imports(text):
            if name in _brought_by(line) and not line.startswith("from __future__"):
                return line
    return f"import {name}" if name in sys.stdlib_module_names else None


def _brought_by(line: str) -> set[str]:
    statement = parsed(line).body[0]
    if not isinstance(statement, ast.Import | ast.ImportFrom):
        return set()
    return {alias.asname or alias.name for alias in statement.names}


def _lacks(text: str, name: str) -> bool:
    """Whether the module reads `name` and neither imports nor defines it."""
    reads = any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(parsed(text)))
    return reads and name not in defined(text) and not any(name in _brought_by(line) for line in imports(text))


def _halved(template: Template, idea: Idea, sources: Mapping[str, str], outcome: str) -> Patch | None:
    """Move the knob of a single-knob idea half the way back to the baseline's value."""
    if len(idea.factors) != 1:
        return None
    knob = template.factor(idea.factors[0])
    if knob.kind != "knob":
        return None
    baseline = template.sources()
    before = _number(constant(baseline[knob.file], str(knob.symbol)))
    wanted = _number(knob.value)
    if before is None or wanted is None:
        return None
    middle: float = (before + wanted) / 2
    if isinstance(before, int) and isinstance(wanted, int):
        middle = (before + wanted) // 2
    if middle in (before, wanted):
        return None
    texts = apply_factors(template, idea.factors, baseline, {knob.name: repr(middle)})
    limit = "time" if outcome == "timeout" else "memory"
    summary = (
        f"{idea.title}: {knob.symbol} = {knob.value} went over the {limit} limit; "
        f"it was set to {middle!r}, half the way from the baseline's {before!r}."
    )
    return as_patch(idea, summary, _edits(baseline | texts, sources), idea.factors)


def _edits(wanted: Mapping[str, str], sources: Mapping[str, str]) -> dict[str, str]:
    """Return the files whose text must change, those that go back to the baseline's among them."""
    return {path: text for path, text in wanted.items() if sources.get(path) != text}


def _number(value: str | None) -> int | float | None:
    try:
        number = ast.literal_eval(value or "None")
    except (ValueError, SyntaxError):
        # An expression such as `2 * STEPS` is a fine constant; half the way to it cannot be told.
        return None
    return number if isinstance(number, int | float) and not isinstance(number, bool) else None


def _without_one(template: Template, idea: Idea, sources: Mapping[str, str], log: str) -> Patch | None:
    """Drop the factor at fault from a combination of three or more.

    Of a pair only one factor would stay, and pairs are made of factors that were tried alone.
    """
    if len(idea.factors) < 3:
        return None
    dropped, why = _at_fault(template, idea, log)
    rest = tuple(name for name in idea.factors if name != dropped)
    baseline = template.sources()
    try:
        texts = apply_factors(template, rest, baseline)
    except PatchFailed:
        # What stays may lean on what went: then there is nothing honest left to run.
        return None
    title = template.factor(dropped).title
    summary = f"{idea.title}: the candidate crashed; it was run without {title}, {why}."
    return as_patch(idea, summary, _edits(baseline | texts, sources), rest)


def _at_fault(template: Template, idea: Idea, log: str) -> tuple[str, str]:
    """Return the factor whose code the innermost traceback frame is in, else the last one added."""
    for frame in reversed(FRAME.findall(log)):
        for name in idea.factors:
            factor = template.factor(name)
            if any(re.split(r"[:.]", symbol)[-1] == frame for symbol in symbols(template, factor)):
                return name, "whose code it crashed in"
    return idea.factors[-1], "which was added last"

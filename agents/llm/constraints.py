"""Constraints: what a template forbids or demands of ideas and patches, checked by machine.

They keep honest authors within the bounds of an experiment. They are no wall: code that hides what it does is held by
the sandbox.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from agents.records import Idea, Patch
from agents.syntax import parsed
from templates.constraints import Constraint

DYNAMIC = frozenset({"importlib.import_module", "importlib.__import__", "__import__"})
"""Functions that import by a name that may be made at run time."""
UNREADABLE = "a name made at run time"


def violations(
    constraints: Sequence[Constraint], what: Idea | Patch, sources: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """Return one sentence for each constraint that an idea or a patch violates, in the order of `constraints`.

    `sources` maps paths to the texts that a patch edits. What these have already is not held against the patch: it
    answers for what it adds, wherever in the tree it stood before.
    """
    if isinstance(what, Idea):
        found = [(c, _in_prose(c, what)) for c in constraints if c.applies_to == "idea"]
    else:
        old = dict(sources or {})
        new = old | {edit.path: edit.text for edit in what.edits}
        found = [(c, _in_code(c, old, new)) for c in constraints if c.applies_to == "patch"]
    return tuple(f"violates constraint {c.name}: {fault} ({c.why})" for c, fault in found if fault)


def _in_prose(constraint: Constraint, idea: Idea) -> str:
    text = "\n".join((idea.title, idea.statement, idea.mechanism))
    hit = re.search(str(constraint.value), text, re.MULTILINE)
    if constraint.kind == "require_text":
        return "" if hit else "it does not say what it must"
    return f"it says {hit[0][:80]!r}" if hit else ""


def _in_code(constraint: Constraint, old: Mapping[str, str], new: Mapping[str, str]) -> str:
    value = str(constraint.value)
    match constraint.kind:
        case "max_files":
            changed = sum(text != old.get(path) for path, text in new.items())
            return f"it changes {changed} files" if changed > int(value) else ""
        case "max_added_lines":
            added = (_lines(new) - _lines(old)).total()
            return f"it adds {added} lines" if added > int(value) else ""
        case "require_text":
            found = any(re.search(value, text, re.MULTILINE) for text in new.values())
            return "" if found else "its code does not have what it must"
        case "forbid_text":
            return _added(old, new, lambda text: Counter(hit[0] for hit in re.finditer(value, text, re.MULTILINE)))
        case "forbid_import":
            return _added(_python(old), _python(new), lambda text: _imports(value, parsed(text)))
        case "forbid_symbol":
            return _added(_python(old), _python(new), lambda text: _uses(value, parsed(text)))


def _python(sources: Mapping[str, str]) -> dict[str, str]:
    return {path: text for path, text in sources.items() if path.endswith(".py")}


def _lines(sources: Mapping[str, str]) -> Counter[str]:
    lines = (line.strip() for text in sources.values() for line in text.splitlines())
    return Counter(line for line in lines if line)


def _added(old: Mapping[str, str], new: Mapping[str, str], found: Callable[[str], Counter[str]]) -> str:
    """Say which file has more of what is forbidden than it had, unless it came there from another file."""
    total, grown = Counter[str](), dict[str, Counter[str]]()
    for path in sorted(new):
        if new[path] == old.get(path):
            continue
        after = _readable(found, new[path])
        if after is None:
            return f"{path} is no Python that can be read, so nobody can tell"
        before = _readable(found, old.get(path, "")) or Counter()
        grown[path] = after - before
        total.update(after)
        total.subtract(before)
    excess = sorted(name for name, n in total.items() if n > 0)
    return f"{next(p for p in grown if excess[0] in grown[p])} has {excess[0][:80]!r}" if excess else ""


def _readable(found: Callable[[str], Counter[str]], text: str) -> Counter[str] | None:
    try:
        return found(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _imports(module: str, tree: ast.Module) -> Counter[str]:
    """Count the imports of `module` and of what is below it, and those whose name only a run would tell."""
    names = [name for node in ast.walk(tree) for name in _imported(node)] + list(_dynamic(tree))
    return Counter(name for name in names if name == UNREADABLE or f"{name}.".startswith(f"{module}."))


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.level == 0:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _dynamic(tree: ast.Module) -> Iterator[str]:
    aliases = _aliases(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _dotted(node.func, aliases) in DYNAMIC:
            yield _text(node.args[0]) if node.args else UNREADABLE


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else UNREADABLE


def _uses(symbol: str, tree: ast.Module) -> Counter[str]:
    """Count the uses, assignments, definitions and imports of a dotted name, whatever it is called here."""
    aliases = _aliases(tree)
    starred = f"{symbol.rpartition('.')[0]}.*"
    return Counter(name for node in ast.walk(tree) for name in _named(node, aliases) if name in (symbol, starred))


def _named(node: ast.AST, aliases: Mapping[str, str]) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Name | ast.Attribute | ast.Call):
        yield _dotted(node, aliases)
    else:
        yield from _imported(node)


def _aliases(tree: ast.Module) -> dict[str, str]:
    """Map what things are called here to what they are."""
    called: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            called |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            called |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return called


def _dotted(node: ast.expr, aliases: Mapping[str, str]) -> str:
    """Return the dotted name that an expression is, also by `getattr` with a text; empty for any other."""
    steps: list[str] = []
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute):
            steps.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Call) and _dotted(node.func, aliases) == "getattr" and len(node.args) > 1:
            steps.append(_text(node.args[1]))
            node = node.args[0]
        else:
            return ""
    steps.append(aliases.get(node.id, node.id))
    return ".".join(reversed(steps)).removeprefix("builtins.")

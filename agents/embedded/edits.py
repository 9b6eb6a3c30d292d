"""Edits of one Python module that leave the formatting of everything else alone. Text in, text out."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

import libcst as cst

from agents.errors import PatchFailed

Statement = cst.SimpleStatementLine | cst.BaseCompoundStatement


def with_constant(text: str, symbol: str, value: str) -> str:
    """Return `text` with the module-level constant `symbol` set to the Python literal `value`.

    Raises:
        PatchFailed: `value` is no literal, or `symbol` is no plain module-level assignment.
    """
    expression = _literal(value)
    module = _parse(text)
    body = [_assigning(statement, symbol, expression) for statement in module.body]
    if all(new is old for new, old in zip(body, module.body, strict=True)):
        raise PatchFailed(f"There is no module-level assignment `{symbol} = ...` to set.")
    return module.with_changes(body=body).code


def constant(text: str, symbol: str) -> str | None:
    """Return the source of the value that the module assigns to `symbol`, None when it assigns none."""
    value = None
    for statement in _parse(text).body:
        for small in _smalls(statement):
            if isinstance(small, cst.Assign | cst.AnnAssign) and _bound(small) == (symbol,) and small.value:
                value = _code(small.value)
    return value


def defined(text: str) -> frozenset[str]:
    """Return the names that the module binds at its top level by `def`, `class` or assignment."""
    return frozenset(name for statement in _parse(text).body for name in _bound_by(statement))


def imports(text: str) -> tuple[str, ...]:
    """Return the module's top-level import statements, one by one."""
    return _imported(_parse(text))


def with_imports(text: str, wanted: Iterable[str]) -> str:
    """Return `text` with the import statements in `wanted` that it lacks, after the imports it has."""
    return _importing(_parse(text), wanted).code


def with_definitions(text: str, replacement: str, module_name: str) -> str:
    """Return `text` with the top-level definitions of `replacement` in place of those of the same names.

    A definition that is new goes right before the replaced one it precedes in `replacement` (after the last one
    otherwise): there everything it may evaluate on import exists already. Imports are merged, except imports from
    `module_name` itself, which an intervention may hold so that it can be read and linted by itself.

    Raises:
        PatchFailed: nothing of the same name is there, or a definition cannot be replaced without losing another.
    """
    target, source = _parse(text), _parse(replacement)
    layout = _Layout(target.body)
    for statement in source.body:
        if _bound_by(statement):
            layout.place(statement)
        elif not _ignorable(statement):
            raise PatchFailed(f"An intervention may hold imports and definitions only, not `{_first_line(statement)}`.")
    wanted = [line for line in _imported(source) if not line.startswith(f"from {module_name} import")]
    return _importing(target.with_changes(body=layout.body()), wanted).code


class _Layout:
    """Where the definitions of an intervention go among the statements of the baseline."""

    def __init__(self, old: Sequence[Statement]) -> None:
        self._old = old
        self._where: dict[str, int] = {}
        for index, statement in enumerate(old):
            for name in _bound_by(statement):
                if name in self._where:
                    # Which of the two counts depends on what runs between them.
                    self._where[name] = -1
                else:
                    self._where[name] = index
        self._new: dict[int, list[Statement]] = {}
        self._fresh: list[Statement] = []
        self._last: int | None = None

    def place(self, statement: Statement) -> None:
        """Take the place of the same-named statement, or wait for the next that has one."""
        places = sorted({self._where[name] for name in _bound_by(statement) if name in self._where})
        if not places:
            self._fresh.append(statement)
            return
        if places[0] < 0:
            raise PatchFailed(f"`{_first_line(statement)}` replaces a name that the module binds more than once.")
        first = places[0]
        self._new.setdefault(first, []).extend([*self._fresh, _spaced_like(self._old[first], statement)])
        self._fresh, self._last = [], first
        for other in places[1:]:
            self._new.setdefault(other, [])

    def body(self) -> list[Statement]:
        """Return the statements of the module as the intervention wants it."""
        if self._last is None:
            raise PatchFailed(
                "The intervention replaces no definition of the module, so nothing would call what it adds."
            )
        self._new[self._last].extend(self._fresh)
        kept = {name for statements in self._new.values() for s in statements for name in _bound_by(s)}
        lost = {name for index in self._new for name in _bound_by(self._old[index])} - kept
        if lost:
            raise PatchFailed(f"Replacing would lose {', '.join(sorted(lost))}: write one definition a line.")
        return [new for index, old in enumerate(self._old) for new in self._new.get(index, [old])]


def _parse(text: str) -> cst.Module:
    try:
        return cst.parse_module(text)
    except cst.ParserSyntaxError as error:
        raise PatchFailed(f"The source is not valid Python: {error.message} (line {error.raw_line}).") from error


def _literal(value: str) -> cst.BaseExpression:
    try:
        ast.literal_eval(value)
    except (ValueError, SyntaxError) as error:
        raise PatchFailed(f"{value!r} is not a Python literal, so no constant can be set to it.") from error
    return cst.parse_expression(value.strip())


def _assigning(statement: Statement, symbol: str, value: cst.BaseExpression) -> Statement:
    if not isinstance(statement, cst.SimpleStatementLine):
        return statement
    smalls = [
        small.with_changes(value=value)
        if isinstance(small, cst.Assign | cst.AnnAssign) and _bound(small) == (symbol,)
        else small
        for small in statement.body
    ]
    changed = any(new is not old for new, old in zip(smalls, statement.body, strict=True))
    return statement.with_changes(body=smalls) if changed else statement


def _importing(module: cst.Module, wanted: Iterable[str]) -> cst.Module:
    present = _imported(module)
    body = list(module.body)
    for line in dict.fromkeys(wanted):
        if line not in present:
            future = line.startswith("from __future__")
            body.insert(_after_imports(body, future_only=future), cst.parse_statement(line))
    return module.with_changes(body=body)


def _imported(module: cst.Module) -> tuple[str, ...]:
    return tuple(_code(small) for statement in module.body for small in _smalls(statement) if _imports(small))


def _smalls(statement: Statement) -> Sequence[cst.BaseSmallStatement]:
    return statement.body if isinstance(statement, cst.SimpleStatementLine) else ()


def _imports(small: cst.BaseSmallStatement) -> bool:
    return isinstance(small, cst.Import | cst.ImportFrom)


def _bound_by(statement: Statement) -> tuple[str, ...]:
    if isinstance(statement, cst.FunctionDef | cst.ClassDef):
        return (statement.name.value,)
    return tuple(name for small in _smalls(statement) for name in _bound(small))


def _bound(small: cst.BaseSmallStatement) -> tuple[str, ...]:
    if isinstance(small, cst.Assign):
        return tuple(name for target in small.targets for name in _names(target.target))
    return _names(small.target) if isinstance(small, cst.AnnAssign) else ()


def _names(target: cst.BaseExpression) -> tuple[str, ...]:
    if isinstance(target, cst.Name):
        return (target.value,)
    if isinstance(target, cst.Tuple | cst.List):
        return tuple(name for element in target.elements for name in _names(element.value))
    return ()


def _ignorable(statement: Statement) -> bool:
    """A docstring, an import (merged apart), or a block that only a type checker reads."""
    if isinstance(statement, cst.If):
        return _code(statement.test).endswith("TYPE_CHECKING")
    smalls = _smalls(statement)
    return bool(smalls) and all(_imports(s) or _is_string(s) for s in smalls)


def _is_string(small: cst.BaseSmallStatement) -> bool:
    strings = cst.SimpleString | cst.ConcatenatedString
    return isinstance(small, cst.Expr) and isinstance(small.value, strings)


def _after_imports(body: Sequence[Statement], *, future_only: bool) -> int:
    place = 1 if body and any(_is_string(small) for small in _smalls(body[0])) else 0
    for index, statement in enumerate(body):
        for small in _smalls(statement):
            if _imports(small) and (not future_only or _code(small).startswith("from __future__")):
                place = index + 1
    return place


def _spaced_like(old: Statement, new: Statement) -> Statement:
    """Keep the blank lines of the baseline and the comments of the replacement."""
    blank = [line for line in _leading(old) if line.comment is None]
    said = [line for line in _leading(new) if line.comment is not None]
    return new.with_changes(leading_lines=[*blank, *said])


def _leading(statement: Statement) -> Sequence[cst.EmptyLine]:
    lines: Sequence[cst.EmptyLine] = getattr(statement, "leading_lines", ())
    return lines


def _code(node: cst.CSTNode) -> str:
    # A small statement may carry the semicolon that follows it on its line.
    return cst.Module([]).code_for_node(node).strip().rstrip(";").strip()


def _first_line(statement: Statement) -> str:
    return _code(statement).splitlines()[0]

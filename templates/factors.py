"""What a factor touches, read from the source without running it."""

from __future__ import annotations

import ast

from templates.errors import TemplateBroken
from templates.template import Factor, Template


def symbols(template: Template, factor: Factor) -> frozenset[str]:
    """Return the top-level names `factor` defines, as `file:name`. Two factors conflict when these sets meet.

    Raises:
        TemplateBroken: the intervention's source is no Python, or holds something that is not a definition.
    """
    if factor.kind == "knob":
        return frozenset({f"{factor.file}:{factor.symbol}"})
    return frozenset(f"{factor.file}:{name}" for name in definitions(_source(template, factor)))


def conflict(template: Template, first: Factor, second: Factor) -> bool:
    """Say whether two factors define the same name, so that they cannot be applied together."""
    return bool(symbols(template, first) & symbols(template, second))


def definitions(text: str) -> dict[str, ast.stmt]:
    """Return the top-level functions, classes and assigned constants of Python source, by name, in order."""
    found: dict[str, ast.stmt] = {}
    for statement in ast.parse(text).body:
        for name in _defined(statement):
            found[name] = statement
    return found


def faults(template: Template, factor: Factor) -> tuple[str, ...]:
    """Return what keeps `factor` from being applied to the baseline, in sentences; none when all is well."""
    baseline = definitions(template.sources()[factor.file])
    if factor.kind == "knob":
        held = baseline.get(str(factor.symbol))
        if not isinstance(held, ast.Assign | ast.AnnAssign):
            return (f"{factor.name}: {factor.file} has no module-level constant {factor.symbol}.",)
        return ()
    try:
        text = _source(template, factor)
    except TemplateBroken as broken:
        return (str(broken),)
    new = definitions(text)
    problems = [f"{factor.name}: {factor.source} {why}." for why in _unfit(ast.parse(text).body)]
    if not set(new) & set(baseline):
        problems.append(
            f"{factor.name}: {factor.source} replaces no definition of {factor.file}, so it changes nothing."
        )
    for name in sorted(set(new) & set(baseline)):
        if type(new[name]) is not type(baseline[name]):
            problems.append(f"{factor.name}: {name} is another kind of thing in {factor.file}.")
    return tuple(problems)


def _source(template: Template, factor: Factor) -> str:
    path = template.root / str(factor.source)
    text = path.read_text(encoding="utf-8")
    try:
        ast.parse(text)
    except SyntaxError as error:
        raise TemplateBroken(
            f"{path}, line {error.lineno}: {error.msg}. An intervention must be valid Python."
        ) from error
    return text


def _defined(statement: ast.stmt) -> tuple[str, ...]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return (statement.name,)
    if isinstance(statement, ast.Assign):
        return tuple(target.id for target in statement.targets if isinstance(target, ast.Name))
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return (statement.target.id,)
    return ()


def _unfit(body: list[ast.stmt]) -> list[str]:
    """A docstring, imports and definitions may stand in an intervention; nothing else can be put in place."""
    rest = body[1:] if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) else body
    return [
        f"line {statement.lineno} is neither a definition nor an import"
        for statement in rest
        if not _defined(statement) and not isinstance(statement, ast.Import | ast.ImportFrom)
    ]

"""Patcher: puts declared factors into code."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from agents.embedded.edits import with_constant, with_definitions
from agents.errors import PatchFailed
from agents.records import Edit, Idea, Patch
from agents.syntax import parsed
from templates.template import Factor, Template

BY = "embedded"


def apply_factors(
    template: Template, factors: Sequence[str], sources: Mapping[str, str], values: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the new text of every file that `factors` change; none of them leaves the baseline: an empty dict.

    The order of `factors` does not matter: they are applied as the manifest declares them, interventions first, so
    that one set of factors is one text. Removing a cause (an ablation) is applying the factors that stay. `values`
    overrides the declared value of a knob by its name.

    Raises:
        PatchFailed: a factor is unknown, does not fit the source or changes nothing.
    """
    chosen = _declared(template, factors)
    texts = dict(sources)
    for factor in sorted(chosen, key=lambda f: f.kind == "knob"):
        if factor.file not in texts:
            raise PatchFailed(f"Factor {factor.name!r} edits {factor.file}, which is not an editable file.")
        before = texts[factor.file]
        texts[factor.file] = _applied(template, factor, before, values or {})
        if _tree(factor, texts[factor.file]) == _tree(factor, before):
            raise PatchFailed(f"Factor {factor.name!r} changes nothing in {factor.file}: the baseline has it already.")
    return {path: text for path, text in texts.items() if text != sources[path]}


def patch(template: Template, idea: Idea, sources: Mapping[str, str]) -> Patch:
    """Put the idea's factors into code.

    An idea that builds on others starts from a parent's commit: its patch holds every file that any factor may edit,
    so that nothing outlives which the idea does not name.

    Raises:
        PatchFailed: the idea names no factor, or one of them does not fit the source.
    """
    if not idea.factors:
        raise PatchFailed(f"Idea {idea.id!r} names no factor. The embedded team can only apply declared factors.")
    texts = apply_factors(template, idea.factors, sources)
    if idea.parents:
        texts = {f.file: sources[f.file] for f in template.manifest.factors} | texts
    done = "; ".join(described(f) for f in _declared(template, idea.factors))
    return as_patch(idea, f"{idea.title}: {done}.", texts, idea.factors)


def as_patch(idea: Idea, summary: str, texts: Mapping[str, str], factors: Sequence[str]) -> Patch:
    """Wrap changed texts into a patch that says which factors are in it."""
    edits = tuple(Edit(path=path, text=text) for path, text in sorted(texts.items()))
    return Patch(idea=idea.id, summary=summary, edits=edits, factors=tuple(factors), by=BY)


def described(factor: Factor) -> str:
    """Say what applying the factor does to the code."""
    if factor.kind == "knob":
        return f"set {factor.symbol} to {factor.value} in {factor.file}"
    return f"replace definitions in {factor.file} by those of {factor.source}"


def module_name(path: str) -> str:
    """Return the name under which the workload imports the editable file `path`."""
    return ".".join(PurePosixPath(path).with_suffix("").parts[1:])


def _declared(template: Template, names: Sequence[str]) -> list[Factor]:
    known = {factor.name: factor for factor in template.manifest.factors}
    unknown = sorted(set(names) - known.keys())
    if unknown:
        raise PatchFailed(f"Template {template.name!r} declares no factor {', '.join(unknown)}.")
    return [factor for name, factor in known.items() if name in set(names)]


def _applied(template: Template, factor: Factor, text: str, values: Mapping[str, str]) -> str:
    try:
        if factor.kind == "knob":
            return with_constant(text, str(factor.symbol), values.get(factor.name, str(factor.value)))
        replacement = (template.root / str(factor.source)).read_text(encoding="utf-8")
        return with_definitions(text, replacement, module_name(factor.file))
    except PatchFailed as error:
        raise PatchFailed(f"Factor {factor.name!r} does not fit {factor.file}. {error}") from error


def _tree(factor: Factor, text: str) -> str:
    """Return what the code is apart from its layout."""
    try:
        return ast.dump(parsed(text))
    except SyntaxError as error:
        raise PatchFailed(f"Factor {factor.name!r} turns {factor.file} into invalid Python: {error}.") from error

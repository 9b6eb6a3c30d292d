"""Remembering what cases share: what figures and PDFs come to, and what git objects hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from typing import Any
from unittest.mock import patch

from jinja2 import Environment

from flows.ledger.repository import Repository
from flows.papers import figures, series, verify, write
from flows.papers.material import Composed


@contextmanager
def remembering() -> Iterator[None]:
    """Draw, typeset and read each content once while this lasts; who asks again gets the same."""
    draw, typeset = figures.draw_all, write.compile_pdf
    kept: dict[str, Any] = {}

    def once(told: str, make: Callable[[], Any]) -> Any:
        key = sha256(told.encode()).hexdigest()
        if key not in kept:
            kept[key] = make()
        return kept[key]

    def drawn(dossier: Any, executions: Any, metric: Any) -> dict[str, bytes]:
        best = {"metric": metric.name, "maximize": metric.direction == "maximize"}
        shown = [series.differences(dossier, executions), series.search(dossier, executions, **best),
                 series.evidence(dossier, executions), metric.model_dump(mode="json")]  # fmt: skip
        return dict(once(json.dumps(shown), lambda: draw(dossier, executions, metric)))

    def compiled(composed: Composed) -> bytes:
        files = sorted((name, sha256(data).hexdigest()) for name, data in composed.files.items())
        made: bytes = once(f"{composed.source}{files}", lambda: typeset(composed))
        return made

    with ExitStack() as stack:
        stack.enter_context(patch.object(figures, "draw_all", drawn))
        for module in (write, verify):
            stack.enter_context(patch.object(module, "compile_pdf", compiled))
        stack.enter_context(patch.object(Environment, "compile", _once_compiled(Environment.compile)))
        for name in ("message", "files", "parents", "read"):
            stack.enter_context(patch.object(Repository, name, _by_hash(getattr(Repository, name))))
        yield


def _once_compiled(make: Callable[..., Any]) -> Callable[..., Any]:
    """Return a compiling of page templates that does the same text once."""
    kept: dict[str, Any] = {}

    def compiled(environment: Environment, source: str, *others: Any, **named: Any) -> Any:
        if source not in kept:
            kept[source] = make(environment, source, *others, **named)
        return kept[source]

    return compiled


def _by_hash(read: Callable[[Repository, str], Any]) -> Callable[[Repository, str], Any]:
    """Return a reading of git objects that asks git once for each: what a hash names is the same in every copy."""
    kept: dict[str, Any] = {}

    def remembered(repository: Repository, sha: str) -> Any:
        if sha not in kept:
            kept[sha] = read(repository, sha)
        return kept[sha]

    return remembered

"""Prompts: Markdown files with strict Jinja, as messages; what comes from outside is data, delimited and capped.

A prompt is parted by lines such as `<!-- system -->` and `<!-- user -->`. The system part gets no values at all, so
that nothing from outside can reach it; the parts that change least come first, so that providers' caches hit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256
from importlib import resources
from typing import Any, Literal, cast

from jinja2 import Environment, StrictUndefined

from agents.model import Message

_PART = re.compile(r"^<!-- (system|user) -->$", re.MULTILINE)
_CUT = "\n[... {n} characters left out ...]\n"


def render(name: str, **values: Any) -> tuple[Message, ...]:
    """Return the prompt `agents/prompts/<name>.md` as messages, filled with `values`.

    Raises:
        jinja2.UndefinedError: the prompt names a value that is not given, or its system part names any.
    """
    text = resources.files("agents").joinpath("prompts", f"{name}.md").read_text(encoding="utf-8")
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)  # noqa: S701
    environment.filters["data"] = data
    _, *parts = _PART.split(text)
    roles = cast("Iterable[Literal['system', 'user']]", parts[::2])
    return tuple(
        Message(role=role, content=environment.from_string(body).render({} if role == "system" else values).strip())
        for role, body in zip(roles, parts[1::2], strict=True)
    )


def data(text: object, name: str, cap: int) -> str:
    """Return `text` as data: at most `cap` characters of it, its middle cut, between marks that it cannot contain.

    The marks bear a digest of what is between them, so no text can close its own.
    """
    whole = _printable(str(text))
    if len(whole) > cap:
        head = cap // 2
        whole = whole[:head] + _CUT.format(n=len(whole) - cap) + whole[len(whole) - (cap - head) :]
    mark = sha256(whole.encode()).hexdigest()[:12]
    return f"<data-{mark} {name}>\n{whole}\n</data-{mark}>"


def _printable(text: str) -> str:
    """Drop what no reader sees: control and format characters, which hide instructions; lone surrogates."""
    return "".join(c for c in text if c in "\n\t" or (c.isprintable() and not 0xE0000 <= ord(c) <= 0xE007F))

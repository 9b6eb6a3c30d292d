"""Typst: text made harmless, values made traceable, source made a PDF."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from importlib import resources
from typing import Any, Literal

from flows.papers.binding import CITATION, Bindings, Bound, pieces
from flows.papers.errors import CompileFailed, UnknownCitation
from flows.papers.material import Composed

SOURCE, LAYOUT, PDF = "paper.typ", "layout.typ", "paper.pdf"
SPECIAL = re.compile(r"[\\#$*_`<>@\[\]~=+/{}|]|\.(?=\.)|-(?![A-Za-z])|(?<![A-Za-z])-")
LONG_WORD = re.compile(r"\S{28,}")
DROPPED = ("Cc", "Cf", "Cs", "Co", "Cn")


def clean(text: str) -> str:
    """One line of visible characters: what could hide or reorder text (controls, bidirectional marks) is dropped."""
    spaced = " ".join(text.split())
    return "".join(c for c in spaced if unicodedata.category(c) not in DROPPED)


def escape(text: str) -> str:
    """Text as Typst markup that prints exactly it; very long words may break anywhere."""
    kept = "".join(c for c in re.sub(r"\s+", " ", text) if unicodedata.category(c) not in DROPPED)
    soft = LONG_WORD.sub(lambda m: "\u200b".join(m.group()[i : i + 12] for i in range(0, len(m.group()), 12)), kept)
    return SPECIAL.sub(lambda m: "\\" + m.group(), soft)


def string(text: str) -> str:
    """Text as a Typst string literal."""
    escaped = clean(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def first(text: str) -> str:
    """Escaped text at the start of a line, where a digit could begin a list."""
    return "\\" + text if text[:1].isdigit() else text


def code(text: str) -> str:
    """An identifier or command in the fixed-width font."""
    return f"#code({string(text)});"


class Script:
    """Writes markup and keeps, in order of first use, every value it printed."""

    def __init__(self, bindings: Bindings, citable: Sequence[str]) -> None:
        """Resolve values by `bindings`; prose may cite the works in `citable`."""
        self._bindings = bindings
        self._citable = tuple(citable)
        self._used: dict[str, Bound] = {}

    @property
    def used(self) -> tuple[Bound, ...]:
        """Every value printed so far."""
        return tuple(self._used.values())

    def value(self, key: str, *, call: str = "cell") -> str:
        """The value `key` names: a number as a link to its origin, anything else as text.

        Raises:
            UnboundReference: it does not resolve.
        """
        return self._markup(self._bindings.resolve(key), call)

    def plain(self, text: str) -> str:
        """Text for a place that takes no markup, such as the title.

        Raises:
            UnboundReference: a binding does not resolve.
        """
        parts = tuple(pieces(text, self._bindings))
        self._used |= {p.key: p for p in parts if isinstance(p, Bound)}
        return clean("".join(p.text if isinstance(p, Bound) else p for p in parts))

    def prose(self, text: str) -> str:
        """Paragraphs and `- ` lists with bindings and `[@key]` citations, everything else as it is.

        Raises:
            UnboundReference: a binding does not resolve.
            UnknownCitation: a citation is not in the references.
        """
        blocks = [block.strip() for block in re.split(r"\n\s*\n", text) if block.strip()]
        return "\n\n".join(self._block(block) for block in blocks)

    def _block(self, block: str) -> str:
        lines = block.splitlines()
        if all(line.lstrip().startswith("- ") for line in lines):
            return "\n".join(f"- {self.inline(line.lstrip()[2:])}" for line in lines)
        return self.inline(block)

    def inline(self, text: str) -> str:
        """One run of prose."""
        parts = [
            self._markup(piece, "num") if isinstance(piece, Bound) else self._cited(piece)
            for piece in pieces(text, self._bindings)
        ]
        return first("".join(parts))

    def cite(self, key: str) -> str:
        """A citation of a work in the references.

        Raises:
            UnknownCitation: it is not there.
        """
        if key not in self._citable:
            raise UnknownCitation(key, self._citable)
        return f"#cite(label({string(key)}));"

    def _cited(self, text: str) -> str:
        # Splitting by a pattern with one group leaves the keys at the odd places.
        parts = CITATION.split(text)
        return "".join(self.cite(part) if i % 2 else escape(part) for i, part in enumerate(parts))

    def _markup(self, bound: Bound, call: str) -> str:
        self._used.setdefault(bound.key, bound)
        if not bound.numeric:
            return escape(bound.text)
        return f"#{call}({string(bound.key)}, {string(bound.text)});"


def layout() -> bytes:
    """The layout that every paper imports."""
    return resources.files("flows.papers").joinpath("paper.typ").read_bytes()


def compile_pdf(composed: Composed) -> bytes:
    """Return the PDF, the same bytes for the same paper.

    Raises:
        CompileFailed: Typst refused the source.
    """
    return render(composed, "pdf")[0]


def render(composed: Composed, form: Literal["pdf", "png"]) -> list[bytes]:
    """Return the paper as one PDF, or as one PNG per page.

    Raises:
        CompileFailed: Typst refused the source.
    """
    import typst

    # The wheel takes a mapping of files, which its type hints do not know.
    files: Any = {"main.typ": composed.source.encode(), **composed.files}
    try:
        # Only the fonts inside Typst: the fonts of a machine must not change the paper.
        made: Any = typst.compile(files, format=form, ignore_system_fonts=True)
    except typst.TypstError as error:
        raise CompileFailed(" ".join(str(error).split())) from error
    return list(made) if isinstance(made, list) else [made]

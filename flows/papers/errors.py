"""Errors of the paper package.

PaperError
├── UnboundReference   prose names a value the journal does not hold
├── LiteralNumber      prose holds a number that is not a binding
├── UnknownCitation    prose cites a work that is in no list of references
└── CompileFailed      Typst refused the source
"""

from collections.abc import Sequence


class PaperError(Exception):
    """A paper cannot be made."""


class UnboundReference(PaperError):
    """Prose names a value the journal does not hold."""

    def __init__(self, key: str, why: str) -> None:
        """Name the reference `key` and say what it failed on."""
        self.key = key
        super().__init__(
            f"The paper refers to {{{key}}}, which cannot be resolved: {why}. "
            "Use a reference such as {claim:k1.estimate} to a record of this campaign."
        )


class LiteralNumber(PaperError):
    """Prose holds a number that is not a binding."""

    def __init__(self, where: str, numerals: Sequence[str]) -> None:
        """Say `where` in the draft and which `numerals`."""
        self.where = where
        self.numerals = tuple(numerals)
        super().__init__(
            f"The {where} of the draft holds {', '.join(repr(n) for n in numerals)} as literal text. Every number in a "
            "paper is a binding such as {claim:k1.estimate}; names with digits come in through bindings too."
        )


class UnknownCitation(PaperError):
    """Prose cites a work that is neither in the template's references nor among the campaign's own."""

    def __init__(self, key: str, known: Sequence[str]) -> None:
        """Name the citation `key` and the `known` ones."""
        self.key = key
        super().__init__(
            f"The draft cites [@{key}], which is neither in the template's references.bib nor among what the campaign "
            f"took from its library. Known: {', '.join(known) or 'none'}."
        )


class CompileFailed(PaperError):
    """Typst refused the source."""

    def __init__(self, why: str) -> None:
        """Keep Typst's own words in `why`."""
        self.why = why
        super().__init__(
            f"Typst could not compile the paper: {why}. The template's references.bib is the usual cause; "
            "check it, then run `hypoloop report` again."
        )

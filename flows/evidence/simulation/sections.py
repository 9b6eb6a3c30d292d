"""What a simulation returns: a section of a page, as plain data, and figures with the interval of their error."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A table of text: a caption, the head, and rows as wide as it."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """A part of the page: what was done, its tables, and what follows from them."""

    title: str
    lead: str
    tables: tuple[Table, ...]
    findings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Share:
    """`hits` of `of`, with the exact (Clopper and Pearson 1934) interval at 95 percent."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        """The share itself."""
        return self.hits / self.of

    @property
    def interval(self) -> tuple[float, float]:
        """Where the probability behind it lies."""
        from scipy.stats import binomtest

        found = binomtest(self.hits, self.of).proportion_ci(0.95, method="exact")
        return float(found.low), float(found.high)

    def __str__(self) -> str:
        lo, hi = self.interval
        return f"{self.value:.3f} [{lo:.3f}, {hi:.3f}]"

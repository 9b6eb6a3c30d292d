"""Papers: bind numbers to the journal, render them, and find every number that was changed afterwards."""

from flows.papers.compose import compose
from flows.papers.errors import PaperError
from flows.papers.material import Composed
from flows.papers.typst import compile_pdf
from flows.papers.verify import verify_paper
from flows.papers.write import write_paper

__all__ = ["Composed", "PaperError", "compile_pdf", "compose", "verify_paper", "write_paper"]

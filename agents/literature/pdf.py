"""PDFs: read by another process under limits, so that none can hang, crash or fill this one."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from pydantic import Field, ValidationError

from agents.literature.entry import ABSTRACT_CAP, ARXIV, DOI, TEXT_CAP, Entry, Work
from agents.literature.errors import SourceUnreadable
from agents.literature.pdftext import OUTPUT_BYTES
from agents.records import Record

READER = Path(__file__).with_name("pdftext.py")
HEAD = 6_000
"""Characters at the front in which title, identifiers and abstract stand."""
ABSTRACT = re.compile(
    r"\babstract\b[\s.:—–-]*(.{200,6000}?)(?:\n\s*(?:\d+|I)?\.?\s*introduction\b|\n\s*(?:index terms|keywords)\b|\Z)",
    re.IGNORECASE | re.DOTALL,
)
STAMP = re.compile(rf"arXiv:\s*({ARXIV.pattern})(?:[^\n]*?\b((?:19|20)\d\d)\b)?", re.IGNORECASE)
NO_TITLE = re.compile(r"^(?:untitled|microsoft word\b.*|.*\.(?:docx?|tex|dvi|pdf|indd)|\S{0,3})$", re.IGNORECASE)


class PdfLimits(Record):
    """What reading one PDF may take."""

    file_mb: int = Field(default=50, ge=1)
    memory_mb: int = Field(default=1024, ge=64)
    cpu_s: int = Field(default=60, ge=1)
    wall_s: float = Field(default=90.0, gt=0)
    pages: int = Field(default=100, ge=1)


class _Told(Record):
    """What the reading process writes."""

    title: str = ""
    author: str = ""
    pages: int = 0
    text: str = ""
    fault: str = ""


def read_pdf(path: Path, limits: PdfLimits | None = None) -> Work:
    """Return the work in the PDF at `path`: what its first page tells of it, and its text up to a cap.

    Raises:
        SourceUnreadable: it is encrypted, scanned, damaged, too large, or takes more than `limits`.
    """
    within = limits or PdfLimits()
    size = path.stat().st_size
    if size > within.file_mb * 1_000_000:
        raise SourceUnreadable(path, f"is too large: {size / 1e6:.0f} MB, and PDFs are read up to {within.file_mb} MB.")
    told = _told(path, within)
    if told.fault:
        raise SourceUnreadable(path, told.fault)
    if len(told.text.split()) < 20:
        raise SourceUnreadable(
            path, "has no text to speak of; it seems to be scanned. Run it through OCR and add that."
        )
    return Work(entry=_entry(told, path.name), text=told.text[:TEXT_CAP])


def _told(path: Path, limits: PdfLimits) -> _Told:
    command = (sys.executable, "-I", str(READER))
    numbers = (limits.memory_mb, limits.cpu_s, limits.pages, TEXT_CAP)
    # To a file, not to a pipe: the limit on file sizes then caps the answer.
    with path.open("rb") as pdf, tempfile.TemporaryFile() as answer:
        reading = subprocess.Popen(
            (*command, *map(str, numbers)),
            stdin=pdf,
            stdout=answer,
            stderr=subprocess.DEVNULL,
            env={"PYTHONUTF8": "1", "OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,
        )
        try:
            code = reading.wait(limits.wall_s)
        except subprocess.TimeoutExpired:
            raise SourceUnreadable(path, f"was not read within {limits.wall_s:g} s and is left out.") from None
        finally:
            if reading.poll() is None:
                os.killpg(reading.pid, signal.SIGKILL)
                reading.wait()
        answer.seek(0)
        return _understood(path, code, answer.read(OUTPUT_BYTES + 1), limits)


def _understood(path: Path, code: int, answer: bytes, limits: PdfLimits) -> _Told:
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        raise SourceUnreadable(path, f"takes more than {limits.cpu_s} s of processor time and is left out.")
    if code != 0:
        raise SourceUnreadable(path, "could not be read: it needs more memory than one PDF may take, or is damaged.")
    try:
        return _Told.model_validate(json.loads(answer))
    except (ValueError, ValidationError):
        raise SourceUnreadable(path, "could not be read: what came out of it is no text.") from None


def _entry(told: _Told, name: str) -> Entry:
    head = told.text[:HEAD]
    stamp, doi, abstract = STAMP.search(head), DOI.search(head), ABSTRACT.search(told.text[: 2 * HEAD])
    return Entry.model_validate({
        "title": told.title if not NO_TITLE.match(told.title.strip()) else _first_line(head),
        "authors": [each for each in re.split(r"\s*[;,]\s*|\s+and\s+", told.author) if " " in each],
        "year": stamp[3] if stamp else None,
        "abstract": abstract[1] if abstract else head[:ABSTRACT_CAP],
        "doi": doi[0] if doi else None,
        "arxiv": stamp[1] if stamp else None,
        "source": name,
        "alias": Path(name).stem,
    })  # fmt: skip


def _first_line(head: str) -> str:
    """The first line that reads like a title."""
    lines = (line.strip() for line in head.splitlines()[:30])
    return next((each for each in lines if 3 <= len(each.split()) <= 30 and not STAMP.match(each)), "")

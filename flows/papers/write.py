"""Writing a paper to disk: every file whole or not at all, the PDF last."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from flows.papers.material import Composed
from flows.papers.typst import PDF, SOURCE, compile_pdf

FIGURES = "figures"


def write_paper(folder: Path, composed: Composed) -> dict[str, bytes]:
    """Write source, files and PDF into `folder` and return them all by name.

    Each file is replaced atomically; figures of an earlier paper that this one does not have are removed.

    Raises:
        CompileFailed: the source does not compile; nothing was written.
    """
    files = {SOURCE: composed.source.encode(), **composed.files, PDF: compile_pdf(composed)}
    for name, data in files.items():
        _replace(folder / name, data)
    for path in sorted((folder / FIGURES).glob("*")):
        if f"{FIGURES}/{path.name}" not in files:
            path.unlink()
    return files


def _replace(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise

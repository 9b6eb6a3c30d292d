"""The text of one PDF from standard input, as JSON on standard output. A program of its own: a PDF can be hostile.

`python -I pdftext.py MEMORY_MB CPU_S PAGES CHARACTERS`. It limits itself before it reads a byte, and imports nothing of
hypoloop. What it says of a PDF that cannot be read is a `fault`, which follows the file's name in a sentence.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import Any

OUTPUT_BYTES = 16_000_000


def limit(memory_mb: int, cpu_s: int) -> None:
    """Hold this process to its limits; it can never raise them again."""
    memory = memory_mb * 1024 * 1024
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, OUTPUT_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def read(pages: int, characters: int) -> dict[str, Any]:
    """Return the title and author a PDF gives itself, its number of pages, and the text of the first ones."""
    import pypdf
    from pypdf.errors import DependencyError, PyPdfError

    try:
        reader = pypdf.PdfReader(sys.stdin.buffer)
        if reader.is_encrypted and not reader.decrypt(""):
            return {"fault": "is encrypted. Save a copy without a password and add that."}
        parts: list[str] = []
        for page in reader.pages[:pages]:
            parts.append(page.extract_text()[:characters])
            characters -= len(parts[-1])
            if characters <= 0:
                break
        told: Any = reader.metadata or {}
        return {
            "title": clean(told.get("/Title") or ""),
            "author": clean(told.get("/Author") or ""),
            "pages": len(reader.pages),
            "text": clean("\n".join(parts)),
        }
    except DependencyError:
        return {"fault": "is encrypted in a way that cannot be opened here. Save a copy without encryption."}
    except (PyPdfError, ValueError, TypeError, KeyError, AttributeError, IndexError, OSError, RecursionError) as error:
        return {"fault": f"is no PDF that can be read: {' '.join(str(error).split())[:200] or type(error).__name__}."}
    except MemoryError:
        return {"fault": "needs more memory than one PDF may take."}


def clean(text: object) -> str:
    """Return text without halves of characters, which no encoding takes."""
    return str(text).encode("utf-8", "ignore").decode("utf-8")


def main() -> None:
    """Read, and write what was found."""
    memory_mb, cpu_s, pages, characters = map(int, sys.argv[1:])
    limit(memory_mb, cpu_s)
    sys.stdout.write(json.dumps(read(pages, characters)))


if __name__ == "__main__":
    main()

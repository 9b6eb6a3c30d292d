from __future__ import annotations

import io
import os
import subprocess
import sys
import zlib
from contextlib import suppress
from pathlib import Path

import pypdf
import pytest

from agents.literature import pdf as reading
from agents.literature.errors import SourceUnreadable
from agents.literature.pdf import PdfLimits, read_pdf
from tests.agents.literature.making import page, pdf

LINES = (
    "arXiv:2408.06292v3 [cs.AI] 1 Sep 2024",
    "A Study of a Great Many Things",
    "Abstract",
    *["We study a great many things, and how they work remains unclear to us."] * 6,
    "1 Introduction",
    *["The words of the text go on and on, with wombats in them."] * 6,
)


@pytest.fixture
def put(tmp_path: Path):  # noqa: ANN201
    def put(content: bytes, name: str = "paper.pdf") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return put


def fault(path: Path, **limits: float) -> str:
    with pytest.raises(SourceUnreadable) as caught:
        read_pdf(path, PdfLimits.model_validate(limits))
    return str(caught.value).removeprefix(f"{path} ")


def test_a_paper_tells_its_title_abstract_and_number(put) -> None:  # noqa: ANN001
    work = read_pdf(put(pdf(page(LINES), info="/Author (Chris Lu, Cong Lu)")))
    entry = work.entry
    assert (entry.title, entry.arxiv, entry.year) == ("A Study of a Great Many Things", "2408.06292", 2024)
    assert entry.authors == ("Chris Lu", "Cong Lu")
    assert entry.abstract.startswith("We study a great many things")
    assert "wombats" not in entry.abstract
    assert "wombats" in work.text


def test_the_title_a_paper_gives_itself_wins_unless_it_is_a_file_name(put) -> None:  # noqa: ANN001
    assert read_pdf(put(pdf(page(LINES), info="/Title (Its Own Title)"))).entry.title == "Its Own Title"
    assert read_pdf(put(pdf(page(LINES), info="/Title (paper.dvi)"))).entry.title == "A Study of a Great Many Things"


def test_an_encrypted_paper_is_told_of(put) -> None:  # noqa: ANN001
    writer = pypdf.PdfWriter(io.BytesIO(pdf(page(LINES))))
    writer.encrypt("secret", algorithm="RC4-128")
    made = io.BytesIO()
    writer.write(made)
    assert fault(put(made.getvalue())).startswith("is encrypted. Save a copy without a password")


def test_a_scanned_paper_is_told_of(put) -> None:  # noqa: ANN001
    assert "seems to be scanned" in fault(put(pdf(b"0 0 600 800 re f")))


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\x00" * 5000, b"%PDF-1.7\n", b"%PDF-1.7\n" + b"[" * 200_000, pdf(page(LINES))[:400],
        pdf(page(LINES)).replace(b"/Kids [3 0 R]", b"/Kids [2 0 R]"),
        pdf(page(LINES)).replace(b"startxref\n", b"startxref\n9"),
        pdf(page(LINES), catalog="/Pages 1 0 R"),
    ],
    ids=["empty", "zeros", "header", "nested", "cut", "own parent", "no table", "own root"],
)  # fmt: skip
def test_a_broken_paper_is_a_sentence_and_nothing_worse(put, content: bytes) -> None:  # noqa: ANN001
    path = put(content)
    with suppress(SourceUnreadable):
        assert read_pdf(path).entry.title


def test_a_small_paper_that_swells_is_stopped(put) -> None:  # noqa: ANN001
    zeros = zlib.compressobj(9)
    packed = b"".join(zeros.compress(b"\x00" * 10_000_000) for _ in range(15)) + zeros.flush()
    whole = pdf(b"x")
    path = put(whole.replace(zlib.compress(b"x", 9), packed).replace(b"/Length 9", b"/Length %d" % len(packed)))
    assert path.stat().st_size < 1_000_000
    assert fault(path, memory_mb=100)


def test_a_paper_that_takes_too_long_to_read_is_stopped(put) -> None:  # noqa: ANN001
    path = put(pdf(page(["word"] * 400_000)))
    assert fault(path, cpu_s=1) == "takes more than 1 s of processor time and is left out."


def test_time_on_the_wall_is_limited_too_and_the_reader_is_gone_then(put, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN001
    started: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def start(*given, **told):  # noqa: ANN002, ANN003, ANN202
        started.append(real(*given, **told))
        return started[-1]

    monkeypatch.setattr(reading.subprocess, "Popen", start)
    assert fault(put(pdf(page(LINES))), wall_s=0.001) == "was not read within 0.001 s and is left out."
    assert started[0].returncode == -9


def test_a_file_that_is_too_large_is_refused_unread(put) -> None:  # noqa: ANN001
    path = put(b"")
    os.truncate(path, 2_000_000)
    assert fault(path, file_mb=1) == "is too large: 2 MB, and PDFs are read up to 1 MB."


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("print('no json')", "what came out of it is no text"),
        ("print('{\"text\": 5}')", "what came out of it is no text"),
        ("import os; os.abort()", "damaged"),
        ("raise ValueError", "damaged"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "processor time"),
    ],
)
def test_whatever_becomes_of_the_reader_is_a_sentence(
    put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, told: str  # noqa: ANN001
) -> None:  # fmt: skip
    (tmp_path / "reader.py").write_text(program)
    monkeypatch.setattr(reading, "READER", tmp_path / "reader.py")
    assert told in fault(put(pdf(page(LINES))))


@pytest.mark.parametrize("greedy", ["while True: sys.stdout.write('x' * 1_000_000)", "bytearray(500_000_000)"])
def test_the_reader_holds_itself_to_its_limits(tmp_path: Path, greedy: str) -> None:
    program = f"import sys; sys.path.insert(0, {str(reading.READER.parent)!r}); import pdftext\npdftext.limit(256, 1)\n"
    with (tmp_path / "out").open("wb") as out:
        done = subprocess.run(
            [sys.executable, "-I", "-c", program + greedy], stdout=out, stderr=subprocess.DEVNULL, check=False
        )
    assert done.returncode != 0
    assert (tmp_path / "out").stat().st_size <= 16_000_000


def test_the_reader_gets_nothing_of_our_environment(put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN001
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted")
    (tmp_path / "reader.py").write_text(
        "import json, os; print(json.dumps({'text': 'word ' * 50 + str(dict(os.environ))}))"
    )
    monkeypatch.setattr(reading, "READER", tmp_path / "reader.py")
    assert "sk-planted" not in read_pdf(put(pdf(page(LINES)))).text

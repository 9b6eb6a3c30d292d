"""Works, PDFs and a server that plays the public indexes."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from agents.literature.entry import Entry, Work


def work(title: str = "", abstract: str = "", text: str = "", **told: Any) -> Work:
    return Work(entry=Entry.model_validate({"title": title, "abstract": abstract, **told}), text=text)


def pdf(content: bytes, info: str = "", catalog: str = "") -> bytes:
    """A PDF of one page with this content stream, compressed."""
    packed = zlib.compress(content, 9)
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R {catalog} >>".encode(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        f"<< {info} >>".encode(),
    ]
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, each in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info 6 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(out)


def page(lines: Sequence[str]) -> bytes:
    """The content stream of a page with these lines."""
    shown = " ".join(f"({line}) Tj T*" for line in lines)
    return f"BT /F1 10 Tf 12 TL 50 750 Td {shown} ET".encode("latin-1")


@dataclass(frozen=True)
class Says:
    """One answer: `hold` keeps the connection open and silent before it."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    hold: bool = False


class Index:
    """A server on a free port that gives prepared answers in turn, the last one again and again."""

    def __init__(self) -> None:
        self.answers: list[Says] = [Says()]
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        self.over = threading.Event()
        self.url = ""

    def next(self, path: str, headers: Mapping[str, str]) -> Says:
        self.asked.append((path, headers))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def index() -> Iterator[Index]:
    playing = Index()

    class Play(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            says = playing.next(self.path, dict(self.headers))
            if says.hold:
                playing.over.wait(20)
                return
            self.send_response_only(says.status)
            for name, value in {"Content-Length": str(len(says.body)), **says.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(says.body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Play)
    server.daemon_threads = True
    serving = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    serving.start()
    playing.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield playing
    finally:
        playing.over.set()
        server.shutdown()
        server.server_close()


class FakeClock:
    """A clock on which waiting takes no time."""

    def __init__(self) -> None:
        self.at = 0.0
        self.waits: list[float] = []

    def now(self) -> float:
        return self.at

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.at += seconds


class Kept(dict[str, bytes]):
    """Pages in memory."""

    def put(self, url: str, body: bytes) -> None:
        self[url] = body

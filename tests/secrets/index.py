"""A package index that wants a password; while it is asked, it looks who on this machine says the password aloud."""

from __future__ import annotations

import base64
import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.secrets.decoding import Part


class PackageIndex(ThreadingHTTPServer):
    """Serves one wheel to who knows the password; `let_in` counts those, `arguments` keeps what processes were told."""

    daemon_threads = True

    def __init__(self, name: str, password: str) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), _Request)
        self.package = name
        self.wheel = f"{name}-1.0-py3-none-any.whl"
        self.content = _wheel(name)
        self.wanted = "Basic " + base64.b64encode(f"user:{password}".encode()).decode()
        self.let_in = 0
        self.arguments: list[Part] = []

    @property
    def place(self) -> str:
        """Host, port and path, without a password."""
        return f"127.0.0.1:{self.server_port}/index"


@contextmanager
def package_index(name: str, password: str) -> Iterator[PackageIndex]:
    """Serve the package `name` as long as the block lasts."""
    with PackageIndex(name, password) as index:
        thread = threading.Thread(target=index.serve_forever, name="package-index")
        thread.start()
        try:
            yield index
        finally:
            index.shutdown()
            thread.join()


class _Request(BaseHTTPRequestHandler):
    server: PackageIndex

    def do_GET(self) -> None:
        index = self.server
        index.arguments += _arguments()
        if self.headers.get("Authorization") != index.wanted:
            self._answer(401, b"who are you?")
            return
        index.let_in += 1
        digest = hashlib.sha256(index.content).hexdigest()
        pages = {
            f"/index/{index.package}/": f'<a href="/files/{index.wheel}#sha256={digest}">{index.wheel}</a>'.encode(),
            f"/files/{index.wheel}": index.content,
        }
        page = pages.get(self.path)
        self._answer(404 if page is None else 200, page or b"not here")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "text/html")
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="index"')
        self.end_headers()
        self.wfile.write(body)


def _arguments() -> Iterator[Part]:
    """Yield the command line of every process, which any user of the machine can read."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield Part(str(path), path.read_bytes())
        except OSError:
            continue  # it has ended


def _wheel(name: str) -> bytes:
    about = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": "",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in (*files, f"{about}/RECORD"))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for path, text in (files | {f"{about}/RECORD": record}).items():
            archive.writestr(path, text)
    return stream.getvalue()

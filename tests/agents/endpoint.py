"""A scripted endpoint that speaks OpenAI's chat completions over real sockets, as well or as badly as a test wants.

    with Endpoint(script(said("yes"), limited(1), said("no"))) as endpoint:
        ...  # ask the model at endpoint.url; endpoint.seen lists what was asked

A rule is any function from what was asked to what is sent; `script` and `recording` make such rules.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, Self

from agents.asking import Stored
from agents.model import Reply


@dataclass(frozen=True)
class Seen:
    """One request: `number` counts from 0; header names are in lower case."""

    number: int
    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]

    @property
    def text(self) -> str:
        """Return all that was said, one message after the other."""
        return "\n".join(message["content"] for message in self.body["messages"])


@dataclass(frozen=True)
class Sent:
    """What is sent for a request. `after` is waited for first; `drop` cuts the connection instead of answering.

    `chunks` are sent in place of the body, without a length, for as long as somebody reads.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    after: Event | None = None
    drop: bool = False
    chunks: Iterable[bytes] | None = None


Rule = Callable[[Seen], Sent]


class Endpoint:
    """A server on a free port of 127.0.0.1 while the `with` lasts. `most_at_once` is how many requests overlapped."""

    def __init__(self, rule: Rule) -> None:
        """Answer by `rule`."""
        self._rule = rule
        self._lock = Lock()
        self._open = 0
        self.seen: list[Seen] = []
        self.most_at_once = 0
        self.faults: list[Exception] = []

    def __enter__(self) -> Self:
        """Begin to listen."""
        endpoint = self

        class Requests(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                endpoint._answer(self)

            do_GET = do_POST

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop; what a rule did wrong fails the test here."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        if self.faults:
            raise self.faults[0]

    @property
    def url(self) -> str:
        """Return the base URL."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        with self._lock:
            self._open += 1
            self.most_at_once = max(self.most_at_once, self._open)
        try:
            sent = self._sent(request)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                _send(request, sent)
        finally:
            with self._lock:
                self._open -= 1

    def _sent(self, request: BaseHTTPRequestHandler) -> Sent:
        raw = request.rfile.read(int(request.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self._lock:
            seen = Seen(len(self.seen), request.path, headers, json.loads(raw or b"{}"))
            self.seen.append(seen)
        try:
            return self._rule(seen)
        except Exception as error:  # noqa: BLE001 - it is raised again where the test can see it
            self.faults.append(error)
            return failed(400, f"the rule of the test failed: {error!r}")


def _send(request: BaseHTTPRequestHandler, sent: Sent) -> None:
    if sent.after is not None:
        sent.after.wait(30)
    if sent.drop:
        # Lingering for no time makes the close a reset.
        request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.connection.close()
        request.close_connection = True
        return
    request.send_response(sent.status)
    for name, value in sent.headers.items():
        request.send_header(name, value)
    if sent.chunks is None:
        request.send_header("content-length", str(len(sent.body)))
        request.end_headers()
        request.wfile.write(sent.body)
        return
    request.send_header("connection", "close")
    request.end_headers()
    for chunk in sent.chunks:
        request.wfile.write(chunk)


# What can be sent.


def said(
    text: str | None,
    finish: str = "stop",
    usage: Mapping[str, Any] | None = None,
    message: Mapping[str, Any] | None = None,
) -> Sent:
    """Return a chat completion; `usage` 0 tokens in and out would be a lie, so some are counted by length."""
    counted = {"prompt_tokens": 100, "completion_tokens": max(1, len(text or "") // 4)} if usage is None else usage
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text, **(message or {})}}
    return sent({"id": "c", "object": "chat.completion", "model": "served-1", "choices": [choice], "usage": counted})


def sent(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Sent:
    """Return any JSON body."""
    return Sent(status, json.dumps(body).encode(), {"content-type": "application/json", **(headers or {})})


def failed(status: int, message: str, headers: Mapping[str, str] | None = None, **more: object) -> Sent:
    """Return an error as OpenAI words it."""
    return sent({"error": {"message": message, "type": "error", **more}}, status, headers)


def limited(retry_after: object, header: str = "retry-after") -> Sent:
    """Return a rate limit that asks to wait."""
    return failed(429, "Rate limit reached", {header: str(retry_after)})


def late(after: Event, then: Sent) -> Sent:
    """Return an answer that waits for an event."""
    return replace(then, after=after)


def dropped() -> Sent:
    """Return a connection that is reset."""
    return Sent(drop=True)


def endless(chunk: bytes = b" " * 65536, pause_s: float = 0.0) -> Sent:
    """Return an answer that never ends."""

    def chunks() -> Iterator[bytes]:
        while True:
            time.sleep(pause_s)
            yield chunk

    return Sent(chunks=chunks())


# Rules.


def script(*lines: Sent | str) -> Rule:
    """Return a rule that sends its lines in order, and the last one ever after; a text is said."""

    def rule(seen: Seen) -> Sent:
        line = lines[min(seen.number, len(lines) - 1)]
        return said(line) if isinstance(line, str) else line

    return rule


def recording(calls: Iterable[Stored]) -> Rule:
    """Return a rule that says what was said when these calls were kept, to whoever asks the same again.

    Calls of the same messages, which were asked again with more tokens or as another attempt, are answered in turn.
    """
    known: dict[str, list[Reply]] = {}
    for stored in sorted(calls, key=lambda kept: (kept.call.sample, kept.call.max_tokens, kept.call.attempt)):
        known.setdefault(_asked([m.model_dump() for m in stored.call.messages]), []).append(stored.reply)
    lock = Lock()

    def rule(seen: Seen) -> Sent:
        with lock:
            replies = known.get(_asked(seen.body["messages"]), [])
            if not replies:
                return failed(404, f"no recording of: {seen.text[:200]}")
            reply = replies.pop(0) if len(replies) > 1 else replies[0]
        usage = {
            "prompt_tokens": reply.usage.input,
            "completion_tokens": reply.usage.output,
            "prompt_tokens_details": {"cached_tokens": reply.usage.cached},
        }
        finish = "content_filter" if reply.finish == "refusal" else reply.finish
        return said(reply.text, finish, usage)

    return rule


def _asked(messages: object) -> str:
    return json.dumps(messages, sort_keys=True)

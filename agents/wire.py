"""One request to an endpoint through the `openai` client: bounded in time and size, with no header but what it needs.

Only `agents.openai_model` imports this, and late: the client takes long to load.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
from openai import APIConnectionError, APIStatusError, APITimeoutError, OpenAI, OpenAIError

from agents import completions
from agents.completions import Completion, Failed, without_key
from agents.model_settings import ModelSettings
from agents.retrying import Pace

_MOST_BYTES = 16 * 1024 * 1024
_MOST_SHOWN = 500
_CONNECT_S = 10.0
_HEADERS = frozenset(
    {"host", "accept", "connection", "content-type", "content-length", "user-agent", "x-stainless-raw-response"}
)


class Wire:
    """A connection to the endpoint of `settings`.

    Failures are returned and not raised, so that no error carries a request, and with it the key, along.
    """

    def __init__(self, settings: ModelSettings, key: str | None, pace: Pace) -> None:
        """Talk to the endpoint with `key`, or without one."""
        self._settings, self._key, self._pace = settings, key, pace
        self._client = _client(settings, key, pace.clock)

    def send(self, asked: Mapping[str, Any]) -> Completion | Failed:
        """Make one request and return what it brought."""
        extra = dict(self._settings.extra_body) or None
        create = self._client.chat.completions.with_raw_response.create
        try:
            content = create(model=self._settings.model, extra_body=extra, **asked).content
        except APITimeoutError:
            return Failed(status=0, said=f"it did not answer within {self._settings.timeout_s:g} seconds")
        except APIStatusError as error:
            return self._status(error.response)
        except APIConnectionError as error:
            final = isinstance(error.__cause__, TooMuch)
            return Failed(status=0, said=self._shown(str(error.__cause__ or error)), final=final)
        except OpenAIError as error:
            return Failed(status=0, said=self._shown(str(error)), final=True)
        return self._read(content)

    def _status(self, response: Any) -> Failed:
        if response.is_redirect:
            where = self._shown(response.headers.get("location", "nowhere"))
            said = f"it redirects to {where}, which is not followed; set base_url to where the endpoint really is"
            return Failed(status=response.status_code, said=said, final=True)
        wait = self._pace.asked(response.headers)
        return Failed(status=response.status_code, said=self._shown(response.text), wait_s=wait)

    def _read(self, content: bytes) -> Completion | Failed:
        completion = completions.read(content)
        if completion is None:
            page = content.lstrip()[:1] == b"<"
            what = "a web page; check base_url, which often ends in /v1" if page else "what is no chat completion"
            return Failed(status=0, said=f"it answered with {what}", final=page)
        if completion.choices:
            return completion
        failed = completions.failure(completion)
        return failed.model_copy(update={"said": self._shown(failed.said)})

    def _shown(self, text: str) -> str:
        """Return what may be shown of a text: its beginning, on one line, without the key."""
        whole = completions.printable(without_key(text, self._key))
        return " ".join("".join(c if c.isprintable() else " " for c in whole[:_MOST_SHOWN]).split())


class TooMuch(httpx.RequestError):
    """The endpoint sends more than any answer is long, or packs it."""


class Bounded(httpx.SyncByteStream):
    """A response's bytes, up to a size and a moment."""

    def __init__(self, stream: httpx.SyncByteStream, clock: Callable[[], float], until: float) -> None:
        """Pass on `stream` until `clock` says `until`."""
        self._stream, self._clock, self._until = stream, clock, until

    def __iter__(self) -> Iterator[bytes]:
        """Go through the chunks.

        Raises:
            httpx.ReadTimeout: the time is over.
            TooMuch: it is too much.
        """
        size = 0
        for chunk in self._stream:
            size += len(chunk)
            if size > _MOST_BYTES:
                raise TooMuch(f"it sent more than {_MOST_BYTES // 1024**2} MiB and was cut off")
            if self._clock() > self._until:
                raise httpx.ReadTimeout("the answer did not come to its end in time")
            yield chunk

    def close(self) -> None:
        """Close the stream below."""
        self._stream.close()


def _client(settings: ModelSettings, key: str | None, clock: Callable[[], float]) -> OpenAI:
    base_url, query = settings.base_url, {}
    if settings.api_version:
        base_url = f"{base_url}/openai/deployments/{settings.model}"
        query = {"api-version": settings.api_version}
    # What this library traces has the headers of answers in it, and with them whatever the endpoint repeats.
    logging.getLogger("httpcore").setLevel(logging.INFO)
    http: Any = httpx.Client(
        # Loading the certificates of the world takes longer than a local answer; over http none is asked for.
        verify=True if base_url.startswith("https") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        trust_env=not settings.local,
        timeout=httpx.Timeout(settings.timeout_s, connect=min(_CONNECT_S, settings.timeout_s)),
        follow_redirects=False,
        event_hooks={"request": [_outgoing(settings, key, clock)], "response": [_incoming(clock)]},
    )
    return OpenAI(
        api_key=key or "none",
        base_url=base_url,
        default_query=query,
        max_retries=0,
        http_client=http,
    )


def _outgoing(settings: ModelSettings, key: str | None, clock: Callable[[], float]) -> Callable[[httpx.Request], None]:
    """Return what makes a request ready to go: its headers, and until when its answer may take."""

    def ready(request: httpx.Request) -> None:
        # The client adds headers from variables of the environment, which are meant for somebody else's endpoint.
        for name in [name for name in request.headers if name not in _HEADERS]:
            del request.headers[name]
        # What is packed can be a thousand times as large as what is counted.
        request.headers["accept-encoding"] = "identity"
        if key and settings.api_version:
            request.headers["api-key"] = key
        elif key:
            request.headers["authorization"] = f"Bearer {key}"
        request.extensions["until"] = clock() + settings.timeout_s

    return ready


def _incoming(clock: Callable[[], float]) -> Callable[[httpx.Response], None]:
    """Return what bounds an answer before it is read."""

    def bounded(response: httpx.Response) -> None:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise TooMuch("it packs its answer, which nobody asked for")
        assert isinstance(response.stream, httpx.SyncByteStream)
        response.stream = Bounded(response.stream, clock, response.request.extensions["until"])

    return bounded

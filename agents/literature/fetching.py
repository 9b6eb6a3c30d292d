"""Fetching from public indexes, politely and never for long: asked once, in paces, within hard limits."""

from __future__ import annotations

import errno
import queue
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Protocol, TypeVar

import httpx
from pydantic import Field

from agents.literature.errors import FetchFailed
from agents.records import Record

T = TypeVar("T")
BUSY = frozenset({429, 500, 502, 503, 504})
REFUSED = frozenset({401, 403})
MOVED = frozenset({301, 302, 303, 307, 308})
MOVES = 3
NO_WAY_OUT = frozenset({errno.ENETUNREACH, errno.ENETDOWN})
ANYBODY = "*"
UNSENDABLE = "cannot be asked: its key holds characters that cannot be sent"
AGENT = "hypoloop (a research campaign; asks once and keeps the answer)"


class Clock(Protocol):
    """Time that passes."""

    def now(self) -> float:
        """Return seconds since some fixed moment; never goes back."""
        ...

    def wait(self, seconds: float) -> None:
        """Let seconds pass."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Return seconds since some fixed moment."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)


class PageStore(Protocol):
    """Where answers are kept, by address."""

    def get(self, url: str) -> bytes | None:
        """Return what is kept of `url`, or None."""
        ...

    def put(self, url: str, body: bytes) -> None:
        """Keep what `url` answered."""
        ...


class Manners(Record):
    """How an index is asked.

    Seconds between two requests to a host, tries, seconds that a request may take in all, seconds that may be waited
    between the tries of one question, bytes of an answer.
    """

    interval_s: float = Field(default=3.0, ge=0)
    tries: int = Field(default=3, ge=1)
    request_s: float = Field(default=20.0, gt=0)
    patience_s: float = Field(default=60.0, ge=0)
    cap_bytes: int = Field(default=8_000_000, ge=1)


@dataclass(frozen=True)
class Question:
    """An address with its parameters; `secret` ones and `headers` are sent, never kept and never told."""

    url: str
    params: Mapping[str, str]
    secret: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """What the answer is kept under."""
        return str(httpx.URL(self.url, params=dict(self.params)))

    @property
    def host(self) -> str:
        """Who is asked."""
        return httpx.URL(self.url).host


@dataclass(frozen=True)
class _Answer:
    """What came back, or why nothing did, and whether asking again is of use: now, ever, or anybody."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    fault: str = ""
    final: bool = False
    unreachable: bool = False
    offline: bool = False


class Web:
    """What asks hosts. One that cannot be reached, or stays busy, is told of once and then left alone for good.

    May be shared by threads.
    """

    def __init__(self, pages: PageStore, manners: Manners | None = None, clock: Clock | None = None) -> None:
        """Keep answers in `pages`."""
        self._pages, self._manners, self._clock = pages, manners or Manners(), clock or SystemClock()
        self._lock = threading.Lock()
        self._next: dict[str, float] = {}
        self._left_alone: set[str] = set()

    def get(self, question: Question, read: Callable[[bytes], T]) -> T:
        """Return what `read` makes of the answer. Only an answer that can be read is kept.

        Raises:
            FetchFailed: nothing came that can be used. Its sentence is empty if the host was told of before.
        """
        try:
            address = question.address
        except httpx.InvalidURL as error:
            raise FetchFailed(f"The address {question.url} of an index is none: {error}.") from None
        kept = self._pages.get(address)
        if kept is not None:
            return self._read(question, kept, read)
        body = self._fetched(question)
        made = self._read(question, body, read)
        self._pages.put(address, body)
        return made

    def _read(self, question: Question, body: bytes, read: Callable[[bytes], T]) -> T:
        try:
            return read(body)
        except (ValueError, RecursionError) as error:
            why = " ".join(str(error).split())[:120] or type(error).__name__
            raise FetchFailed(f"{question.host} answered with what cannot be read ({why}); passed over.") from None

    def _fetched(self, question: Question) -> bytes:
        """Ask until there is an answer, within tries and patience."""
        waited = 0.0
        for attempt in range(self._manners.tries):
            answer = self._asked(question)
            if not answer.fault and answer.status == httpx.codes.OK:
                return answer.body
            if answer.unreachable or answer.offline:
                raise self._gives_up(question, f"cannot be reached ({answer.fault})", answer.offline)
            if answer.status in REFUSED:
                raise self._gives_up(question, f"refuses (status {answer.status}); its key may be missing or wrong")
            if answer.final or not (answer.fault or answer.status in BUSY):
                why = answer.fault or f"answered with status {answer.status}"
                raise FetchFailed(f"{question.host} {why}; passed over.")
            pause = _pause(answer, attempt)
            waited += pause
            if waited > self._manners.patience_s:
                raise self._gives_up(question, f"asks to wait {pause:.0f} s")
            if attempt + 1 < self._manners.tries:
                self._clock.wait(pause)
        raise self._gives_up(question, answer.fault or f"is too busy (status {answer.status})")

    def _gives_up(self, question: Question, why: str, on_all: bool = False) -> FetchFailed:
        with self._lock:
            known = self._is_left_alone(question.host)
            self._left_alone |= {question.host, *((ANYBODY,) if on_all else ())}
        if known:
            return FetchFailed("")
        whom = "Nobody is" if on_all else "It is not"
        return FetchFailed(f"{question.host} {why}. {whom} asked again in this run; the library is used as it is.")

    def _is_left_alone(self, host: str) -> bool:
        return host in self._left_alone or ANYBODY in self._left_alone

    def _asked(self, question: Question) -> _Answer:
        """Ask once, following moves within the host."""
        url = httpx.URL(question.url, params={**question.params, **question.secret})
        for _ in range(MOVES):
            with self._lock:
                if self._is_left_alone(question.host):
                    raise FetchFailed("")
            self._keep_pace(question.host)
            answer = self._within_time(url, question.headers)
            if answer.status not in MOVED:
                return answer
            there = url.join(answer.headers.get("location", ""))
            if (there.host, there.port, there.scheme) != (url.host, url.port, url.scheme):
                raise FetchFailed(f"{question.host} points to another host, which is not followed; passed over.")
            url = there
        raise FetchFailed(f"{question.host} points from one place to the next without end; passed over.")

    def _keep_pace(self, host: str) -> None:
        with self._lock:
            now = self._clock.now()
            turn = max(now, self._next.get(host, now))
            self._next[host] = turn + self._manners.interval_s
        if turn > now:
            self._clock.wait(turn - now)

    def _within_time(self, url: httpx.URL, headers: Mapping[str, str]) -> _Answer:
        """The time-outs of sockets hold for each read alone; a thread that can be left behind holds for the whole."""
        box: queue.SimpleQueue[_Answer] = queue.SimpleQueue()
        limit = self._manners.request_s
        try:
            client = httpx.Client(timeout=limit, follow_redirects=False, headers={"User-Agent": AGENT, **headers})
        except ValueError:
            return _Answer(fault=UNSENDABLE, final=True)
        asking = threading.Thread(target=_carry, args=(client, url, self._manners.cap_bytes, box), daemon=True)
        asking.start()
        try:
            return box.get(timeout=limit)
        except queue.Empty:
            return _Answer(fault=f"did not answer within {limit:g} s", unreachable=True)
        finally:
            client.close()


def _carry(client: httpx.Client, url: httpx.URL, cap: int, box: queue.SimpleQueue[_Answer]) -> None:
    """Put the answer, or what prevented it, into the box."""
    try:
        with client.stream("GET", url) as response:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > cap:
                    box.put(_Answer(fault=f"answers with more than {cap} bytes", final=True))
                    return
            box.put(_Answer(response.status_code, dict(response.headers), bytes(body)))
    except httpx.LocalProtocolError:
        # Its text would tell the key.
        box.put(_Answer(fault=UNSENDABLE, final=True))
    except (httpx.ConnectError, httpx.TimeoutException) as error:
        box.put(_Answer(fault=_said(error), unreachable=True, offline=_has_no_network(error)))
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, RuntimeError) as error:
        box.put(_Answer(fault=f"breaks off ({_said(error)})"))


def _has_no_network(error: BaseException) -> bool:
    """Whether no name can be resolved or no way leads out: then no host can be reached."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, socket.gaierror) or (isinstance(cause, OSError) and cause.errno in NO_WAY_OUT):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _pause(answer: _Answer, attempt: int) -> float:
    """Seconds to wait: what the host asks for, else 1, 2, 4, ..."""
    told = answer.headers.get("retry-after", "").strip()
    if told.isascii() and told.isdigit():
        return float(told[:9])
    try:
        # Both by the host's clock, so that ours does not matter.
        until, now = (parsedate_to_datetime(each) for each in (told, answer.headers.get("date", "")))
        return max((until - now).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return 2.0**attempt

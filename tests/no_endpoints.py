"""The guard of the test suite: no test reaches a host other than this machine, and none sees a key.

Sockets of this process connect to loopback addresses and paths only. Programs that tests start are not held by this;
they find no key in their environment.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

KEYS = ("OPENAI_", "AZURE_OPENAI_", "OPENROUTER_", "ANTHROPIC_", "HF_TOKEN", "OLLAMA_", "GEMINI_", "MISTRAL_", "GROQ_")

INTERNET = (socket.AF_INET, socket.AF_INET6)


class RealEndpoint(ConnectionRefusedError):
    """A test tried to reach a host other than this machine."""

    def __init__(self, host: object) -> None:
        super().__init__(f"A test may not reach {host!r}: use tests/agents/endpoint.py or a ScriptedModel.")


@pytest.fixture(scope="session", autouse=True)
def no_real_endpoints() -> Iterator[None]:
    """Refuse connections to other machines and names, and take keys and addresses of models out of the environment."""
    with pytest.MonkeyPatch.context() as patch:
        without_keys(patch)
        for verb in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, verb, held(getattr(socket.socket, verb)))
        for verb in ("send", "sendall", "sendmsg"):
            patch.setattr(socket.socket, verb, silent(getattr(socket.socket, verb)))
        patch.setattr(socket, "getaddrinfo", resolving(socket.getaddrinfo))
        yield


def without_keys(patch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(KEYS)]:
        patch.delenv(name)


def held(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse other machines. To connect a datagram socket is allowed: it sends nothing, and tells a host's address."""

    def checked(self: socket.socket, *given: Any) -> Any:
        quiet = self.type == socket.SOCK_DGRAM and verb.__name__ != "sendto"
        if self.family in INTERNET and not quiet and not is_local(given[-1][0]):
            raise RealEndpoint(given[-1][0])
        return verb(self, *given)

    return checked


def silent(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse to send datagrams to the other machine that a socket is connected to."""

    def checked(self: socket.socket, *given: Any) -> Any:
        if self.type == socket.SOCK_DGRAM and self.family in INTERNET:
            # Only `sendmsg` can name an address, as its fourth argument.
            peer = (given[3] if len(given) > 3 else self.getpeername())[0]
            if not is_local(peer):
                raise RealEndpoint(peer)
        return verb(self, *given)

    return checked


def resolving(resolve: Callable[..., Any]) -> Callable[..., Any]:
    def checked(host: Any, *given: Any, **named: Any) -> Any:
        if not is_local(host) and not is_address(host):
            raise RealEndpoint(host)
        return resolve(host, *given, **named)

    return checked


def is_address(host: object) -> bool:
    try:
        ipaddress.ip_address(text(host))
    except ValueError:
        return False
    return True


def is_local(host: object) -> bool:
    """Say whether a host is this machine: none, a name of its own, loopback, or the unspecified address."""
    name = text(host)
    if name in ("", "None", "localhost", "ip6-localhost", socket.gethostname()):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return mapped.is_loopback or mapped.is_unspecified


def text(host: object) -> str:
    return host.decode("ascii", "replace") if isinstance(host, bytes) else str(host).partition("%")[0]

"""No test may reach a real endpoint: planted attempts that the guard must stop."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.request
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from agents.errors import ModelUnavailable
from agents.openai_model import ModelSettings, OpenAIModel
from tests.agents.calls import KEY, Waits, call
from tests.no_endpoints import RealEndpoint, is_local, without_keys

# An address that is set aside for documentation (RFC 5737): without the guard this would wait for nobody.
NOBODY = "203.0.113.1"


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
@pytest.mark.parametrize("verb", ["connect", "connect_ex"])
def test_a_socket_reaches_no_other_machine(family: socket.AddressFamily, verb: str) -> None:
    host = NOBODY if family == socket.AF_INET else "2001:db8::1"
    with socket.socket(family) as probe, pytest.raises(RealEndpoint, match="may not reach"):
        getattr(probe, verb)((host, 443))


def test_no_datagram_leaves() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, pytest.raises(RealEndpoint):
        probe.sendto(b"hello", (NOBODY, 53))


def test_a_datagram_socket_tells_the_address_of_this_host_and_sends_nothing() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.connect((NOBODY, 9))
        for send in (probe.send, probe.sendall, lambda data: probe.sendmsg([data])):
            with pytest.raises(RealEndpoint):
                send(b"hello")


def test_datagrams_reach_this_machine() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two,
    ):
        one.bind(("127.0.0.1", 0))
        two.sendto(b"a", one.getsockname())
        two.connect(one.getsockname())
        two.send(b"b")
        two.sendmsg([b"c"])
        assert [one.recv(9) for _ in range(3)] == [b"a", b"b", b"c"]


def test_no_name_is_looked_up() -> None:
    with pytest.raises(RealEndpoint, match="api.openai.com"):
        socket.getaddrinfo("api.openai.com", 443)


def test_ordinary_clients_are_held() -> None:
    with pytest.raises(httpx.ConnectError, match="may not reach"):
        httpx.get("https://api.openai.com/v1/models", trust_env=False)
    with pytest.raises(OSError, match="may not reach"):
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://{NOBODY}/")


def test_the_real_client_is_held() -> None:
    settings = ModelSettings(base_url="https://api.openai.com/v1", model="gpt-4o-mini", retries=1)
    with pytest.raises(ModelUnavailable, match="may not reach 'api.openai.com'"):
        OpenAIModel(settings, KEY, Waits().pace).complete(call())


def test_keys_are_taken_out_of_the_environment_of_tests_and_of_their_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "AZURE_OPENAI_API_KEY", "OPENROUTER_API_KEY"):
        assert name not in os.environ
        monkeypatch.setenv(name, KEY)
    without_keys(monkeypatch)
    code = "import os; print([name for name, value in os.environ.items() if value.startswith('sk-planted')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"[]\n"


def test_this_machine_is_reached(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(path)
        server.listen()
        client.connect(path)


def test_programs_that_tests_start_still_run() -> None:
    assert subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True, check=True).stdout == b"1\n"


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", b"127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "", None]
)
def test_what_is_this_machine(host: object) -> None:
    assert is_local(host)


@pytest.mark.parametrize(
    "host", ["8.8.8.8", "::ffff:8.8.8.8", "example.org", "localhost.example.org", "127.0.0.1.nip.io"]
)
def test_what_is_not(host: str) -> None:
    assert not is_local(host)

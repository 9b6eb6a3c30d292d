from __future__ import annotations

import socket
import threading
from contextlib import suppress

import httpx
import pytest

from agents.literature.errors import FetchFailed
from agents.literature.fetching import Manners, Question, Web
from tests.agents.literature.making import FakeClock, Index, Kept, Says

OK = Says(b"fine")


class Asking:
    """A web on a clock of its own, and a question to the index."""

    def __init__(self, index: Index, **manners: float) -> None:
        self.index, self.clock, self.pages = index, FakeClock(), Kept()
        self.web = Web(self.pages, Manners.model_validate({"interval_s": 0, "request_s": 5, **manners}), self.clock)

    def get(self, what: str = "q") -> str:
        return self.web.get(Question(f"{self.index.url}/works", {"search": what}), lambda body: body.decode())

    def fault(self, what: str = "q") -> str:
        with pytest.raises(FetchFailed) as caught:
            self.get(what)
        return str(caught.value)


def test_the_same_question_is_asked_once(index: Index) -> None:
    index.answers = [OK]
    asking = Asking(index)
    assert [asking.get(), asking.get(), asking.get("other")] == ["fine"] * 3
    assert len(index.asked) == 2
    again = Web(asking.pages, clock=asking.clock)
    assert again.get(Question(f"{index.url}/works", {"search": "q"}), bytes.decode) == "fine"
    assert len(index.asked) == 2


def test_keys_are_sent_and_never_kept(index: Index) -> None:
    index.answers = [OK]
    asking = Asking(index)
    question = Question(f"{index.url}/works", {"search": "q"}, {"api_key": "planted-1"}, {"x-api-key": "planted-2"})
    asking.web.get(question, bytes.decode)
    path, headers = index.asked[0]
    assert "api_key=planted-1" in path
    assert headers["x-api-key"] == "planted-2"
    assert "planted" not in str(asking.pages)


@pytest.mark.parametrize("key", ["planted\nkey", "plantéd"])
def test_a_key_that_cannot_be_sent_is_not_told(index: Index, key: str) -> None:
    web = Web(Kept(), Manners(request_s=5), FakeClock())
    with pytest.raises(FetchFailed) as caught:
        web.get(Question(index.url, {"search": "q"}, headers={"x-api-key": key}), bytes.decode)
    assert "cannot be sent" in str(caught.value)
    assert "plant" not in str(caught.value)


def test_requests_to_a_host_keep_their_distance(index: Index) -> None:
    index.answers = [OK]
    asking = Asking(index, interval_s=3)
    for what in ("a", "b", "c"):
        asking.get(what)
    assert asking.clock.waits == [3, 3]


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:05 GMT", "Date": "Wed, 21 Oct 2015 07:28:00 GMT"}, 5),
        ({"Retry-After": "soon"}, 1),
        ({}, 1),
    ],
)
def test_a_busy_index_is_asked_again_when_it_says(index: Index, headers: dict[str, str], pause: float) -> None:
    index.answers = [Says(status=429, headers=headers), OK]
    asking = Asking(index)
    assert asking.get() == "fine"
    assert asking.clock.waits == [pause]


def test_an_index_that_stays_busy_is_left_alone_and_told_of_once(index: Index) -> None:
    index.answers = [Says(status=500)]
    asking = Asking(index)
    assert "is too busy (status 500). It is not asked again" in asking.fault()
    assert (len(index.asked), asking.clock.waits) == (3, [1, 2])
    assert asking.fault("other") == ""
    assert len(index.asked) == 3


def test_an_index_that_wants_too_much_patience_is_left_alone(index: Index) -> None:
    index.answers = [Says(status=429, headers={"Retry-After": "86400"})]
    asking = Asking(index)
    assert "asks to wait 86400 s" in asking.fault()
    assert (len(index.asked), asking.clock.waits) == (1, [])


def test_an_index_that_refuses_is_left_alone(index: Index) -> None:
    index.answers = [Says(status=403)]
    asking = Asking(index)
    assert "its key may be missing or wrong" in asking.fault()
    assert asking.fault() == ""


def test_a_question_that_is_not_understood_is_passed_over_and_the_next_one_asked(index: Index) -> None:
    index.answers = [Says(status=400), OK]
    asking = Asking(index)
    assert asking.fault().endswith("answered with status 400; passed over.")
    assert asking.get("other") == "fine"


def test_an_answer_that_cannot_be_read_is_not_kept(index: Index) -> None:
    index.answers = [Says(b"\xff\xfe"), OK]
    asking = Asking(index)
    assert "answered with what cannot be read" in asking.fault()
    assert asking.get() == "fine"


def test_a_silent_index_is_given_up_within_the_time_of_one_request(index: Index) -> None:
    index.answers = [Says(hold=True)]
    asking = Asking(index, request_s=0.2)
    assert "cannot be reached (" in asking.fault()
    assert asking.fault() == ""
    assert len(index.asked) == 1


def test_an_index_that_drips_is_given_up_too() -> None:
    """Each read of it succeeds, so that no time-out of a socket ever comes; in the end it would answer."""
    listening = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def drip() -> None:
        connection, _ = listening.accept()
        with connection, suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            for _ in range(50):
                over.wait(0.05)
                connection.sendall(b"X-Drip: 1\r\n")
            connection.sendall(b"Content-Length: 4\r\n\r\nfine")

    dripping = threading.Thread(target=drip, daemon=True)
    dripping.start()
    web = Web(Kept(), Manners(request_s=0.3), FakeClock())
    with pytest.raises(FetchFailed, match=r"did not answer within 0\.3 s"):
        web.get(Question(f"http://127.0.0.1:{listening.getsockname()[1]}", {"search": "q"}), bytes.decode)
    over.set()
    dripping.join(5)
    listening.close()


def test_an_answer_that_is_too_long_is_cut_off(index: Index) -> None:
    index.answers = [Says(b"x" * 2_000_000)]
    asking = Asking(index, cap_bytes=1000)
    assert "answers with more than 1000 bytes" in asking.fault()
    assert asking.pages == {}


def test_a_broken_answer_is_asked_for_again(index: Index) -> None:
    index.answers = [Says(b"short", headers={"Content-Length": "100"}), OK]
    asking = Asking(index)
    assert asking.get() == "fine"
    assert len(index.asked) == 2


def test_a_move_within_the_host_is_followed(index: Index) -> None:
    index.answers = [Says(status=301, headers={"Location": "/elsewhere"}), OK]
    asking = Asking(index)
    assert asking.get() == "fine"
    assert index.asked[1][0] == "/elsewhere"


def test_a_move_without_end_is_given_up(index: Index) -> None:
    index.answers = [Says(status=302, headers={"Location": "/again"})]
    assert "without end" in Asking(index).fault()
    assert len(index.asked) == 3


@pytest.mark.parametrize(
    "there", ["http://127.0.0.2:1/x", "file:///etc/passwd", "https://127.0.0.1/x", "//evil.example/x"]
)
def test_a_move_to_another_host_is_not_followed(index: Index, there: str) -> None:
    index.answers = [Says(status=302, headers={"Location": there})]
    asking = Asking(index)
    assert "points to another host, which is not followed" in asking.fault()
    assert len(index.asked) == 1


def test_a_closed_port_is_told_of_once_and_other_hosts_are_still_asked(index: Index) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    index.answers = [OK]
    asking = Asking(index)
    gone = Question(f"http://localhost:{port}", {"search": "q"})
    said = []
    for _ in range(2):
        with pytest.raises(FetchFailed) as caught:
            asking.web.get(gone, bytes.decode)
        said.append(str(caught.value))
    assert "localhost cannot be reached" in said[0]
    assert said[1] == ""
    assert asking.get() == "fine"


def test_without_a_network_one_sentence_is_said_and_nobody_is_asked_again(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_names(*given: object, **told: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    asking = Asking(index)
    with monkeypatch.context() as offline:
        offline.setattr(socket, "getaddrinfo", no_names)
        with pytest.raises(FetchFailed, match="Nobody is asked again"):
            asking.web.get(Question("https://api.openalex.org/works", {"search": "q"}), bytes.decode)
    assert asking.fault() == ""
    assert index.asked == []


@pytest.mark.parametrize("url", ["http://[", "http://a:b/", "\x00", "http://" + "a" * 70_000])
def test_an_address_that_is_none_is_a_sentence(url: str) -> None:
    web = Web(Kept(), Manners(request_s=5), FakeClock())
    with pytest.raises(FetchFailed):
        web.get(Question(url, {"search": "q"}), bytes.decode)


def test_many_threads_share_one_pace(index: Index) -> None:
    index.answers = [OK]
    asking = Asking(index, interval_s=2)
    threads = [threading.Thread(target=asking.get, args=(str(n),)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(index.asked) == 4
    assert asking.clock.at >= 3 * 2


def test_the_shown_agent_names_hypoloop(index: Index) -> None:
    index.answers = [OK]
    Asking(index).get()
    assert httpx.Headers(index.asked[0][1])["user-agent"].startswith("hypoloop")

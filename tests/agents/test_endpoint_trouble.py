"""The real client over real sockets, against endpoints that fail, lie and attack."""

from __future__ import annotations

import gzip
import io
import logging
import traceback
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from agents import wire
from agents.errors import (
    AnswerEmpty,
    AnswerInvalid,
    AnswerLooping,
    AnswerTruncated,
    ModelError,
    ModelRefused,
    ModelUnavailable,
)
from agents.storing import CallFolder
from tests.agents.calls import KEY, Verdict, Waits, asker, call, model, shaped
from tests.agents.endpoint import Endpoint, Sent, dropped, endless, failed, late, limited, said, script, sent


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 529])
def test_what_fails_in_passing_is_tried_again(status: int) -> None:
    waits = Waits()
    with Endpoint(script(failed(status, "not now"), failed(status, "not yet"), "yes")) as server:
        reply = model(server, waits).complete(call())
    assert (reply.text, reply.requests, len(server.seen)) == ("yes", 3, 3)
    assert 0.25 <= waits.slept[0] <= 0.5 <= waits.slept[1] <= 1.0


def test_a_connection_that_is_cut_is_tried_again() -> None:
    with Endpoint(script(dropped(), "yes")) as server:
        assert model(server).complete(call()).requests == 2


def test_an_answer_that_is_late_is_tried_again() -> None:
    never = Event()
    with Endpoint(script(late(never, said("late")), "yes")) as server:
        assert model(server, timeout_s=0.3).complete(call()).text == "yes"
        never.set()


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (limited(7), 7.0),
        (limited("0.25"), 0.25),
        (limited("Sun, 01 Mar 2026 12:00:04 GMT"), 4.0),
        (limited("Sun, 01 Mar 2026 11:00:00 GMT"), 0.0),
        (limited(1500, "retry-after-ms"), 1.5),
        (limited("-3"), 0.0),
        (failed(503, "busy", {"retry-after": "2"}), 2.0),
    ],
)
def test_it_waits_as_long_as_it_is_asked_to(answer: Sent, wait: float) -> None:
    waits = Waits()
    with Endpoint(script(answer, "yes")) as server:
        model(server, waits, timeout_s=10).complete(call())
    assert waits.slept == [wait]


@pytest.mark.parametrize("value", ["soon", "nan", "", "Sun, 99 Mar 2026 12:00:04 GMT"])
def test_a_wait_that_means_nothing_is_one_of_our_own(value: str) -> None:
    waits = Waits()
    with Endpoint(script(limited(value), "yes")) as server:
        model(server, waits).complete(call())
    assert 0.25 <= waits.slept[0] <= 0.5


@pytest.mark.parametrize("value", ["86400", "inf", "1e308"])
def test_a_wait_that_is_too_long_ends_the_call(value: str) -> None:
    waits = Waits()
    with Endpoint(script(limited(value))) as server, pytest.raises(ModelUnavailable, match="It asks to wait"):
        model(server, waits).complete(call())
    assert waits.slept == []


def test_retries_come_to_an_end_and_are_counted() -> None:
    waits = Waits()
    with (
        Endpoint(script(failed(500, "broken"))) as server,
        pytest.raises(ModelUnavailable, match="broken.*request 3") as e,
    ):
        model(server, waits, retries=2).complete(call())
    assert (e.value.requests, len(server.seen), len(waits.slept)) == (3, 3, 2)


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (failed(401, "Incorrect API key provided"), "`key_env` or `key_file`"),
        (failed(403, "no access"), "may use this model"),
        (failed(404, "The model does not exist"), "Check `base_url`, which often ends in /v1, and `model`"),
        (failed(400, "messages must not be empty"), "messages must not be empty"),
        (failed(429, "You exceeded your current quota", code="insufficient_quota"), "current quota"),
        (Sent(302, b"", {"location": "http://203.0.113.1/steal"}), "http://203.0.113.1/steal, which is not followed"),
        (Sent(200, b"<html>hello</html>", {"content-type": "text/html"}), "a web page; check base_url"),
        (sent({"error": {"code": 401, "message": "no auth"}}), "no auth"),
    ],
)  # fmt: skip
def test_what_will_not_change_ends_the_call_at_once_and_says_what_to_do(answer: Sent, advice: str) -> None:
    waits = Waits()
    with Endpoint(script(answer)) as server, pytest.raises(ModelUnavailable) as error:
        model(server, waits).complete(call())
    assert advice in str(error.value)
    assert "m-1@127.0.0.1 gives no answer" in str(error.value)
    assert (len(server.seen), waits.slept) == (1, [])


@pytest.mark.parametrize(
    "answer",
    [
        failed(
            400, "This model's maximum context length is 8192 tokens; reduce max_tokens", code="context_length_exceeded"
        ),
        failed(413, "Request too large"),
        failed(400, "The response was filtered by Azure's content management policy", code="content_filter"),
    ],
)
def test_a_call_that_the_endpoint_does_not_take_is_refused(answer: Sent) -> None:
    with Endpoint(script(answer)) as server, pytest.raises(ModelRefused) as error:
        model(server).complete(call())
    assert (len(server.seen), error.value.requests) == (1, 1)


@pytest.mark.parametrize(
    "answer",
    [
        Sent(200, b'{"choices": [{"message": {"content": "ye'),
        Sent(200, b""),
        Sent(200, b"yes", {"content-type": "text/plain"}),
        Sent(200, b"[" * 200_000),
        sent({"choices": []}),
        sent({"choices": "none"}),
        sent([1]),
        sent({"choices": [{"message": {"content": {"deep": 1}}}]}),
        sent({"error": {"code": 503, "message": "upstream is busy"}}),
        sent({"error": "odd"}),
    ],
)
def test_what_is_no_completion_is_tried_again_and_then_unavailable(answer: Sent) -> None:
    with Endpoint(script(answer, "yes")) as server:
        assert model(server).complete(call()).requests == 2
    with Endpoint(script(answer)) as server, pytest.raises(ModelUnavailable):
        model(server, retries=1).complete(call())


def test_a_body_that_never_ends_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_MOST_BYTES", 1024 * 1024)
    for status in (200, 500):
        answer = Sent(status, chunks=endless().chunks)
        with (
            Endpoint(script(answer)) as server,
            pytest.raises(ModelUnavailable, match="more than 1 MiB and was cut off"),
        ):
            model(server).complete(call())
        assert len(server.seen) == 1


def test_a_body_that_drips_for_ever_is_late() -> None:
    with (
        Endpoint(script(endless(b" ", pause_s=0.02))) as server,
        pytest.raises(ModelUnavailable, match="did not answer within 0.3 seconds"),
    ):
        model(server, timeout_s=0.3, retries=0).complete(call())


def test_a_packed_body_is_not_unpacked() -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    answer = Sent(200, bomb, {"content-type": "application/json", "content-encoding": "gzip"})
    with Endpoint(script(answer)) as server, pytest.raises(ModelUnavailable, match="packs its answer"):
        model(server).complete(call())


def test_nobody_at_the_address_is_unavailable() -> None:
    with Endpoint(script("yes")) as server:
        gone = model(server, retries=1)
    with pytest.raises(ModelUnavailable, match="request 2, and `retries` allows no more"):
        gone.complete(call())


@pytest.mark.parametrize("text", ['{"better": "perhaps"}', "I think so", '{"better": true', "[]"])
def test_the_wrong_shape_is_told_once_and_then_invalid(text: str) -> None:
    with Endpoint(script(text)) as server, pytest.raises(AnswerInvalid):
        asker(model(server)).ask(call(), Verdict)
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    ("answer", "error", "requests"),
    [
        (said("I must not.", "content_filter"), ModelRefused, 1),
        (said("once upon", "length"), AnswerTruncated, 2),
        (said("so on and " * 300, "length"), AnswerLooping, 2),
        (said("<think>hm</think>"), AnswerEmpty, 2),
    ],
)
def test_each_answer_of_no_use_has_its_error_and_is_not_bought_again(
    answer: Sent, error: type[ModelError], requests: int, tmp_path: Path
) -> None:
    with Endpoint(script(answer)) as server:
        for _ in range(2):
            with pytest.raises(error):
                asker(model(server), CallFolder(tmp_path)).text(call())
        assert len(server.seen) == requests


def echoing(seen: Any) -> Sent:
    """Say all that came, headers too, in every way there is."""
    heard = f"{dict(seen.headers)} {seen.headers.get('authorization', '')}"
    kinds = (
        said(heard),
        said(None, message={"refusal": heard}),
        failed(400, heard),
        failed(500, heard, {"retry-after": "9999"}),
        Sent(302, heard.encode(), {"location": f"http://203.0.113.1/?{KEY}"}),
        sent({"error": {"message": heard, "code": 400}}),
        sent({"model": heard, "choices": [{"message": {"content": "yes"}}]}),
        Sent(200, heard.encode(), {"content-type": "text/plain"}),
    )
    return kinds[seen.number % len(kinds)]


def test_the_key_is_nowhere_but_in_its_header(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A server that echoes the key into answers, errors and headers, with every logger at its most talkative."""
    folder, shown = CallFolder(tmp_path), io.StringIO()
    with Endpoint(echoing) as server, caplog.at_level(logging.DEBUG):
        asked = model(server, retries=0)
        shown.write(repr(asked) + str(asked.name))
        for n in range(16):
            try:
                shown.write(asker(asked, folder).text(call(str(n))))
            except ModelError as error:
                shown.write("".join(traceback.format_exception(error)) + repr(error.__context__) + repr(vars(error)))
    assert all(KEY in seen.headers["authorization"] for seen in server.seen)
    assert len(server.seen) == 16
    kept = "".join(path.read_text() for path in tmp_path.iterdir())
    assert "[key]" in kept
    assert "[key]" in shown.getvalue()
    for text in (kept, shown.getvalue(), caplog.text):
        assert KEY not in text


def test_without_the_blotting_the_echoed_key_would_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted fault that shows that the test above can fail."""
    monkeypatch.setattr("agents.openai_model.without_key", lambda text, key: text)
    with Endpoint(echoing) as server:
        asker(model(server), CallFolder(tmp_path)).text(call())
    assert any(KEY in path.read_text() for path in tmp_path.iterdir())


def test_a_word_that_stands_for_no_key_is_not_blotted_out() -> None:
    with Endpoint(script("ollama is a program")) as server:
        assert model(server, key="ollama").complete(call()).text == "ollama is a program"


def test_a_fallback_that_fails_is_not_remembered() -> None:
    broken = failed(400, "response_format max_tokens")
    with Endpoint(script(*[broken] * 4, '{"better": true}')) as server:
        asked = model(server)
        with pytest.raises(ModelUnavailable):
            asked.complete(shaped())
        asked.complete(shaped("again"))
    assert server.seen[-1].body["response_format"]["type"] == "json_schema"

"""The real client over real sockets, against an endpoint that behaves."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from agents.errors import AnswerTruncated, ModelRefused
from agents.metering import Purse
from agents.model import Call, Usage
from agents.prices import Price, Rate
from agents.scripted import ScriptedModel
from agents.storing import CallFolder, Kept
from tests.agents.calls import KEY, Verdict, Waits, asker, call, model, shaped
from tests.agents.endpoint import Endpoint, Seen, Sent, failed, late, recording, said, script, sent

COUNTED = {"prompt_tokens": 9, "completion_tokens": 2}
PARTS = [{"type": "text", "text": "in "}, {"type": "text", "text": "parts"}]
GOOD = '{"better": true, "why": "it is"}'


def test_a_call_is_asked_and_answered() -> None:
    with Endpoint(script(said("yes", usage={"prompt_tokens": 20, "completion_tokens": 3}))) as server:
        reply = model(server).complete(call(temperature=0.3))
    assert (reply.text, reply.finish, reply.model, reply.served) == ("yes", "stop", "m-1@127.0.0.1", "served-1")
    assert reply.usage == Usage(input=20, output=3)
    assert reply.requests == 1
    (seen,) = server.seen
    assert seen.path == "/v1/chat/completions"
    assert seen.body == {
        "model": "m-1", "max_tokens": 100, "temperature": 0.3, "messages": [m.model_dump() for m in call().messages],
    }  # fmt: skip


def test_no_header_goes_out_but_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_CUSTOM_HEADERS"):
        monkeypatch.setenv(name, "X-Planted: elsewhere" if "CUSTOM" in name else "elsewhere")
    with Endpoint(script("yes")) as server:
        model(server).complete(call())
    (seen,) = server.seen
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert "elsewhere" not in str(seen.headers)
    assert seen.headers.keys() <= {
        "host", "accept", "accept-encoding", "connection", "content-type", "content-length", "user-agent",
        "authorization", "x-stainless-raw-response",
    }  # fmt: skip


def test_an_endpoint_without_a_key_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-somebody-else")
    with Endpoint(script("yes")) as server:
        model(server, key=None).complete(call())
    assert "authorization" not in server.seen[0].headers


def test_this_machine_is_not_reached_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://203.0.113.1:3128")
    with Endpoint(script("yes")) as server:
        assert model(server).complete(call()).text == "yes"


def test_azures_dated_interface_is_spoken() -> None:
    with Endpoint(script("yes")) as server:
        model(server, base_url=server.url.removesuffix("/v1"), api_version="2024-10-21").complete(call())
    (seen,) = server.seen
    assert seen.path == "/openai/deployments/m-1/chat/completions?api-version=2024-10-21"
    assert seen.headers["api-key"] == KEY
    assert "authorization" not in seen.headers


def test_settings_shape_the_request() -> None:
    with Endpoint(script("yes")) as server:
        asked = model(server, temperature=0.7, max_tokens=60, thinking=1000, extra_body={"top_k": 5})
        asked.complete(call(max_tokens=100))
        asked.complete(call(max_tokens=10, temperature=0.1))
    one, other = (seen.body for seen in server.seen)
    assert (one["max_tokens"], one["temperature"], one["top_k"]) == (1060, 0.7, 5)
    assert (other["max_tokens"], other["temperature"]) == (1010, 0.1)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({**COUNTED, "prompt_tokens_details": {"cached_tokens": 4}}, (9, 2, 4, False)),
        ({**COUNTED, "prompt_tokens_details": None}, (9, 2, 0, False)),
        ({**COUNTED, "prompt_tokens_details": {"cached_tokens": 99}}, (9, 2, 9, False)),
        ({}, (7, 1, 0, True)),
        ({"prompt_tokens": 0, "completion_tokens": 0}, (7, 1, 0, True)),
        ({"prompt_tokens": 9, "completion_tokens": 0}, (7, 1, 0, True)),
        ({"prompt_tokens": -5, "completion_tokens": 2}, (7, 1, 0, True)),
        ({"prompt_tokens": "many", "completion_tokens": 2}, (7, 1, 0, True)),
        ({"prompt_tokens": 1e400, "completion_tokens": 2}, (7, 1, 0, True)),
    ],
)  # fmt: skip
def test_usage_is_taken_from_the_endpoint_or_estimated_and_marked(
    usage: dict[str, Any], expected: tuple[int, int, int, bool]
) -> None:
    with Endpoint(script(said("yes", usage=usage))) as server:
        used = model(server).complete(call()).usage
    assert (used.input, used.output, used.cached, used.estimated) == expected


@pytest.mark.parametrize(
    ("answer", "text", "finish"),
    [
        (said("once upon", "length"), "once upon", "length"),
        (said("no", "content_filter"), "no", "refusal"),
        (said(None, message={"refusal": "I will not."}), "I will not.", "refusal"),
        (said(None), "", "stop"),
        (said("<think>hm</think>\nyes"), "yes", "stop"),
        (said("yes", message={"reasoning_content": "hm", "tool_calls": []}), "yes", "stop"),
        (said(None, message={"content": PARTS}), "in parts", "stop"),
        (said("half \ud83d of it"), "half ? of it", "stop"),
    ],
)  # fmt: skip
def test_all_that_was_paid_for_comes_back_as_a_reply(answer: Sent, text: str, finish: str) -> None:
    with Endpoint(script(answer)) as server:
        reply = model(server).complete(call())
    assert (reply.text, reply.finish) == (text, finish)
    reply.model_dump_json()


def test_an_answer_of_a_shape_is_asked_for_by_a_strict_schema() -> None:
    with Endpoint(script(f"```json\n{GOOD}\n```")) as server:
        assert asker(model(server)).ask(call(), Verdict).better
    shape = server.seen[0].body["response_format"]
    assert shape["json_schema"]["strict"] is True
    assert shape["json_schema"]["schema"]["required"] == ["better", "why"]


def picky(*lacks: str, status: int = 400) -> Any:
    """Return a rule of an endpoint that lacks some parameters."""

    def rule(seen: Seen) -> Sent:
        kind = seen.body.get("response_format", {}).get("type")
        for name in lacks:
            if name in seen.body or name == kind:
                what = "response_format" if name == kind else name
                return failed(status, f"Unsupported parameter: '{what}' ({name}) is not supported.", param=what)
        return said(GOOD)

    return rule


@pytest.mark.parametrize("status", [400, 404, 422])
@pytest.mark.parametrize(
    ("lacks", "requests"),
    [(["json_schema"], 2), (["json_schema", "json_object"], 3), (["max_tokens"], 2), (["temperature"], 2),
     (["max_tokens", "temperature", "json_schema"], 4)],
)  # fmt: skip
def test_what_an_endpoint_lacks_is_left_out_and_not_tried_again(lacks: list[str], requests: int, status: int) -> None:
    with Endpoint(picky(*lacks, status=status)) as server:
        asked = model(server)
        assert asked.complete(shaped(temperature=0.5)).requests == requests
        assert asked.complete(shaped("again", temperature=0.5)).requests == 1
    last = server.seen[-1].body
    assert ("max_completion_tokens" in last) == ("max_tokens" in lacks)
    if "json_schema" in lacks:
        assert "JSON schema" in last["messages"][0]["content"]


def test_one_schema_that_an_endpoint_does_not_take_costs_the_others_nothing() -> None:
    def rule(seen: Seen) -> Sent:
        shape = seen.body.get("response_format", {}).get("json_schema", {})
        if shape.get("name") == "Odd":
            return failed(400, "Invalid schema for response_format 'Odd': 'x' is not permitted.")
        return said(GOOD)

    with Endpoint(rule) as server:
        asked = model(server)
        assert asked.complete(shaped().model_copy(update={"answer": "Odd"})).requests == 2
        assert asked.complete(shaped()).requests == 1
    assert server.seen[-1].body["response_format"]["type"] == "json_schema"


def test_the_endpoint_says_what_it_heard_at_once() -> None:
    go = Event()
    with Endpoint(lambda seen: late(go, said(seen.text))) as server:
        asked = model(server)
        with ThreadPoolExecutor(4) as pool:
            replies = [pool.submit(asked.complete, call(str(n))) for n in range(4)]
            while server.most_at_once < 4:
                assert not any(reply.done() for reply in replies)
            go.set()
            assert [reply.result().text[-1] for reply in replies] == list("0123")


def test_a_campaign_over_http_replays_from_its_folder_over_http_and_without(tmp_path: Path) -> None:
    calls = [call(str(n)) for n in range(8)]
    folder = CallFolder(tmp_path)
    turns = [said(f"{n}", "length" if n % 3 == 0 else "content_filter" if n % 5 == 0 else "stop") for n in range(12)]
    with Endpoint(script(*turns)) as server:
        first = told(asker(model(server), folder), calls)
    with Endpoint(recording(folder)) as server:
        assert told(asker(model(server), Kept()), calls) == first
    assert told(asker(ScriptedModel([], name="m-1@127.0.0.1"), folder), calls) == first


def told(asking: Any, calls: list[Call]) -> list[str]:
    found = []
    for one in calls:
        try:
            found.append(asking.text(one))
        except (ModelRefused, AnswerTruncated) as error:
            found.append(str(error))
    return found


def test_what_it_cost_is_kept_with_it(tmp_path: Path) -> None:
    prices = {"m-1@127.0.0.1": Rate(own=Price(input=1, output=10))}
    folder, purse = CallFolder(tmp_path), Purse(money=1, prices=prices)
    with Endpoint(script(said("yes", usage={"prompt_tokens": 1000, "completion_tokens": 100}))) as server:
        asker(model(server), folder, purse).text(call())
    (one,) = folder
    assert one.price == pytest.approx(0.002)
    assert purse.spent.money == pytest.approx(0.002)


def test_a_gateway_that_answers_in_another_form_is_still_read() -> None:
    body = {"choices": [{"message": {"content": "yes"}}], "extra": {"x": 1}}
    with Endpoint(script(sent(body))) as server:
        reply = model(server, Waits()).complete(call())
    assert (reply.text, reply.usage.estimated, reply.served) == ("yes", True, "")

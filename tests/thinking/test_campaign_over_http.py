"""A whole campaign of the language-model team over real sockets, on a real template, in a sandbox that isolates."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agents.endpoint import Endpoint
from tests.campaign.running import campaign_file, events, hypoloop, of_kind
from tests.sandboxes.lab import require_bubblewrap
from tests.thinking.scientist import BROKEN, DISHONEST, GOOD, Scientist

pytestmark = [pytest.mark.campaign, pytest.mark.prefect, pytest.mark.mlflow]

NAME, KEY = "thought", "canary-7f3b9d21c4"
SPEC = """
name = "thought"
template = "offline-rl"
team = "llm"
sandbox = "bubblewrap"
seed = 1
[budget]
rounds = 1
ideas_per_round = 3
plans_per_round = 1
executions = 125
money = 1.0
[models.default]
base_url = "{url}"
model = "scripted"
key_env = "SCIENTIST_KEY"
price = {{ input = 0.5, output = 1.5 }}
[llm.coder]
checks = 0
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Endpoint]]:
    require_bubblewrap()
    home = tmp_path_factory.mktemp("thought")
    with pytest.MonkeyPatch.context() as patch, Endpoint(Scientist(home, NAME)) as endpoint:
        patch.setenv("SCIENTIST_KEY", KEY)
        assert hypoloop(home, "library", "add", "seeds").returncode == 0
        done = hypoloop(home, "run", str(campaign_file(home, SPEC.format(url=endpoint.url))))
        assert done.returncode == 0, done.stdout + done.stderr
        yield home, endpoint


def test_a_real_patch_works_and_its_claim_is_put_to_the_test(ran: tuple[Path, Endpoint]) -> None:
    home, _ = ran
    ideas = {idea["title"]: idea["id"] for event in of_kind(home, NAME, "ideas") for idea in event["ideas"]}
    assert set(ideas) == {GOOD, BROKEN, DISHONEST}
    (claim, *_) = of_kind(home, NAME, "claim")
    assert claim["idea"] == ideas[GOOD]
    assert claim["verdict"] == "supported"


def test_the_crash_is_mended_and_the_cheat_gains_nothing(ran: tuple[Path, Endpoint]) -> None:
    home, _ = ran
    ideas = {idea["title"]: idea["id"] for event in of_kind(home, NAME, "ideas") for idea in event["ideas"]}
    mended = [c for c in of_kind(home, NAME, "candidate") if c["repaired"]]
    assert [c["idea"] for c in mended] == [ideas[BROKEN]]
    screens = {s["idea"]: s for s in of_kind(home, NAME, "screened")}
    assert screens[ideas[BROKEN]]["effect"] is not None
    assert not screens[ideas[DISHONEST]]["passed"]


def test_what_said_nothing_new_or_nothing_at_all_was_turned_away(ran: tuple[Path, Endpoint]) -> None:
    home, _ = ran
    (event,) = of_kind(home, NAME, "ideas")
    whys = [each["why"] for each in event["rejected"]]
    assert any(why.startswith("duplicate-of") for why in whys)
    assert any(why.startswith("not falsifiable") for why in whys)


def test_a_work_of_the_library_that_inspired_an_idea_is_a_reference_and_an_invented_one_is_not(
    ran: tuple[Path, Endpoint],
) -> None:
    home, _ = ran
    (event,) = of_kind(home, NAME, "ideas")
    (work,) = event["references"]
    assert event["ideas"][0]["inspirations"] == [work["key"]]
    bibliography = (home / "campaigns" / NAME / "paper" / "references.bib").read_text(encoding="utf-8")
    assert f"{{{work['key']}," in bibliography
    assert "nobody2031invented" not in bibliography


def test_the_paper_was_reviewed_twice_revised_once_and_types_no_number(ran: tuple[Path, Endpoint]) -> None:
    home, _ = ran
    assert len(of_kind(home, NAME, "review")) == 2
    assert len(of_kind(home, NAME, "draft")) >= 2
    text = (home / "campaigns" / NAME / "paper" / "report.html").read_text(encoding="utf-8")
    assert "123.4" not in text


def test_every_call_is_journalled_once_and_lies_where_the_journal_says(ran: tuple[Path, Endpoint]) -> None:
    home, endpoint = ran
    calls = of_kind(home, NAME, "call")
    assert len(calls) == len({call["key"] for call in calls}) == len(endpoint.seen)
    assert {path.stem for path in (home / "campaigns" / NAME / "calls").glob("*.json")} == {c["key"] for c in calls}


def test_everything_holds_and_status_says_what_it_cost(ran: tuple[Path, Endpoint]) -> None:
    home, _ = ran
    done = hypoloop(home, "verify", NAME)
    assert done.returncode == 0, done.stdout + done.stderr
    (facts,) = json.loads(hypoloop(home, "status", NAME, "--json").stdout)
    told = facts["thinking"]
    assert told["calls"] == len(of_kind(home, NAME, "call"))
    assert 0 < told["money"] < 1.0
    assert told["unpriced"] == 0
    assert told["cacheable"] > 0.3
    assert Counter(e["kind"] for e in events(home, NAME))["closed"] == 1


def test_the_key_goes_to_the_endpoint_and_nowhere_else(ran: tuple[Path, Endpoint]) -> None:
    home, endpoint = ran
    assert {seen.headers["authorization"] for seen in endpoint.seen} == {f"Bearer {KEY}"}
    files = [path for path in home.rglob("*") if path.is_file()]
    assert len(files) > 100
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []

"""Every hostile program in every sandbox that says it contains it; the host is the same afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from sandboxes import SandboxError
from tests.battery.backends import image_for, opened
from tests.battery.entries import Entry, entries
from tests.battery.host import left_since, look
from tests.battery.judging import Verdict
from tests.battery.running import ground, run_all

ENTRIES = entries()


class Battle(NamedTuple):
    """What became of all programs in one sandbox, and of the host."""

    verdicts: Mapping[str, Verdict]
    heard: list[tuple[str, str]]
    left: list[str]


@pytest.fixture(scope="module", params=[pytest.param("docker", marks=pytest.mark.docker), "bubblewrap"])
def battle(request: pytest.FixtureRequest) -> Battle:
    name = str(request.param)
    engine = request.getfixturevalue("engine") if name == "docker" else None
    before = look(engine)
    with ExitStack() as stack:
        try:
            sandbox = opened(name)
        except SandboxError as problem:
            pytest.skip(f"{name} cannot be used here: {problem}")
        stack.callback(sandbox.close)
        place = stack.enter_context(ground(sandbox, image_for(name)))
        verdicts = run_all(ENTRIES, place)
        heard = list(place.ear.heard)
    return Battle({verdict.entry.name: verdict for verdict in verdicts}, heard, left_since(before, engine))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.theme}-{entry.name}")
def test_it_is_contained(battle: Battle, entry: Entry) -> None:
    verdict = battle.verdicts[entry.name]
    if verdict.skipped:
        pytest.skip(verdict.skipped)
    assert not verdict.breaches


def test_nobody_on_the_host_heard_anything(battle: Battle) -> None:
    assert battle.heard == []


def test_the_host_is_as_it_was(battle: Battle) -> None:
    assert battle.left == []

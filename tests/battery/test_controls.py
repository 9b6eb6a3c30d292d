"""Planted faults: where nothing contains a program, the judge must say so."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from sandboxes import ProcessSandbox
from tests.battery.entries import Entry, entries
from tests.battery.host import left_since, look
from tests.battery.running import Ground, ground, run
from tests.battery.scene import CARELESS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the decoys are those of a Linux host")
LOOSE = [entry for entry in entries() if entry.loose]
CLAIMS = [entry for entry in entries() if entry.metrics]
OWN = next(entry for entry in entries() if entry.name == "own_metrics")


@pytest.fixture(scope="module")
def place() -> Iterator[Ground]:
    before = look(None)
    sandbox = ProcessSandbox()
    with ground(sandbox, None) as place:
        yield place
    sandbox.close()
    assert left_since(before, None) == []


@pytest.mark.parametrize("entry", LOOSE, ids=lambda entry: entry.name)
def test_a_program_that_nothing_contains_is_seen(place: Ground, entry: Entry) -> None:
    verdict = run(entry, place, anyway=True)
    told = [breach for breach in verdict.breaches if not breach.startswith("it reached")]
    if entry.name not in ("what_others_left", "command_lines", "descriptors_of_others"):  # known by their word alone
        assert told
    assert not verdict.contained


def test_what_a_sandbox_does_not_claim_to_contain_is_skipped_with_the_reason(place: Ground) -> None:
    tcp = next(entry for entry in entries() if entry.name == "tcp")
    verdict = run(tcp, place)
    assert verdict.skipped == "the process sandbox does not hold: network"
    assert not verdict.contained


def test_a_candidates_own_metrics_are_seen_when_an_evaluator_believes_them(place: Ground) -> None:
    verdict = run(OWN, place, CARELESS, anyway=True)
    assert any("its score is {'height': 99.0" in breach for breach in verdict.breaches)


@pytest.mark.parametrize("entry", CLAIMS, ids=lambda entry: entry.name)
def test_wrong_metrics_are_refused_even_from_an_evaluator(place: Ground, entry: Entry) -> None:
    verdict = run(entry, place, CARELESS, anyway=True)
    assert "score invalid" in verdict.happened
    assert not any("its score is" in breach for breach in verdict.breaches)


def test_the_canary_is_in_the_environment_of_the_host(place: Ground) -> None:
    assert os.environ["OPENAI_API_KEY"] == place.canary

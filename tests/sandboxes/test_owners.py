from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from sandboxes.owners import GRACE_S, Owner, start_time, this_process

NOW = 1_000.0


@pytest.fixture
def me() -> Owner:
    return this_process("campaign")


def test_what_a_living_process_made_is_spared_until_its_deadline_and_grace(me: Owner) -> None:
    labels = me.labels("run", NOW)
    assert not me.may_remove(labels, NOW + GRACE_S)
    assert me.may_remove(labels, NOW + GRACE_S + 1)


def test_a_process_that_ended_is_dead(me: Owner) -> None:
    program = "from sandboxes.owners import this_process; import json; print(json.dumps(vars(this_process('c'))))"
    import json

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    other = Owner(**json.loads(said))
    assert other.host == me.host
    assert me.may_remove(other.labels("run", NOW), NOW)


def test_a_number_used_again_is_not_the_process_that_had_it(me: Owner) -> None:
    assert me.may_remove(replace(me, started="1").labels("run", NOW), NOW)


def test_nothing_of_an_earlier_boot_lives(me: Owner) -> None:
    assert me.may_remove(replace(me, boot="before").labels("run", NOW), NOW)


def test_other_hosts_are_judged_by_the_deadline_alone(me: Owner) -> None:
    labels = replace(me, host="other", started="1", boot="before").labels("run", NOW)
    assert not me.may_remove(labels, NOW)
    assert me.may_remove(labels, NOW + GRACE_S + 1)


@pytest.mark.parametrize("labels", [{}, {"hypoloop.owner": "x"}, {"hypoloop.deadline": "soon", "hypoloop.pid": "1"}])
def test_what_is_not_labelled_by_us_is_nobodys_to_remove(me: Owner, labels: dict[str, str]) -> None:
    assert not me.may_remove(labels, NOW * 1e9)


def test_start_times_tell_processes_apart() -> None:
    assert start_time(os.getpid()) == start_time(os.getpid()) != ""
    assert start_time(2**22 + 1) == ""

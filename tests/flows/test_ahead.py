from __future__ import annotations

import threading
from typing import Any, cast

import pytest

from flows.ahead import Ahead
from flows.errors import CampaignInterrupted
from flows.executions import PreparedExecution
from sandboxes.errors import SandboxError


class Ready:
    """Stands for a prepared execution and remembers what became of it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.closed = False

    def close(self) -> None:
        self.closed = True


class Workshop:
    """Prepares, remembers in which order, and fails where it is told to."""

    def __init__(self, failing: dict[int, Exception] | None = None) -> None:
        self.failing = failing or {}
        self.made: list[Ready] = []
        self.lock = threading.Lock()

    def __call__(self, number: int) -> PreparedExecution:
        with self.lock:
            self.made.append(Ready(number))
        if number in self.failing:
            raise self.failing.pop(number)
        return cast("PreparedExecution", self.made[-1] if self.made[-1].number == number else Ready(number))

    @property
    def numbers(self) -> list[int]:
        return sorted(ready.number for ready in self.made)


def taken(ready: Any) -> int:
    assert isinstance(ready, Ready)
    assert not ready.closed
    return ready.number


def test_each_is_prepared_once_and_handed_out_by_its_number() -> None:
    workshop = Workshop()
    with Ahead(workshop, 6, 2) as ahead:
        assert [taken(ahead.take(number)) for number in range(6)] == list(range(6))
    assert workshop.numbers == list(range(6))


def test_no_more_than_the_depth_wait_for_their_turn() -> None:
    workshop = Workshop()
    with Ahead(workshop, 50, 3) as ahead:
        ahead.take(0)
    assert set(workshop.numbers) <= {0, 1, 2, 3}


def test_without_depth_each_is_prepared_at_its_turn() -> None:
    workshop = Workshop()
    with Ahead(workshop, 3, 0) as ahead:
        ahead.take(0)
        assert workshop.numbers == [0]


def test_what_nobody_took_is_given_up() -> None:
    workshop = Workshop()
    with Ahead(workshop, 5, 2) as ahead:
        first = ahead.take(0)
        ahead.take(1)
    assert not cast("Ready", first).closed
    assert all(ready.closed for ready in workshop.made if ready.number > 1)


def test_a_failure_is_raised_for_its_own_number_and_a_second_try_prepares_anew() -> None:
    workshop = Workshop({1: SandboxError("the engine went away")})
    with Ahead(workshop, 3, 2) as ahead:
        ahead.take(0)
        with pytest.raises(SandboxError, match="went away"):
            ahead.take(1)
        assert taken(ahead.take(1)) == 1
        assert taken(ahead.take(2)) == 2


def test_failures_that_nobody_waits_for_end_quietly() -> None:
    with Ahead(Workshop({1: SandboxError("gone"), 2: CampaignInterrupted("x")}), 3, 2) as ahead:
        ahead.take(0)


def test_who_comes_after_the_end_prepares_for_himself_and_nothing_further() -> None:
    workshop = Workshop()
    with Ahead(workshop, 9, 1) as ahead:
        ahead.take(0)
    before = len(workshop.made)
    assert taken(ahead.take(5)) == 5
    assert len(workshop.made) == before + 1


def test_somebody_may_still_come_while_the_rest_is_given_up() -> None:
    class Late(Workshop):
        """Whoever gives up the first comes back for the second, as threads do that are told to stop."""

        def __call__(self, number: int) -> PreparedExecution:
            ready: Any = super().__call__(number)
            if number == 1:
                ready.close = lambda: late.append(ahead.take(2))
            return cast("PreparedExecution", ready)

    late: list[PreparedExecution] = []
    with Ahead(Late(), 5, 3) as ahead:
        ahead.take(0)
    assert [taken(ready) for ready in late] == [2]
